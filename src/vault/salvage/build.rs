//! The longest part of a damaged log that is proven right.
//!
//! A salvage builds on one of four bases: a snapshot that reads back whole, the snapshot before it, the
//! state if something authenticated names its LSN and digest, or nothing at all if the log still reaches
//! back to its beginning. To each base it applies every frame that authenticates and whose digest matches
//! the rows after it. The base that gets furthest wins. So a state that lags behind can, with the frames
//! after it, replace a damaged part of the log.

use super::loss::{Loss, loss};
use super::state_copy::in_memory;
use crate::crypto::{Keyring, SetSum};
use crate::error::Result;
use crate::log::{End, LogError, RowFormat, SalvageSource};
use crate::model::{ChangeSet, Lsn, RowChange};
use crate::store::{OrderedStore, Span, Store};
use crate::vault::error::RowError;
use crate::vault::state::compare::has_all_values;
use crate::vault::state::sums::{advance, sum_rows};
use crate::vault::state::translate::format_of;

/// The furthest that can be proven.
pub(crate) struct Salvage {
    pub(crate) rows: OrderedStore,
    /// The point that it has reached.
    pub(crate) end: End,
    /// The format of its rows.
    pub(crate) format: RowFormat,
    /// What it was built from.
    pub(crate) source: &'static str,
    /// What is missing, if anything.
    pub(crate) loss: Option<Loss>,
}

/// Rows with their sum, and the proven point that they have reached.
struct Built {
    rows: OrderedStore,
    sum: SetSum,
    end: Option<End>,
    source: &'static str,
}

/// Builds the furthest proven part. `None`: nothing can be proven.
pub(crate) fn salvage(
    salvage_source: &SalvageSource,
    state: Option<&dyn Store>,
    keys: &Keyring,
) -> Result<Option<Salvage>> {
    let mut best: Option<(OrderedStore, End, &'static str)> = None;
    let snapshots: Vec<Lsn> = salvage_source.snapshots().map(|end| end.lsn).collect();
    let bases = snapshots.iter().enumerate().map(|(at, lsn)| {
        let source =
            if at == 0 { "the snapshot and the log" } else { "an older snapshot and the log" };
        from_snapshot(salvage_source, *lsn, keys, source).map(Some)
    });
    let of_state = || {
        Ok(state.and_then(|state| from_store(salvage_source, state, keys, "the state and the log")))
    };
    let of_nothing =
        || Ok(from_store(salvage_source, &OrderedStore::new(), keys, "the log from its beginning"));
    let others = std::iter::once_with(of_state).chain(std::iter::once_with(of_nothing));
    for base in bases.chain(others) {
        let Some(mut built) = base? else { continue };
        apply_frames(&mut built, salvage_source, keys)?;
        let Built { rows, end: Some(end), source, .. } = built else { continue };
        if best.as_ref().is_none_or(|(_, furthest, _)| end.lsn > furthest.lsn) {
            best = Some((rows, end, source));
        }
    }
    let Some((rows, end, source)) = best else { return Ok(None) };
    let loss = loss(salvage_source, state, &rows, &end)?;
    let format = format_of(&rows, keys)?;
    Ok(Some(Salvage { rows, end, format, source, loss }))
}

fn from_snapshot(
    salvage_source: &SalvageSource,
    lsn: Lsn,
    keys: &Keyring,
    source: &'static str,
) -> Result<Built> {
    let (mut taken, mut sum) = (Vec::new(), SetSum::empty());
    salvage_source.read_snapshot(lsn, &mut |tree, key, value| {
        sum.add(keys.digest_key(), tree, key, value);
        taken.push(RowChange { tree, key: key.into(), value: Some(value.into()) });
        Ok(())
    })?;
    let rows = OrderedStore::new();
    rows.apply(&[ChangeSet { lsn, rows: taken }]).map_err(RowError::from)?;
    let end = salvage_source.known(lsn, &sum.digest(keys.digest_key(), lsn)).cloned();
    Ok(Built { rows, sum, end, source })
}

/// A store as a base. Its digest leaves chunks out, so every value is opened.
fn from_store(
    salvage_source: &SalvageSource,
    store: &dyn Store,
    keys: &Keyring,
    source: &'static str,
) -> Option<Built> {
    let rows = in_memory(store)?;
    if !has_all_values(&rows, keys) {
        return None;
    }
    let Span { applied: lsn, reaches } = rows.span().ok()?;
    let sum = sum_rows(&rows, keys).ok()?;
    let end = salvage_source.known(lsn, &sum.digest(keys.digest_key(), lsn)).cloned();
    Some(Built { rows, sum, end: end.filter(|_| reaches == lsn), source })
}

/// Applies every frame that provably follows.
fn apply_frames(built: &mut Built, salvage_source: &SalvageSource, keys: &Keyring) -> Result<()> {
    let after = built.rows.applied().map_err(RowError::from)?;
    let led = salvage_source.frames(after, &mut |end, frame| {
        let applied = built.rows.applied().map_err(|_| LogError::Stopped)?;
        let first = frame.sets.first().map_or(end.lsn, |set| set.lsn);
        if end.lsn <= applied {
            return Ok(());
        }
        if first > applied.next() {
            return Err(LogError::Stopped);
        }
        let mut sum = built.sum.clone();
        let is_advanced = advance(&built.rows, keys, &mut sum, &frame).is_ok();
        // The state has rows of later frames. Only when those are applied can a digest fit.
        let is_amid = end.lsn < built.rows.span().map_err(|_| LogError::Stopped)?.reaches;
        let fits = sum.digest(keys.digest_key(), end.lsn) == end.digest;
        if is_advanced && is_amid {
            built.rows.apply(&frame.sets).map_err(|_| LogError::Stopped)?;
            built.sum = sum;
        } else if is_advanced && fits {
            built.rows.apply(&frame.sets).map_err(|_| LogError::Stopped)?;
            (built.sum, built.end) = (sum, Some(end));
        }
        Ok(())
    });
    match led {
        Ok(()) | Err(LogError::Stopped | LogError::Damaged(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
