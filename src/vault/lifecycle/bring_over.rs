//! Brings a vault of format 1 over to format 2, at its first open that may write.
//!
//! 1. The rows at the end of the log are read and compared with its digest.
//! 2. The same facts become rows of format 2 in memory, as one more operation.
//! 3. They are written as a snapshot beside the old one, synced, read back, and compared with their digest.
//! 4. The manifest of format 2 names that snapshot and nothing else. From here on the vault is of format 2.
//! 5. The state is rebuilt from the new snapshot, and then the old files are removed, as at every open.
//!
//! A cut before step 4 leaves the vault of format 1 as it was, a cut after it the one of format 2.

use super::open::{log_of, repair_damage};
use crate::crypto::Keyring;
use crate::error::Result;
use crate::log::{End, LogError, Recovered, RowFormat, RowVisitor};
use crate::store::{OrderedStore, Store};
use crate::vault::directory::VaultDir;
use crate::vault::error::{RowError, is_snapshot_damage};
use crate::vault::state::compare::visit_rows;
use crate::vault::state::opener::StateOpener;
use crate::vault::state::translate::to_newest;

/// A log of the newest format that says what `recovered` says. `None`: the disk has no space for it, and the
/// log is as it was.
pub(super) fn bring_over(
    place: &VaultDir,
    keys: &Keyring,
    recovered: Recovered,
    judge: &dyn Fn(&End) -> Result<()>,
) -> Result<Option<Recovered>> {
    let (recovered, rows) = read(place, keys, recovered, judge)?;
    let (newest, sum) = to_newest(&rows, keys, place.env.entropy.as_ref())?;
    drop(rows);
    let lsn = newest.applied().map_err(RowError::from)?;
    let end = End { lsn, digest: sum.digest(keys.digest_key(), lsn), ..recovered.end().clone() };
    let mut rows = |visit: &mut RowVisitor<'_>| visit_rows(&newest, visit);
    match recovered.begin_anew(end, &mut rows) {
        Ok(()) | Err(LogError::NoSpace) => {}
        Err(error) => return Err(error.into()),
    }
    // Where space ran out says the log: the manifest may have been written by then.
    let mut recovered = log_of(place, keys)?;
    if recovered.row_format() < RowFormat::NEWEST {
        return Ok(None);
    }
    recovered.settle()?;
    Ok(Some(recovered))
}

/// The rows at the end of the log. A damaged snapshot is replaced as at every open.
fn read(
    place: &VaultDir,
    keys: &Keyring,
    mut recovered: Recovered,
    judge: &dyn Fn(&End) -> Result<()>,
) -> Result<(Recovered, OrderedStore)> {
    let opener = StateOpener::of(place, &place.options.tuning, keys);
    let rows = match opener.read(&recovered) {
        Err(error) if is_snapshot_damage(&error) => {
            recovered = match recovered.fall_back() {
                Ok(older) => older,
                Err(LogError::Damaged(damage)) => repair_damage(place, keys, damage, judge)?,
                Err(error) => return Err(error.into()),
            };
            recovered.settle()?;
            opener.read(&recovered)?
        }
        outcome => outcome?,
    };
    Ok((recovered, rows))
}
