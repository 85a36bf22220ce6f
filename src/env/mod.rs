//! Access to time, randomness and files. No other module has it (invariant I9).
//!
//! [`Env`] bundles a [`Clock`], an [`Entropy`] and an [`Fs`]. `real` talks to the operating system;
//! `memory` keeps files until the process ends. Clippy's disallowed lists keep `std::fs`, `SystemTime`
//! and random generators out of every other module. (sled does its own I/O: it holds only the rebuildable
//! state.)

pub mod age;
pub(crate) mod calendar;
#[doc(hidden)]
pub mod faults;
pub mod locked;
pub mod memory;
pub(crate) mod private_file;
mod read_ahead;
pub mod real;
pub(crate) mod refusals;
// The hostile disk, for unit tests: it belongs to the harnesses, not to the crate.
#[cfg(test)]
#[allow(unreachable_pub, dead_code, unused_imports)] // the harnesses use the rest
#[path = "../../fuzz/bodies/src/env/sim/mod.rs"]
pub(crate) mod sim;
pub(crate) mod threads;

pub use read_ahead::ReadAhead;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Milliseconds since 1970-01-01T00:00:00Z; negative before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct UnixMillis(pub i64);

impl UnixMillis {
    /// Later by `millis`, at most the end of time.
    #[must_use]
    pub fn plus(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// The start of its second.
    #[must_use]
    pub fn whole_seconds(self) -> Self {
        Self(self.0.div_euclid(1000).saturating_mul(1000))
    }

    /// Milliseconds from `earlier` to `self`; negative if `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// Two readings of time. Neither is trusted for order: that is the LSN's.
pub trait Clock: Send + Sync {
    /// The wall clock: may jump either way.
    fn wall(&self) -> UnixMillis;
    /// Time since some fixed moment of this process: never jumps, never runs back.
    fn monotonic(&self) -> Duration;
}

/// The source of keys, nonces, ids and suffixes.
pub trait Entropy: Send + Sync {
    /// Fills `buffer` with random bytes.
    fn fill(&self, buffer: &mut [u8]) -> io::Result<()>;
}

/// What a directory entry is. Symbolic links are never followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A regular file.
    File,
    /// A directory.
    Dir,
    /// A symbolic link, FIFO, socket or device: never ours.
    Other,
}

/// Facts about a path, the last component not followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// What it is.
    pub kind: FileKind,
    /// Length in bytes.
    pub len: u64,
    /// Permission bits (0o7777).
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Identity of the file on this machine: device, inode.
    pub identity: (u64, u64),
    /// Names of a file; 0 once the last one is removed. (A few file systems never count them.)
    pub links: u64,
}

/// One name in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirEntry {
    /// The last component. Names that are not UTF-8 are given lossily (they are never ours).
    pub name: String,
    /// What it is.
    pub kind: FileKind,
}

/// How a file is opened. All are opened for reading and writing, close-on-exec, no link followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenMode {
    /// Must exist; reading only.
    Read,
    /// Must exist.
    Existing,
    /// Must not exist; made with mode 0600 whatever the umask.
    CreateNew,
    /// Opened, or made with mode 0600 whatever the umask.
    Create,
}

/// How a lock is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockMode {
    /// Exclusive. A missing file is made.
    Make,
    /// Exclusive, of what is there.
    Existing,
    /// Shared with others that lock it so, of what is there, through a descriptor for reading only.
    Shared,
}

/// A folder for a library that opens files by path itself.
#[derive(Debug)]
pub struct OpenFolder {
    /// A path that leads to the folder, whatever has its name by now.
    pub path: PathBuf,
    /// What the path depends on: it is valid as long as this is kept.
    pub keep: Option<real::KeptFolder>,
}

/// The file system below a vault. Directories are made 0700, files 0600, whatever the umask.
/// Nothing is durable before the matching sync: file content by [`File::sync_data`], names by
/// [`Fs::sync_dir`] of their directory.
pub trait Fs: Send + Sync {
    /// Opens or creates a regular file.
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn File>>;
    /// Makes one directory.
    fn create_dir(&self, path: &Path) -> io::Result<()>;
    /// The names in a directory, sorted.
    fn read_dir(&self, path: &Path) -> io::Result<Vec<DirEntry>>;
    /// Facts about a path; `Ok(None)` if there is nothing.
    fn metadata(&self, path: &Path) -> io::Result<Option<Metadata>>;
    /// Renames within one file system, over an existing file.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file.
    fn remove_file(&self, path: &Path) -> io::Result<()>;
    /// Removes a directory with all it holds.
    fn remove_dir_all(&self, path: &Path) -> io::Result<()>;
    /// Makes the names in a directory durable.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;
    /// Sets a path's permission bits.
    fn set_mode(&self, path: &Path, mode: u32) -> io::Result<()>;
    /// Bytes that an unprivileged writer can still allocate here.
    fn free_bytes(&self, path: &Path) -> io::Result<u64>;
    /// Takes the lock of a file or of a directory: a lock file that somebody unlinks does not keep
    /// the next one out, a directory that is in use does. `Ok(None)`: held by another process or
    /// handle. Released when the guard drops or the process dies.
    fn lock(&self, path: &Path, mode: LockMode) -> io::Result<Option<Box<dyn LockGuard>>>;
    /// The same file system, with the folder `dir` as it is now: paths at and below `dir` lead into
    /// that folder wherever it is moved, and follow no link below it. Other paths are as before.
    fn bind(self: Arc<Self>, dir: &Path) -> io::Result<Arc<dyn Fs>>;
    /// Whether paths here are real, so that sled can be used below them.
    fn is_real(&self) -> bool;

    /// Takes the exclusive lock of the file at `path` (made if missing) or of the directory there.
    fn try_lock(&self, path: &Path) -> io::Result<Option<Box<dyn LockGuard>>> {
        self.lock(path, LockMode::Make)
    }
    /// The folder `dir` for a library that opens files by path itself.
    fn open_folder(&self, dir: &Path) -> io::Result<OpenFolder> {
        Ok(OpenFolder { path: dir.to_path_buf(), keep: None })
    }
    /// From now on `path` must lead to `file`, which is open (I11). Only a locked folder takes note.
    fn watch(&self, _path: &Path, _file: &Arc<dyn File>) {}
    /// Ends that.
    fn unwatch(&self, _path: &Path) {}
    /// Fails if this is a locked folder that is no longer in its place (I11).
    fn check_place(&self) -> io::Result<()> {
        Ok(())
    }
}

/// One open regular file. Positions are explicit; there is no cursor.
#[allow(clippy::len_without_is_empty)] // Nobody asks; `len` can fail.
pub trait File: Send + Sync {
    /// Reads up to `buffer.len()` bytes; 0 at or past the end.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;
    /// Writes all of `bytes` (short writes and `EINTR` are continued). An error may leave a part.
    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;
    /// Makes content (and what is needed to read it back, as its length) durable: `fdatasync`.
    fn sync_data(&self) -> io::Result<()>;
    /// Makes content and all metadata durable: `fsync`.
    fn sync_all(&self) -> io::Result<()>;
    /// Length in bytes.
    fn len(&self) -> io::Result<u64>;
    /// Cuts or extends (with a hole).
    fn set_len(&self, len: u64) -> io::Result<()>;
    /// Facts about the open file itself (the path may name another by now).
    fn metadata(&self) -> io::Result<Metadata>;
}

/// Keeps a lock until dropped.
pub trait LockGuard: Send + Sync {
    /// The locked file, for the holder's own note (its pid).
    fn file(&self) -> &dyn File;
}

/// Whether this is what the system says where a file cannot grow: a full disk, an exhausted quota, a
/// limit on the size of files. (An error of our own about a file that is too long is none.)
#[must_use]
pub fn is_no_space(error: &io::Error) -> bool {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => true,
        io::ErrorKind::FileTooLarge => error.raw_os_error().is_some(),
        _ => false,
    }
}

/// Reads exactly `len` bytes from `offset`; an earlier end is `UnexpectedEof`.
pub fn read_exact_at(file: &dyn File, len: usize, offset: u64) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; len];
    let mut done = 0;
    while done < len {
        let rest = bytes.get_mut(done..).unwrap_or_default();
        match file.read_at(rest, offset + done as u64)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => done += read,
        }
    }
    Ok(bytes)
}

/// Reads a whole small file, refusing more than `len_max` bytes.
pub fn read_file(fs: &dyn Fs, path: &Path, len_max: u64) -> io::Result<Vec<u8>> {
    let file = fs.open(path, OpenMode::Read)?;
    let len = file.len()?;
    if len > len_max {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            "file is longer than its format allows",
        ));
    }
    read_exact_at(file.as_ref(), usize::try_from(len).unwrap_or(usize::MAX), 0)
}

/// Clock, randomness and files, shared by all layers above.
#[derive(Clone)]
pub struct Env {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Files.
    pub fs: Arc<dyn Fs>,
}

impl std::fmt::Debug for Env {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Env").field("is_real", &self.fs.is_real()).finish_non_exhaustive()
    }
}

impl Env {
    /// The operating system's time, randomness and files.
    #[must_use]
    pub fn real() -> Self {
        Self {
            clock: Arc::new(real::RealClock::new()),
            entropy: Arc::new(real::OsEntropy),
            fs: Arc::new(real::RealFs),
        }
    }

    /// The operating system's time and chance, with files in memory that are gone when the last
    /// clone drops: for vaults in memory with real keys.
    #[must_use]
    pub fn in_memory() -> Self {
        Self { fs: Arc::new(memory::MemoryFs::new()), ..Self::real() }
    }

    /// A fresh random array.
    pub fn random<const N: usize>(&self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.entropy.fill(&mut bytes)?;
        Ok(bytes)
    }
}

/// The parent of `path`, or `.`.
#[must_use]
pub fn parent(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
        _ => PathBuf::from("."),
    }
}

/// The machine's memory in bytes, for choosing a KDF's cost.
#[must_use]
pub fn memory_bytes() -> u64 {
    real::memory_bytes()
}

/// This process, as LOCK names it.
#[must_use]
pub fn process_id() -> u32 {
    real::process_id()
}

/// Where the numbers of processes are those that this process sees: one start of one machine, and a
/// namespace of processes (a container has its own).
#[must_use]
pub fn process_space() -> String {
    real::process_space()
}

/// Where a short-lived private copy may be made.
#[must_use]
pub fn temp_dir() -> PathBuf {
    std::env::temp_dir()
}
