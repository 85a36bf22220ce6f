//! Opening: from a locked folder and a key to a vault that serves.
//!
//! 1. Keystore: the winner of the twin, unlocked; its copies made equal.
//! 2. Log: read, compared with the manifest; damage that is proven harmless by a whole state is
//!    healed, the rest refused. A keystore older than the last frame's is a rollback: refused.
//! 3. The last accepted frame is written again and synced (I5): the page cache is not believed.
//! 4. State: compared, caught up or rebuilt.
//! 5. Threads.

use crate::crypto::{Keyring, Keystore, Unlock};
use crate::env::age::AgeClock;
use crate::env::faults::Fault;
use crate::env::threads::sync::Arc;
use crate::error::{Error, ErrorKind, Result};
use crate::log::{Damage, End, Log, LogError, Recovered, RowVisitor, Twin, TwinContent};
use crate::model::Tree;
use crate::store::{SledOptions, SledStore, Store};
use crate::vault::caller::Caller;
use crate::vault::commit::driver::Driver;
use crate::vault::commit::pipeline::Pipeline;
use crate::vault::directory::{VaultDir, refuse_lax};
use crate::vault::error::keystore_error;
use crate::vault::log_keys::{LogKeys, age_note};
use crate::vault::maintenance::key_rotation::KeystoreFile;
use crate::vault::maintenance::pass::{Bells, Keeper};
use crate::vault::rotation::engine::Engine;
use crate::vault::runtime::shared::Shared;
use crate::vault::state::opener::{Opened, State, StateOpener, sum_rows};
use crate::vault::{Inner, Options, Owner, Vault};

/// A keystore with its keys.
pub(crate) struct Unlocked {
    pub(crate) twin: Twin,
    pub(crate) content: TwinContent,
    pub(crate) keystore: Keystore,
    pub(crate) keys: Keyring,
}

/// Opens the vault of a locked folder.
pub(crate) fn open(place: VaultDir, unlock: &Unlock) -> Result<Vault> {
    refuse_lax(&place.env, &place.dir)?;
    let (twin, content, keystore) = place.keystore()?;
    if let Some(unlocked) = unlock_other_copy(&place, &keystore, unlock) {
        return finish(place, unlocked);
    }
    let keys = keystore.unlock(unlock).map_err(keystore_error)?;
    finish(place, Unlocked { twin, content, keystore, keys })
}

/// A broken promise: a key that does not fit is tried on the copy that lost, too.
fn unlock_other_copy(place: &VaultDir, winner: &Keystore, unlock: &Unlock) -> Option<Unlocked> {
    let is_wanted = place.options.tuning.faults.active(Fault::SecondCopyForWrongKey);
    if !is_wanted || winner.unlock(unlock).is_ok() {
        return None;
    }
    let twin = crate::vault::directory::keystore_twin(&place.env.fs, &place.dir);
    let content = twin.read_loser()?;
    let keystore = Keystore::decode(&content.body).ok()?;
    let keys = keystore.unlock(unlock).ok()?;
    Some(Unlocked { twin, content, keystore, keys })
}

/// The rest, once the keys are there.
pub(crate) fn finish(place: VaultDir, unlocked: Unlocked) -> Result<Vault> {
    let Unlocked { twin, content, keystore, keys } = unlocked;
    let tuning = place.options.tuning.clone();
    let mut truth = recover(&place, &keys)?;
    refuse_rollback(&truth, &keystore)?;
    if content.needs_repair {
        twin.repair(&content)?;
    }
    truth.settle()?;
    let opener = StateOpener::of(&place, &tuning, &keys);
    let current = match opener.open(&truth) {
        Err(error) if is_snapshot_damage(&error) => {
            // The snapshot before, with its segments, may still be there (I6).
            truth = truth.fall_back()?;
            truth.settle()?;
            opener.open(&truth)?
        }
        outcome => outcome?,
    };
    let clock = &place.env.clock;
    let age = AgeClock::from_note(age_note(truth.end().clock), clock.wall(), clock.monotonic());
    let log = truth.start()?;
    serve(place, (KeystoreFile { twin, keystore }, keys), log, current, age)
}

/// The last step of opening and of making: the vault that serves what has been brought together.
pub(crate) fn serve(
    place: VaultDir,
    (keystore, keys): (KeystoreFile, Keyring),
    log: Log,
    Opened { state, sum }: Opened,
    age: AgeClock,
) -> Result<Vault> {
    let VaultDir { env, dir, lock, options } = place;
    let Options { tuning, rotation, .. } = options;
    let background = tuning.background;
    let bells = Bells::default();
    let calls = (bells.passes.0.clone(), bells.segments.0.clone());
    let shared =
        Arc::new(Shared::new(env, dir, Arc::new(keys), state, (tuning, rotation), calls, lock));
    let pipeline = Pipeline::new(Arc::clone(&shared), log, sum, age);
    let driver = if background { Driver::spawn(pipeline)? } else { Driver::inline(pipeline) };
    let inner = Arc::new(Inner::new(shared, driver, keystore));
    let owner = Arc::new(Owner(Arc::clone(&inner)));
    if background {
        let keeper = Keeper::spawn(&inner, bells)?;
        // Nobody else has the cells yet.
        let _ = inner.keeper.set(keeper);
        let _ = inner.engine.set(Engine::spawn(&inner)?);
    }
    Ok(Vault { inner, caller: Caller::default(), _owner: owner })
}

/// Frames name the keystore that they were sealed under: an older one was put back.
pub(crate) fn refuse_rollback(truth: &Recovered, keystore: &Keystore) -> Result<()> {
    if truth.end().keystore_generation > keystore.generation() {
        return Err(
            ErrorKind::Damaged { file: "keystore".to_owned(), offset: 0, rule: "TWIN-7" }.into()
        );
    }
    Ok(())
}

/// Whether a snapshot does not read back, which the one before it may stand in for.
pub(crate) fn is_snapshot_damage(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Damaged { rule, .. } if rule.starts_with("SNAP-"))
}

/// Reads the log; heals it from a state that provably equals what was lost, or from what else leads
/// to the end that is proven: an older state and the frames after it, say.
fn recover(place: &VaultDir, keys: &Keyring) -> Result<Recovered> {
    let auth = LogKeys::of(keys);
    let options = place.options.tuning.log_options();
    let vault = keys.vault_id().0;
    match Log::open(&place.env, &place.dir, vault, Arc::clone(&auth), options.clone()) {
        Ok(truth) => Ok(truth),
        Err(LogError::Damaged(damage)) => {
            let Some((state, end)) = healing_state(place, keys, &damage) else {
                if !crate::vault::repair::steps::rebuild_log(place, keys, &damage.file)? {
                    return Err(LogError::Damaged(damage).into());
                }
                return Log::open(&place.env, &place.dir, vault, auth, options)
                    .map_err(Error::from);
            };
            let mut rows = |visit: &mut RowVisitor<'_>| visit_rows(state.store(), visit);
            let healed = Log::heal(&place.env, &place.dir, vault, auth, options, end, &mut rows)?;
            let _ = state.close();
            Ok(healed)
        }
        Err(error) => Err(error.into()),
    }
}

/// Hands every row of a store to `visit`.
pub(crate) fn visit_rows(
    store: &dyn Store,
    visit: &mut RowVisitor<'_>,
) -> std::result::Result<(), LogError> {
    for tree in Tree::ALL {
        let mut outcome = Ok(());
        let scanned = store.scan(tree, &mut |key, value| {
            if outcome.is_ok() {
                outcome = visit(tree, key, value);
            }
        });
        outcome?;
        scanned.map_err(|_| LogError::Stopped)?;
    }
    Ok(())
}

/// The state, if it is exactly what the damaged log provably ended with (I6).
fn healing_state(place: &VaultDir, keys: &Keyring, damage: &Damage) -> Option<(State, End)> {
    let end = damage.proven_end.clone()?;
    if !place.env.fs.is_real() {
        let kept = place.options.tuning.kept_state.as_ref()?.fork();
        if place.options.tuning.faults.active(Fault::RepairFromLagging) {
            let digest = sum_rows(&kept, keys).ok()?.digest(keys.digest_key(), end.lsn);
            return Some((State::Memory(kept), End { digest, ..end }));
        }
        return equals(&kept, keys, &end).then_some((State::Memory(kept), end));
    }
    let store = SledStore::open_guarded(&place.env.fs, &place.dir, SledOptions::default()).ok()?;
    let equal = equals(&store, keys, &end);
    store.checked().ok()?;
    equal.then_some((State::Sled(store), end))
}

/// Whether a store holds exactly the rows that the log ends with, by recomputed sum.
pub(crate) fn equals(store: &dyn Store, keys: &Keyring, end: &End) -> bool {
    store.applied().is_ok_and(|lsn| lsn == end.lsn)
        && sum_rows(store, keys)
            .is_ok_and(|sum| sum.digest(keys.digest_key(), end.lsn) == end.digest)
        && has_all_chunks(store, keys)
}

/// Chunks are not in the digest: each value's must all be there before it may become the truth.
pub(crate) fn has_all_chunks(store: &dyn Store, keys: &Keyring) -> bool {
    let marks = crate::vault::view::access_marks::Marks::default();
    let view = crate::vault::view::row_view::RowView::new(&store, keys, &marks, None);
    let mut whole = true;
    let scanned = store.scan(Tree::Versions, &mut |key, row| {
        whole = whole && view.version_opens(key, row);
    });
    whole && scanned.is_ok()
}
