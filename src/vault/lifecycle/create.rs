//! Makes a vault in its place. A power cut at any point leaves a whole vault with its key, or none
//! (`docs/FORMAT.md`, creation).
//!
//! The order is: LOCK, the key (made durable by the caller), the log with an empty snapshot, and the
//! keystore, renamed into place when it is whole. A folder without keystore that holds only our own names
//! is made anew. If its log holds frames it is refused, because its keystore was lost and not just
//! unfinished.

use super::serve::Parts;
use crate::crypto::{Keystore, SetSum, Unlock, VaultId, key_file};
use crate::env::age::AgeClock;
use crate::env::{Env, Fs, OpenMode, read_exact_at};
use crate::error::{Error, ErrorKind, Result};
use crate::log::Log;
use crate::vault::anchor::Anchor;
use crate::vault::directory::{KEYSTORES, VaultDir, env_of, keystore_twin, refuse_foreign};
use crate::vault::error::keystore_error;
use crate::vault::handle::Vault;
use crate::vault::log_keys::{LogKeys, clock_note};
use crate::vault::maintenance::maintainer::KeystoreFile;
use crate::vault::options::{Options, kdf_params};
use crate::vault::ownership::is_inside;
use crate::vault::rotation_functions::RotationFunctions;
use crate::vault::state::opener::{Opened, StateOpener};
use std::borrow::Borrow;
use std::io;
use std::path::{Path, PathBuf};

/// What an unfinished creation may have left, in the order of removal.
const LEFTOVER_FILES: [&str; 6] =
    ["manifest.a", "manifest.b", "reserve", "state.opening", KEYSTORES[0], KEYSTORES[1]];
const LEFTOVER_DIRS: [&str; 4] = ["log", "state", "state.aside", "creating"];
/// The empty snapshot of a new vault. Any later one holds rows.
const FIRST_SNAPSHOT: &str = "0000000000.snap";
/// How much of a file is read to see whether it was ever written to.
const PROBE_BYTES: usize = 64 * 1024;

impl Vault {
    /// A vault in memory with random keys, gone when dropped. It has the code, cryptography and log of one on
    /// disk, with its files in memory.
    pub fn in_memory() -> Result<Self> {
        Self::in_memory_with_rotation(RotationFunctions::default())
    }

    /// The same with functions that rotate its secrets.
    pub fn in_memory_with_rotation(rotation: RotationFunctions) -> Result<Self> {
        Self::in_memory_for(Options { rotation, ..Options::default() })
    }

    /// The same with other options.
    pub(crate) fn in_memory_for(mut options: Options) -> Result<Self> {
        options.tuning.env = Some(Env::in_memory());
        options.tuning.segment_bytes_max = 1024 * 1024;
        options.tuning.reserve_bytes = 0; // no disk that could be full
        Self::in_memory_with(&options)
    }

    /// The same with what tests turn.
    #[doc(hidden)]
    pub fn in_memory_with(options: &Options) -> Result<Self> {
        VaultDir::make(Path::new("/vault"), options)?.create(|id| random_unlock(id, options))
    }
}

impl VaultDir {
    /// Makes a vault here. `make_key` gets the id of the new vault and returns its key, after making the
    /// key durable (a key file synced with its folders). The vault is finished after that, so that a power
    /// cut never leaves a vault whose key is lost.
    pub fn create<K: Borrow<Unlock>>(
        self,
        make_key: impl FnOnce(VaultId) -> Result<K>,
    ) -> Result<Vault> {
        self.create_with(|id, _| make_key(id))
    }

    /// The same, where `make_key` also says where the anchor is.
    pub(crate) fn create_with<K: Borrow<Unlock>>(
        self,
        make_key: impl FnOnce(VaultId, &mut Option<PathBuf>) -> Result<K>,
    ) -> Result<Vault> {
        let dir = self.dir.clone();
        self.try_create(make_key).map_err(|error| error.in_vault(&dir))
    }

    fn try_create<K: Borrow<Unlock>>(
        mut self,
        make_key: impl FnOnce(VaultId, &mut Option<PathBuf>) -> Result<K>,
    ) -> Result<Vault> {
        let (env, dir) = (self.env.clone(), self.dir.clone());
        if self.has_vault() {
            return Err(ErrorKind::Exists { path: dir }.into());
        }
        let fs = env.fs.as_ref();
        // Checked again under the lock, because leftovers are removed below.
        refuse_foreign(fs, &dir)?;
        refuse_orphans(fs, &dir)?;
        remove_leftovers(fs, &dir).map_err(|error| Error::io("make", &dir, error))?;

        let id = VaultId::generate(env.entropy.as_ref()).map_err(keystore_error)?;
        let was_named = self.options.anchor.is_some();
        let unlock = make_key(id, &mut self.options.anchor)?;
        if !was_named {
            // Beside a key file that is kept in the vault's folder there is no anchor.
            self.options.anchor.take_if(|path| is_inside(&env, &dir, path));
        }
        let params = kdf_params(&self.options.tuning, unlock.borrow())?;
        let (keystore, keys) = Keystore::create(id, unlock.borrow(), params, env.entropy.as_ref())
            .map_err(keystore_error)?;
        // What may be refused comes before the vault is there.
        let anchor = Anchor::find(&env, &dir, &self.options, &keys)?;

        let mut age = AgeClock::fresh(env.clock.wall(), env.clock.monotonic());
        age.now(env.clock.wall(), env.clock.monotonic());
        let log_options = self.options.tuning.log_options();
        let note = clock_note(age.note());
        let log = Log::create(
            &env,
            &dir,
            id.0,
            LogKeys::of(&keys),
            log_options,
            keystore.generation(),
            note,
        );
        let log = log?;

        install_keystore(&self, &keystore)?;
        if !self.lock_parts() {
            return Err(ErrorKind::InUse { pid: None }.into());
        }
        let keystore = KeystoreFile { twin: keystore_twin(&env.fs, &dir), keystore };
        // Every sync succeeded in this process, so nothing has to be read back: an open would find the same
        // log.
        let state = StateOpener::of(&self, &self.options.tuning, &keys).fresh()?;
        let opened = Opened { state, sum: SetSum::empty() };
        let has_lost_its_state = false;
        let parts =
            Parts { place: self, keystore, keys, log, opened, age, anchor, has_lost_its_state };
        let vault = parts.serve()?;
        // At once, because the disk may be full before the first pass of maintenance. A disk without space
        // for it is not an error.
        let _ = vault.inner.shared.space.refill_reserve();
        Ok(vault)
    }
}

/// Writes both copies of the keystore beside their places and then renames them, so that each appears whole.
fn install_keystore(place: &VaultDir, keystore: &Keystore) -> Result<()> {
    let (fs, dir) = (&place.env.fs, &place.dir);
    let creating = dir.join("creating");
    let io = |error| Error::io("write", &creating, error);
    fs.create_dir(&creating).map_err(io)?;
    keystore_twin(fs, &creating).create(keystore.generation(), &keystore.encode())?;
    for name in KEYSTORES {
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

/// Refuses a folder with a state, or with a log that was written to: it belongs to a vault that has lost its
/// keystore. An unfinished creation leaves an empty snapshot, an empty segment and no state.
fn refuse_orphans(fs: &dyn Fs, dir: &Path) -> Result<()> {
    let log = dir.join("log");
    let io = |error| Error::io("read", &log, error);
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

/// A random key for a vault in memory. No one ever needs it again.
fn random_unlock(id: VaultId, options: &Options) -> Result<Unlock> {
    let env = env_of(options);
    key_file::generate(id, env.entropy.as_ref()).map(Unlock::KeyFile).map_err(keystore_error)
}
