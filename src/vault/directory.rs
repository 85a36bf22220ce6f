//! A vault's folder: its lock, its files, and everything that needs no key.
//!
//! ```text
//! LOCK                     exclusive; notes who has it
//! keystore.a keystore.b    twin: what opens the vault
//! manifest.a manifest.b    twin: snapshot, segments, end mark       } `log`
//! log/                     segments and snapshots                   }
//! state/ state.opening state.aside/                                 } `store`
//! reserve                  blocks for a full disk
//! holder.sock              where the holder answers commands; a stale one harms nobody
//! creating/                only while a vault is made
//! ```

use super::options::{Options, Tuning, unlock_keystore};
use super::ownership::{check_folder, is_inside, make_private};
use crate::crypto::{Keystore, SlotKind, Unlock, VaultId};
use crate::env::faults::Fault;
use crate::env::locked::{HeldFolder, LockedFolder, find_link};
use crate::env::real::effective_uid;
use crate::env::{self, Env, FileKind, Fs, LockMode, OpenMode, UnixMillis, refusals};
use crate::error::{Error, ErrorKind, Result};
use crate::log::{Log, LogError, Twin, TwinContent};
use crate::vault::error::keystore_decode_error;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

const LOCK: &str = "LOCK";
/// The socket of the process that holds the vault. Copies of the folder may have a stale one.
pub(crate) const HOLDER_SOCKET: &str = "holder.sock";
/// Format number of the keystore's twin frame.
const KEYSTORE_FORMAT: u32 = 1;
/// Where the vault's id stands in a keystore.
const KEYSTORE_ID_AT: usize = 12;
/// How long to wait between two tries to get the lock.
const LOCK_PAUSE: Duration = Duration::from_millis(20);
/// The longest content of LOCK that is read.
const NOTE_BYTES_MAX: usize = 512;
/// How often a folder that is exchanged while it is being locked is tried anew.
const EXCHANGES_MAX: u32 = 8;
/// What is wrong with a file system that has no locks.
const NO_LOCKS: &str =
    "the file system gives no lock (flock), and without one two processes could write at once";
/// The copies of the keystore.
pub(crate) const KEYSTORES: [&str; 2] = ["keystore.a", "keystore.b"];
/// What is locked besides the folder and LOCK, so that nobody takes its place unseen either.
const LOCKED_PARTS: [&str; 3] = [KEYSTORES[0], KEYSTORES[1], "log"];
/// The folders of a vault's folder.
const OUR_DIRS: [&str; 5] = ["log", "state", "state.aside", "creating", "damaged"];
/// The files of a vault's folder itself.
const OUR_FILES: [&str; 7] =
    [LOCK, KEYSTORES[0], KEYSTORES[1], "manifest.a", "manifest.b", "state.opening", "reserve"];

/// A vault's folder with its locks held and nothing unlocked yet. Dropping it releases the locks.
///
/// The files of `env` are bound to the folder that was locked (I11): what has its path later is not touched.
pub struct VaultDir {
    pub(crate) env: Env,
    pub(crate) dir: PathBuf,
    pub(crate) options: Options,
    pub(crate) lock: HeldFolder,
    /// Nothing can be written here: the file system is read-only.
    pub(crate) is_read_only: bool,
    /// It is of an older format, and the disk has no space to bring it over.
    pub(crate) lacks_space: bool,
}

/// The keystore's twin in `dir`.
pub(crate) fn keystore_twin(fs: &Arc<dyn Fs>, dir: &Path) -> Twin {
    Twin::new(Arc::clone(fs), dir, "keystore", Keystore::BYTES, KEYSTORE_FORMAT)
}

/// The same for a vault that exists. If its copies are of two vaults, the one that the manifest names counts
/// (TWIN-8).
fn settled_keystore_twin(fs: &Arc<dyn Fs>, dir: &Path) -> std::result::Result<Twin, LogError> {
    let twin = keystore_twin(fs, dir);
    let copies = twin.copies()?;
    let id_of = |body: &[u8]| body.get(KEYSTORE_ID_AT..)?.first_chunk::<16>().copied();
    let mut ids = copies.iter().map(|copy| id_of(&copy.body));
    let differ = matches!((ids.next(), ids.next()), (Some(a), Some(b)) if a != b);
    let named = if differ { Log::named_vault(fs, dir) } else { None };
    Ok(match named {
        Some(id) => twin.of_vault(KEYSTORE_ID_AT, id),
        None => twin,
    })
}

/// Binds and locks the folder of a fork, whose files are in memory.
#[cfg(feature = "testkit")]
pub(crate) fn lock_fork(env: &Env, dir: &Path) -> Result<(Env, HeldFolder)> {
    let io = |error| Error::io("lock", dir, error);
    let held = HeldFolder(Arc::new(LockedFolder::bind(&env.fs, dir).map_err(io)?));
    if !held.0.keep_lock(&dir.join(LOCK), LockMode::Make).map_err(io)? {
        return Err(ErrorKind::InUse { pid: None }.into());
    }
    let fs: Arc<dyn Fs> = Arc::<LockedFolder>::clone(&held.0);
    Ok((Env { fs, ..env.clone() }, held))
}

/// The environment of these options. It is the real one unless a test gave another.
pub(crate) fn env_of(options: &Options) -> Env {
    options.tuning.env.clone().unwrap_or_else(Env::real)
}

/// The id of the vault in `dir`. It takes no lock, so it works while another process holds the vault.
pub fn peek_id(dir: &Path) -> Result<VaultId> {
    let env = Env::real();
    // Modes do not matter where nothing is opened.
    find_vault(&env, dir, true)?;
    let in_vault = |error| Error::from(error).in_vault(dir);
    let twin = settled_keystore_twin(&env.fs, dir).map_err(in_vault)?;
    let content = twin.read().map_err(in_vault)?;
    Ok(Keystore::decode(&content.body).map_err(keystore_decode_error)?.vault_id())
}

/// Fails unless there is a vault in `dir` that this process may open. Writes nothing.
fn find_vault(env: &Env, dir: &Path, allow_lax_modes: bool) -> Result<()> {
    match keystore_twin(&env.fs, dir).exists() {
        Ok(false) => Err(ErrorKind::NotFound { path: dir.to_path_buf() }.into()),
        Ok(true) => check_folder(env, dir, allow_lax_modes),
        // Its owner comes before the reason of the system.
        Err(error) => {
            check_folder(env, dir, allow_lax_modes)?;
            Err(Error::io("open", dir, error))
        }
    }
}

/// Fails if `unlock` does not open the vault in `dir`. It takes no lock, as [`peek_id`].
#[cfg(feature = "cli")]
pub(crate) fn peek_unlock(dir: &Path, unlock: &Unlock) -> Result<()> {
    let env = Env::real();
    let in_vault = |error| Error::from(error).in_vault(dir);
    let twin = settled_keystore_twin(&env.fs, dir).map_err(in_vault)?;
    let content = twin.read().map_err(in_vault)?;
    let keystore = Keystore::decode(&content.body).map_err(keystore_decode_error)?;
    unlock_keystore(&Tuning::default(), &keystore, unlock).map(drop)
}

impl VaultDir {
    /// Takes the lock of the vault in `dir`, before any key is used. Fails with
    /// [`ErrorKind::NotFound`] if there is no vault, and with [`ErrorKind::InUse`] after
    /// `options.wait`.
    pub fn lock(dir: &Path, options: &Options) -> Result<Self> {
        let env = env_of(options);
        refuse_wrong_clock(&env)?;
        find_vault(&env, dir, options.allow_lax_modes)?;
        Self::take(&env, dir, options)
    }

    /// The same for a folder that may have no vault yet. The folder is made with its parents if it is
    /// missing. A folder with files that are not a vault's is refused and left as it is
    /// ([`ErrorKind::Exists`]).
    pub fn make(dir: &Path, options: &Options) -> Result<Self> {
        let env = env_of(options);
        refuse_wrong_clock(&env)?;
        let is_new = matches!(env.fs.metadata(dir), Ok(None));
        make_dirs(env.fs.as_ref(), dir).map_err(|error| Error::io("make", dir, error))?;
        let has_vault = match find_vault(&env, dir, options.allow_lax_modes) {
            Ok(()) => true,
            Err(error) if error.is_not_found() => false,
            Err(error) => return Err(error),
        };
        if !has_vault {
            // Before the modes: what is not ours keeps its own.
            refuse_foreign(env.fs.as_ref(), dir)?;
            refuse_unsuitable(&env, dir, options, is_new)?;
            check_folder(&env, dir, options.allow_lax_modes)?;
        }
        Self::take(&env, dir, options)
    }

    fn take(env: &Env, dir: &Path, options: &Options) -> Result<Self> {
        let deadline = env.clock.monotonic().saturating_add(options.wait);
        let mut exchanges = 0;
        loop {
            match Self::try_take(env, dir, options) {
                Ok(Some(held)) => return Ok(held),
                Ok(None) if env.clock.monotonic() < deadline => std::thread::sleep(LOCK_PAUSE),
                Ok(None) => {
                    let pid = read_holder(env.fs.as_ref(), &dir.join(LOCK));
                    return Err(ErrorKind::InUse { pid }.into());
                }
                // It was exchanged between the opening of the folder and its lock.
                Err(error) if error.is_displaced() && exchanges < EXCHANGES_MAX => exchanges += 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// `None`: another process has it.
    fn try_take(env: &Env, dir: &Path, options: &Options) -> Result<Option<Self>> {
        let open = |error| Error::io("open", dir, error);
        let follows_path = options.tuning.faults.active(Fault::LockFollowsPath);
        let folder = Arc::new(if follows_path {
            LockedFolder::unbound(&env.fs, dir)
        } else {
            LockedFolder::bind(&env.fs, dir).map_err(open)?
        });
        let fs: Arc<dyn Fs> = Arc::<LockedFolder>::clone(&folder);
        let (env, lock) = (Env { fs, ..env.clone() }, HeldFolder(folder));
        let (options, is_read_only, lacks_space) = (options.clone(), false, false);
        let dir = dir.to_path_buf();
        let mut place = Self { env, dir, options, lock, is_read_only, lacks_space };
        let dir = &place.dir.clone();
        let ours = [OUR_FILES.as_slice(), OUR_DIRS.as_slice()].concat();
        if let Some(path) = find_link(place.env.fs.as_ref(), dir, &ours).map_err(open)? {
            return Err(ErrorKind::Link { path }.into());
        }
        place.is_read_only = place.is_on_read_only_medium();
        if place.is_read_only {
            return Ok(place.lock_shared().then_some(place));
        }
        // Whoever has the folder gets the rest: nobody who comes too late makes a LOCK.
        let is_held =
            (follows_path || place.lock_folder() && place.lock_parts()) && place.lock_file()?;
        if !is_held {
            return Ok(None);
        }
        // Between opening and locking the folder its path may have come to name another one.
        place.env.fs.check_place().map_err(open)?;
        place.note_holder()?;
        Ok(Some(place))
    }

    /// Whether the keystore could not be written here, whoever we are.
    fn is_on_read_only_medium(&self) -> bool {
        KEYSTORES.iter().any(|name| {
            let opened = self.env.fs.open(&self.dir.join(name), OpenMode::Existing);
            opened.is_err_and(|error| refusals::is_read_only(&error))
        })
    }

    /// Locks what is there with others that only read, through descriptors for reading (MEDIA-1). `false`:
    /// another process writes, through another mount. What cannot be locked so is not there, or gives no
    /// locks.
    fn lock_shared(&self) -> bool {
        let names = LOCKED_PARTS.iter().chain([&LOCK]).map(|name| self.dir.join(name));
        let mut all = std::iter::once(self.dir.clone()).chain(names);
        all.all(|path| self.lock.0.keep_lock(&path, LockMode::Shared).unwrap_or(true))
    }

    /// Fails if nothing can be written here.
    pub(crate) fn check_writable(&self) -> Result<()> {
        if self.is_read_only {
            return Err(Error::from(ErrorKind::ReadOnly).in_vault(&self.dir));
        }
        Ok(())
    }

    /// Says where the anchor is, unless the options did. Beside a key file that is kept in the vault's folder
    /// there is none: it would go back in time together with the vault.
    #[cfg(feature = "cli")]
    pub(crate) fn anchor_if_none(&mut self, path: PathBuf) {
        if !is_inside(&self.env, &self.dir, &path) {
            self.options.anchor.get_or_insert(path);
        }
    }

    /// Locks the folder itself, which keeps others out even if LOCK is removed. `false`: another process has
    /// it. A file system that gives no lock for folders is no reason to refuse: LOCK is locked as well.
    fn lock_folder(&self) -> bool {
        self.lock.0.keep_lock(&self.dir, LockMode::Existing).unwrap_or(true)
    }

    /// The same for the log's folder and the copies of the keystore, as far as they are there. The copies are
    /// written in place, so they stay the files that were locked; what is missing is locked by another call,
    /// once it is there.
    pub(crate) fn lock_parts(&self) -> bool {
        LOCKED_PARTS.iter().map(|name| self.dir.join(name)).all(|path| {
            let is_there = || matches!(self.env.fs.metadata(&path), Ok(Some(_)));
            self.lock.0.has_lock(&path)
                || !is_there()
                || self.lock.0.keep_lock(&path, LockMode::Existing).unwrap_or(true)
        })
    }

    fn lock_file(&self) -> Result<bool> {
        let path = self.dir.join(LOCK);
        self.lock.0.keep_lock(&path, LockMode::Make).map_err(|error| match error.kind() {
            io::ErrorKind::Unsupported => ErrorKind::Unsuitable { path, what: NO_LOCKS }.into(),
            _ => Error::io("lock", path, error),
        })
    }

    /// Notes in LOCK who has it.
    fn note_holder(&self) -> Result<()> {
        let note = format!("{}\n{}\n", env::process_id(), env::process_space());
        let path = self.dir.join(LOCK);
        let noted = self.lock.0.write_note(&path, note.as_bytes());
        noted.map_err(|error| Error::io("write", path, error)).or_else(|error| {
            // The note is only a courtesy. A full disk must not prevent reading.
            if *error.kind() == ErrorKind::NoSpace { Ok(()) } else { Err(error) }
        })
    }

    /// Whether a finished vault is here.
    #[must_use]
    pub fn has_vault(&self) -> bool {
        keystore_twin(&self.env.fs, &self.dir).exists().unwrap_or(true)
    }

    /// The keystore, decoded and checked as far as possible without a key.
    pub(crate) fn keystore(&self) -> Result<(Twin, TwinContent, Keystore)> {
        self.read_keystore().map_err(|error| error.in_vault(&self.dir))
    }

    fn read_keystore(&self) -> Result<(Twin, TwinContent, Keystore)> {
        if !self.has_vault() {
            return Err(ErrorKind::NotFound { path: self.dir.clone() }.into());
        }
        let twin = settled_keystore_twin(&self.env.fs, &self.dir)?;
        let content = twin.read()?;
        let keystore = Keystore::decode(&content.body).map_err(keystore_decode_error)?;
        if keystore.generation() != content.generation {
            return Err(ErrorKind::Damaged {
                file: "keystore".to_owned(),
                offset: 0,
                rule: "TWIN-6",
            }
            .into());
        }
        Ok((twin, content, keystore))
    }

    /// The vault's id. It is not authenticated before the vault is opened.
    pub fn vault_id(&self) -> Result<VaultId> {
        self.keystore().map(|(_, _, keystore)| keystore.vault_id())
    }

    /// The kinds of the vault's key slots, readable without a key.
    pub fn slots(&self) -> Result<Vec<SlotKind>> {
        self.keystore().map(|(_, _, keystore)| keystore.slots())
    }
}

/// Refuses a clock before 1970. Dates would be wrong, and sled panics.
fn refuse_wrong_clock(env: &Env) -> Result<()> {
    if env.clock.wall() < UnixMillis(0) { Err(ErrorKind::ClockBefore1970.into()) } else { Ok(()) }
}

/// The process id that LOCK names. `None` if it is of another machine or container: here it would name a
/// process that has nothing to do with the vault.
fn read_holder(fs: &dyn Fs, path: &Path) -> Option<u32> {
    let file = fs.open(path, OpenMode::Read).ok()?;
    let mut text = [0; NOTE_BYTES_MAX];
    let read = file.read_at(&mut text, 0).ok()?;
    let mut lines = std::str::from_utf8(text.get(..read)?).ok()?.lines();
    let pid = lines.next()?.trim().parse().ok()?;
    // Earlier versions noted the process id alone.
    lines.next().is_none_or(|space| space == env::process_space()).then_some(pid)
}

/// Makes `dir` and its missing parents. Each is durable under its name.
fn make_dirs(fs: &dyn Fs, dir: &Path) -> std::io::Result<()> {
    if fs.metadata(dir)?.is_some_and(|metadata| metadata.kind == FileKind::Dir) {
        return Ok(());
    }
    // A parent may be a link to a folder, and `metadata` does not follow links.
    let parent = env::parent(dir);
    if parent.as_path() != dir && fs.read_dir(&parent).is_err() {
        make_dirs(fs, &parent)?;
    }
    match fs.create_dir(dir) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    fs.sync_dir(&parent)
}

/// Refuses the folder of a new vault if others could reach it there. A folder that we have just made goes
/// again.
fn refuse_unsuitable(env: &Env, dir: &Path, options: &Options, is_new: bool) -> Result<()> {
    let found = env.fs.metadata(&dir.join(".")).map_err(|error| Error::io("stat", dir, error))?;
    if found.is_some_and(|found| found.uid != effective_uid()) {
        // Its owner is told next.
        return Ok(());
    }
    let made = make_private(env, dir, options.allow_lax_modes);
    if made.is_err() && is_new {
        let _what_was_found_counts = env.fs.remove_dir_all(dir);
    }
    made
}

/// Refuses a folder with anything that an unfinished creation cannot have left. Anyone may use names such
/// as `log` and `state`, so the content of these folders is checked too.
pub(crate) fn refuse_foreign(fs: &dyn Fs, dir: &Path) -> Result<()> {
    let is_ours = || -> std::io::Result<bool> {
        for entry in fs.read_dir(dir)? {
            let below = dir.join(&entry.name);
            let ours = match (entry.name.as_str(), entry.kind) {
                ("log", FileKind::Dir) => holds_only(fs, &below, is_log_name)?,
                ("creating", FileKind::Dir) => holds_only(fs, &below, is_keystore_name)?,
                ("state" | "state.aside", FileKind::Dir) => holds_only(fs, &below, is_state_name)?,
                ("lost+found", FileKind::Dir) | (HOLDER_SOCKET, FileKind::Other) => true,
                (name, FileKind::File) => OUR_FILES.contains(&name),
                _ => false,
            };
            if !ours {
                return Ok(false);
            }
        }
        Ok(true)
    };
    match is_ours() {
        Ok(true) => Ok(()),
        Ok(false) => Err(ErrorKind::Exists { path: dir.to_path_buf() }.into()),
        Err(error) => Err(Error::io("list", dir, error)),
    }
}

fn holds_only(fs: &dyn Fs, dir: &Path, is_ours: fn(&str) -> bool) -> std::io::Result<bool> {
    Ok(fs.read_dir(dir)?.iter().all(|entry| is_ours(&entry.name)))
}

fn is_keystore_name(name: &str) -> bool {
    KEYSTORES.contains(&name)
}

/// `0000000007.wal` and the like.
fn is_log_name(name: &str) -> bool {
    let name = name.strip_suffix(".damaged").unwrap_or(name);
    name.split_once('.').is_some_and(|(number, extension)| {
        number.len() >= 10
            && number.bytes().all(|byte| byte.is_ascii_digit())
            && matches!(extension, "wal" | "snap" | "prep")
    })
}

/// The files that sled makes.
fn is_state_name(name: &str) -> bool {
    matches!(name, "db" | "conf" | "blobs") || name.starts_with("snap.")
}
