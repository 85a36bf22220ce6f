//! Making a vault, in place, so that a power cut at any point leaves either none or a whole one
//! with its key (`docs/FORMAT.md`, creation).
//!
//! LOCK; the key made durable by the caller; log with an empty snapshot; reserve; and last the
//! keystore, renamed into place when whole. A folder without keystore that holds only our own names
//! is made again; one whose log holds frames is not: its keystore was lost, not unfinished.

use super::open::serve;
use crate::crypto::{Keystore, SetSum, Unlock, VaultId, key_file};
use crate::env::age::AgeClock;
use crate::env::{Fs, OpenMode, read_exact_at};
use crate::error::{Error, ErrorKind, Result};
use crate::log::Log;
use crate::vault::directory::{VaultDir, keystore_twin, refuse_foreign};
use crate::vault::error::keystore_error;
use crate::vault::log_keys::{LogKeys, clock_note};
use crate::vault::maintenance::key_rotation::KeystoreFile;
use crate::vault::options::kdf_params;
use crate::vault::state::opener::{Opened, StateOpener};
use crate::vault::{Options, Vault};
use std::borrow::Borrow;
use std::io;
use std::path::Path;

/// What an unfinished creation may have left, in the order of removal.
const LEFTOVER_FILES: [&str; 6] =
    ["manifest.a", "manifest.b", "reserve", "state.opening", "keystore.a", "keystore.b"];
const LEFTOVER_DIRS: [&str; 4] = ["log", "state", "state.aside", "creating"];
/// The snapshot of a new vault, which is empty. Any later one holds what was written.
const FIRST_SNAPSHOT: &str = "0000000000.snap";
/// Most that is read of a file to see whether it was ever written to.
const PROBE_BYTES: usize = 64 * 1024;

/// Makes a vault in a locked folder.
pub(crate) fn create<K: Borrow<Unlock>>(
    place: VaultDir,
    make_key: impl FnOnce(VaultId) -> Result<K>,
) -> Result<Vault> {
    let (env, dir) = (place.env.clone(), place.dir.clone());
    if place.has_vault() {
        return Err(ErrorKind::Exists { path: dir }.into());
    }
    let fs = env.fs.as_ref();
    // Once more under the lock: nothing below is removed that is not ours.
    refuse_foreign(fs, &dir)?;
    refuse_orphans(fs, &dir)?;
    let io = |error| Error::io("make the vault", error);
    // The folder itself where `dir` is a link to it.
    fs.set_mode(&dir.join("."), 0o700).map_err(io)?;
    remove_leftovers(fs, &dir).map_err(io)?;

    let id = VaultId::generate(env.entropy.as_ref()).map_err(keystore_error)?;
    let unlock = make_key(id)?;
    let params = kdf_params(&place.options.tuning);
    let (keystore, keys) = Keystore::create(id, unlock.borrow(), params, env.entropy.as_ref())
        .map_err(keystore_error)?;

    let mut age = AgeClock::fresh(env.clock.wall(), env.clock.monotonic());
    age.now(env.clock.wall(), env.clock.monotonic());
    let log_options = place.options.tuning.log_options();
    let note = clock_note(age.note());
    let log =
        Log::create(&env, &dir, id.0, LogKeys::of(&keys), log_options, keystore.generation(), note);
    let log = log?;

    install_keystore(&place, &keystore)?;
    let keystore = KeystoreFile { twin: keystore_twin(&env.fs, &dir), keystore };
    // Every sync has said yes to this process, so nothing has to be read back or settled: what is
    // known of the log is what an open would find.
    let state = StateOpener::of(&place, &place.options.tuning, &keys).fresh()?;
    let opened = Opened { state, sum: SetSum::empty() };
    let vault = serve(place, (keystore, keys), log, opened, age)?;
    // From the first day: the disk may be full before the keeper has looked around. One without room
    // for it is not an error.
    let _ = crate::vault::runtime::reserve::refill(&vault.inner.shared);
    Ok(vault)
}

/// Both copies of the keystore become visible whole: written beside, then renamed.
fn install_keystore(place: &VaultDir, keystore: &Keystore) -> Result<()> {
    let (fs, dir) = (&place.env.fs, &place.dir);
    let io = |error| Error::io("install the keystore", error);
    let creating = dir.join("creating");
    fs.create_dir(&creating).map_err(io)?;
    keystore_twin(fs, &creating).create(keystore.generation(), &keystore.encode())?;
    for name in ["keystore.a", "keystore.b"] {
        fs.rename(&creating.join(name), &dir.join(name)).map_err(io)?;
    }
    fs.remove_dir_all(&creating).map_err(io)?;
    fs.sync_dir(dir).map_err(io)?;
    fs.sync_dir(&crate::env::parent(dir)).map_err(io)
}

fn remove_leftovers(fs: &dyn Fs, dir: &Path) -> io::Result<()> {
    for name in LEFTOVER_FILES {
        match fs.remove_file(&dir.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    for name in LEFTOVER_DIRS {
        if fs.metadata(&dir.join(name))?.is_some() {
            fs.remove_dir_all(&dir.join(name))?;
        }
    }
    fs.sync_dir(dir)
}

/// A state, or a log that was written to, belongs to a vault, whatever became of its keystore: an
/// unfinished creation leaves an empty snapshot, an empty segment and no state.
fn refuse_orphans(fs: &dyn Fs, dir: &Path) -> Result<()> {
    let log = dir.join("log");
    let io = |error| Error::io("look for frames", error);
    let orphaned =
        || ErrorKind::Damaged { file: "keystore.a".to_owned(), offset: 0, rule: "TWIN-1" };
    if fs.metadata(&dir.join("state")).map_err(io)?.is_some() {
        return Err(orphaned().into());
    }
    if fs.metadata(&log).map_err(io)?.is_none() {
        return Ok(());
    }
    let entries = fs.read_dir(&log).map_err(io)?;
    let has_extension = |name: &str, wanted| name.split('.').nth(1) == Some(wanted);
    let segments = entries.iter().filter(|entry| has_extension(&entry.name, "wal"));
    let is_later = |name: &str| has_extension(name, "snap") && name != FIRST_SNAPSHOT;
    let mut used = entries.iter().any(|entry| is_later(&entry.name));
    for segment in segments {
        let file = fs.open(&log.join(&segment.name), OpenMode::Read).map_err(io)?;
        let first_frame = Log::FIRST_FRAME_OFFSET;
        let len = file.len().map_err(io)?.saturating_sub(first_frame).min(PROBE_BYTES as u64);
        let probe = read_exact_at(file.as_ref(), usize::try_from(len).unwrap_or(0), first_frame)
            .map_err(io)?;
        used |= probe.iter().any(|byte| *byte != 0);
    }
    if used { Err(orphaned().into()) } else { Ok(()) }
}

/// A key that nobody will ever need again: a vault's in memory.
pub(crate) fn random_unlock(id: VaultId, options: &Options) -> Result<Unlock> {
    let env = crate::vault::directory::env_of(options);
    key_file::generate(id, env.entropy.as_ref()).map(Unlock::KeyFile).map_err(keystore_error)
}
