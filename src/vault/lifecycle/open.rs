//! Opens a vault: from a locked folder and a key to a vault that serves.
//!
//! 1. Keystore: the winner of the twin is unlocked, and its copies are made equal.
//! 2. Log: read and compared with the manifest. Damage is repaired if a whole state proves that nothing is
//!    lost, and refused else. A keystore older than the last frame's is a rollback and is refused.
//! 3. The last accepted frame is written and synced again (I5), because the page cache may hold what the
//!    disk does not.
//! 4. A vault of format 1 is brought over.
//! 5. State: compared, caught up or rebuilt.
//! 6. Threads.

use super::bring_over::bring_over;
use super::read_only::open_read_only;
use super::serve::Parts;
use crate::crypto::{Keyring, Keystore, Unlock};
use crate::env::age::AgeClock;
use crate::env::faults::Fault;
use crate::error::{Error, ErrorKind, Result};
use crate::log::{Damage, End, Log, LogError, Recovered, RowFormat, RowVisitor, Twin, TwinContent};
use crate::store::guard::{ASIDE_DIR, state_dir};
use crate::store::{SledOptions, SledStore};
use crate::vault::anchor::Anchor;
use crate::vault::directory::{VaultDir, keystore_twin};
use crate::vault::error::is_snapshot_damage;
use crate::vault::handle::Vault;
use crate::vault::log_keys::{LogKeys, age_note};
use crate::vault::maintenance::maintainer::KeystoreFile;
use crate::vault::options::unlock_keystore;
use crate::vault::salvage::lossless::rebuild_log;
use crate::vault::state::compare::{equals, visit_rows};
use crate::vault::state::opener::StateOpener;
use crate::vault::state::serving::State;
use crate::vault::state::sums::sum_rows;
use std::path::PathBuf;

/// A keystore with its keys.
pub(crate) struct Unlocked {
    pub(crate) twin: Twin,
    pub(crate) content: TwinContent,
    pub(crate) keystore: Keystore,
    pub(crate) keys: Keyring,
}

impl VaultDir {
    /// Opens the vault. Repairs that lose nothing (a torn tail, a stale state, one damaged copy) are done
    /// on the way. Damage to data that exists only once is an error, and nothing is changed.
    pub fn open(self, unlock: &Unlock) -> Result<Vault> {
        let dir = self.dir.clone();
        self.try_open(unlock).map_err(|error| error.in_vault(&dir))
    }

    fn try_open(self, unlock: &Unlock) -> Result<Vault> {
        let (twin, content, keystore) = self.keystore()?;
        if let Some(unlocked) = unlock_other_copy(&self, &keystore, unlock) {
            return finish(self, unlocked);
        }
        let keys = unlock_keystore(&self.options.tuning, &keystore, unlock)?;
        if self.is_read_only {
            return open_read_only(self, twin, keystore, keys);
        }
        finish(self, Unlocked { twin, content, keystore, keys })
    }
}

/// A fault: a key that does not fit is also tried on the copy that lost.
fn unlock_other_copy(place: &VaultDir, winner: &Keystore, unlock: &Unlock) -> Option<Unlocked> {
    let is_wanted = place.options.tuning.faults.active(Fault::SecondCopyForWrongKey);
    if !is_wanted || winner.unlock(unlock).is_ok() {
        return None;
    }
    let twin = keystore_twin(&place.env.fs, &place.dir);
    let content = twin.read_loser()?;
    let keystore = Keystore::decode(&content.body).ok()?;
    let keys = keystore.unlock(unlock).ok()?;
    Some(Unlocked { twin, content, keystore, keys })
}

/// The rest of an open, once the keys are there.
pub(crate) fn finish(mut place: VaultDir, unlocked: Unlocked) -> Result<Vault> {
    let Unlocked { twin, content, keystore, keys } = unlocked;
    let anchor = Anchor::find(&place.env, &place.dir, &place.options, &keys)?;
    let mut recovered = recover(&place, &keys, anchor.as_ref())?;
    refuse_rollback(&recovered, &keystore)?;
    if let Some(anchor) = &anchor {
        anchor.judge_end(recovered.end())?;
    }
    if content.needs_repair {
        twin.repair(&content)?;
        if !place.lock_parts() {
            return Err(ErrorKind::InUse { pid: None }.into());
        }
    }
    recovered.settle()?;
    let is_state_gone = is_state_gone(&place);
    let has_lost_its_state = !recovered.clean() && is_state_gone;
    if is_state_gone {
        // It is made anew, whoever opens the vault.
        place.options.tuning.store = place.options.tuning.store.on_disk();
    }
    if recovered.row_format() < RowFormat::NEWEST {
        let judge = |end: &End| anchor.as_ref().map_or(Ok(()), |anchor| anchor.judge_end(end));
        let Some(newest) = bring_over(&place, &keys, recovered, &judge)? else {
            (place.is_read_only, place.lacks_space) = (true, true);
            return open_read_only(place, twin, keystore, keys);
        };
        recovered = newest;
    }
    let opener = StateOpener::of(&place, &place.options.tuning, &keys);
    let state = match opener.open(&recovered) {
        Err(error) if is_snapshot_damage(&error) => {
            // The snapshot before it may still be there, with its segments (I6).
            recovered = recovered.fall_back()?;
            recovered.settle()?;
            opener.open(&recovered)?
        }
        outcome => outcome?,
    };
    if let Some(anchor) = &anchor
        && let Err(error) = anchor.judge_rows(state.state.store(), &keys, recovered.end())
    {
        // Closed, so that it can be opened again.
        let _ = state.state.close();
        return Err(error);
    }
    let clock = &place.env.clock;
    let age = AgeClock::from_note(age_note(recovered.end().clock), clock.wall(), clock.monotonic());
    let log = recovered.start()?;
    let keystore = KeystoreFile { twin, keystore };
    Parts { place, keystore, keys, log, opened: state, age, anchor, has_lost_its_state }.serve()
}

/// Whether there is no state at all. A power cut or a kill leaves one, whatever its condition.
fn is_state_gone(place: &VaultDir) -> bool {
    let is_missing = |dir: PathBuf| matches!(place.env.fs.metadata(&dir), Ok(None));
    place.env.fs.is_real()
        && is_missing(state_dir(&place.dir))
        && is_missing(place.dir.join(ASIDE_DIR))
}

/// Refuses a keystore older than the one that the last frame names: someone has put it back.
pub(crate) fn refuse_rollback(recovered: &Recovered, keystore: &Keystore) -> Result<()> {
    if recovered.end().keystore_generation > keystore.generation() {
        return Err(
            ErrorKind::Damaged { file: "keystore".to_owned(), offset: 0, rule: "TWIN-7" }.into()
        );
    }
    Ok(())
}

/// Reads the log. A damaged one is repaired from a state that provably equals its end, or from whatever
/// else leads to the proven end: an older state and the frames after it, say. A log that is older than the
/// anchor is refused before anything in it is changed (RB-1).
fn recover(place: &VaultDir, keys: &Keyring, anchor: Option<&Anchor>) -> Result<Recovered> {
    let judge = |end: &End| anchor.map_or(Ok(()), |anchor| anchor.judge_end(end));
    match open_log(place, keys) {
        Ok(recovered) => Ok(recovered),
        Err(LogError::Damaged(damage)) => repair_damage(place, keys, damage, &judge),
        Err(error) => Err(error.into()),
    }
}

fn open_log(place: &VaultDir, keys: &Keyring) -> std::result::Result<Recovered, LogError> {
    let (auth, options) = (LogKeys::of(keys), place.options.tuning.log_options());
    Log::open(&place.env, &place.dir, keys.vault_id().0, auth, options)
}

/// Reads the log.
pub(super) fn log_of(place: &VaultDir, keys: &Keyring) -> Result<Recovered> {
    open_log(place, keys).map_err(Error::from)
}

/// Repairs a damaged log from whatever leads to its proven end.
pub(super) fn repair_damage(
    place: &VaultDir,
    keys: &Keyring,
    damage: Box<Damage>,
    judge: &dyn Fn(&End) -> Result<()>,
) -> Result<Recovered> {
    if let Some(end) = &damage.proven_end {
        judge(end)?;
    }
    let Some((state, end)) = state_at_end(place, keys, &damage) else {
        if !rebuild_log(place, keys, &damage.file, judge)? {
            return Err(LogError::Damaged(damage).into());
        }
        return log_of(place, keys);
    };
    let (vault, auth) = (keys.vault_id().0, LogKeys::of(keys));
    let options = place.options.tuning.log_options();
    let mut rows = |visit: &mut RowVisitor<'_>| visit_rows(state.store(), visit);
    let repaired = Log::repair(&place.env, &place.dir, vault, auth, options, end, &mut rows)?;
    let _ = state.close();
    Ok(repaired)
}

/// The state, if it equals the proven end of the damaged log (I6).
fn state_at_end(place: &VaultDir, keys: &Keyring, damage: &Damage) -> Option<(State, End)> {
    let end = damage.proven_end.clone()?;
    let in_memory = |rows| State::in_memory(rows, &place.options.tuning).ok();
    if !place.env.fs.is_real() {
        let kept = place.options.tuning.kept_state.as_ref()?.fork();
        if place.options.tuning.faults.active(Fault::RepairFromLagging) {
            let digest = sum_rows(&kept, keys).ok()?.digest(keys.digest_key(), end.lsn);
            return Some((in_memory(kept)?, End { digest, ..end }));
        }
        return equals(&kept, keys, &end)
            .then(|| in_memory(kept))
            .flatten()
            .map(|rows| (rows, end));
    }
    let store = SledStore::open_guarded(&place.env.fs, &place.dir, SledOptions::default()).ok()?;
    let is_equal = equals(&store, keys, &end);
    store.checked().ok()?;
    let state = State::to_read(store).ok()?;
    is_equal.then_some((state, end))
}
