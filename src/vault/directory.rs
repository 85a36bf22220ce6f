//! A vault's folder: its lock, its files, and everything that needs no key.
//!
//! ```text
//! LOCK                     exclusive; holds the holder's pid
//! keystore.a keystore.b    twin: what opens the vault
//! manifest.a manifest.b    twin: snapshot, segments, end mark       } `log`
//! log/                     segments and snapshots                   }
//! state/ state.opening state.aside/                                 } `store`
//! reserve                  blocks for a full disk
//! holder.sock              where the holder answers commands; a stale one harms nobody
//! creating/                only while a vault is made
//! ```

use super::options::Options;
use super::ownership::{check_folder, make_private};
use crate::crypto::{Keystore, SlotKind, Unlock, VaultId};
use crate::env::real::effective_uid;
use crate::env::{self, Env, FileKind, Fs, LockGuard, OpenMode, UnixMillis};
use crate::error::{Error, ErrorKind, Result};
use crate::log::{Log, LogError, Twin, TwinContent};
use crate::vault::error::{keystore_decode_error, keystore_error};
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
/// The longest content of LOCK that is read as a pid.
const PID_BYTES_MAX: usize = 16;
/// The files of a vault's folder itself.
const OUR_FILES: [&str; 7] =
    [LOCK, "keystore.a", "keystore.b", "manifest.a", "manifest.b", "state.opening", "reserve"];

/// A vault's folder with its lock held and nothing unlocked yet. Dropping it releases the lock.
pub struct VaultDir {
    pub(crate) env: Env,
    pub(crate) dir: PathBuf,
    pub(crate) options: Options,
    pub(crate) lock: Box<dyn LockGuard>,
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

/// The file that is locked.
#[cfg(feature = "testkit")]
pub(crate) fn lock_path(dir: &Path) -> PathBuf {
    dir.join(LOCK)
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
    keystore.unlock(unlock).map(drop).map_err(keystore_error)
}

impl VaultDir {
    /// Takes the lock of the vault in `dir`, before any key is used. Fails with
    /// [`ErrorKind::NotFound`] if there is no vault, and with [`ErrorKind::InUse`] after
    /// `options.wait`.
    pub fn lock(dir: &Path, options: &Options) -> Result<Self> {
        let env = env_of(options);
        refuse_wrong_clock(&env)?;
        find_vault(&env, dir, options.allow_lax_modes)?;
        Self::take(env, dir, options)
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
        Self::take(env, dir, options)
    }

    fn take(env: Env, dir: &Path, options: &Options) -> Result<Self> {
        let path = dir.join(LOCK);
        let deadline = env.clock.monotonic().saturating_add(options.wait);
        loop {
            match env.fs.try_lock(&path).map_err(|error| Error::io("lock", &path, error))? {
                Some(lock) => {
                    let held = Self { env, dir: dir.to_path_buf(), options: options.clone(), lock };
                    held.write_pid().map_err(|error| Error::io("write", &path, error)).or_else(
                        |error| {
                            // The pid is only a courtesy. A full disk must not prevent reading.
                            if *error.kind() == ErrorKind::NoSpace { Ok(()) } else { Err(error) }
                        },
                    )?;
                    return Ok(held);
                }
                None if env.clock.monotonic() < deadline => std::thread::sleep(LOCK_PAUSE),
                None => {
                    return Err(ErrorKind::InUse { pid: read_pid(env.fs.as_ref(), &path) }.into());
                }
            }
        }
    }

    fn write_pid(&self) -> std::io::Result<()> {
        let file = self.lock.file();
        file.set_len(0)?;
        file.write_all_at(format!("{}\n", env::process_id()).as_bytes(), 0)
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

fn read_pid(fs: &dyn Fs, path: &Path) -> Option<u32> {
    let file = fs.open(path, OpenMode::Read).ok()?;
    let mut text = [0; PID_BYTES_MAX];
    let read = file.read_at(&mut text, 0).ok()?;
    std::str::from_utf8(text.get(..read)?).ok()?.trim().parse().ok()
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
    matches!(name, "keystore.a" | "keystore.b")
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
