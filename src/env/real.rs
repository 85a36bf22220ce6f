//! The operating system's implementation of [`super::Env`]. Only it may name `std::fs`, `SystemTime` or the
//! system's random generator (I9).
//!
//! - Only regular files are opened. Links are not followed, a FIFO cannot block the open, and devices are
//!   refused.
//! - Files are created with mode 0600 and directories with 0700, whatever the umask. A umask can only
//!   remove bits from the mode given at creation; missing bits are restored through the descriptor.
//! - Interrupted calls (`EINTR`) and short writes are continued. No other error is retried.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "the only access to the operating system (I9)"
)]

use super::{
    Clock, DirEntry, Entropy, File, FileKind, Fs, LockGuard, LockMode, Metadata, OpenMode,
    UnixMillis,
};
use rustix::fs::{CWD, FileType, OFlags, RawMode, Stat};
use rustix::io::Errno;
use std::fs;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

mod at;
mod folder;
mod memory_limit;
mod mounts;
mod process;
mod stat;
mod streams;
mod tcp;
#[cfg(feature = "cli")]
pub mod unix_socket;
pub use folder::{FolderFs, KeptFolder};
pub use memory_limit::{group_limit, memory_bytes};
pub use mounts::{Mount, credentials_folder, folder_identity, mounts, real_path};
pub use process::{
    effective_uid, harden_process, ignores_hangup, is_out_of_files, is_writable, owner_of_denied,
    process_id, process_space, user_name,
};
pub use streams::{Input, Terminal, write_stderr, write_stdout};
pub use tcp::{end_writing, open_files_max, raise_open_files_max, unread_bytes, widen_backlog};

/// The system's wall clock, and a monotonic clock that starts at zero when this is created. On Linux the
/// monotonic clock stands still while the machine is suspended.
#[derive(Debug)]
pub struct RealClock {
    start: Instant,
}

impl RealClock {
    /// Starts the monotonic clock.
    #[must_use]
    pub fn new() -> Self {
        Self { start: Instant::now() }
    }
}

impl Default for RealClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for RealClock {
    fn wall(&self) -> UnixMillis {
        let millis = |span: Duration| i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        UnixMillis(match SystemTime::now().duration_since(SystemTime::UNIX_EPOCH) {
            Ok(after) => millis(after),
            Err(before) => millis(before.duration()).saturating_neg(),
        })
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }
}

/// The kernel's random generator.
#[derive(Clone, Copy, Debug, Default)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    fn fill(&self, buffer: &mut [u8]) -> io::Result<()> {
        getrandom::fill(buffer).map_err(|error| {
            error.raw_os_error().map_or_else(
                || io::Error::other("the system has no random generator"),
                io::Error::from_raw_os_error,
            )
        })
    }
}

/// The real file system.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealFs;

/// One open regular file of the real file system.
#[derive(Debug)]
pub struct RealFile(fs::File);

impl Fs for RealFs {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn File>> {
        Ok(Arc::new(at::open(CWD, path, mode)?))
    }

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        at::create_dir(CWD, path)
    }

    fn read_dir(&self, path: &Path) -> io::Result<Vec<DirEntry>> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            let kind = match entry.file_type()? {
                kind if kind.is_file() => FileKind::File,
                kind if kind.is_dir() => FileKind::Dir,
                _ => FileKind::Other,
            };
            entries.push(DirEntry { name: entry.file_name().to_string_lossy().into_owned(), kind });
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    fn metadata(&self, path: &Path) -> io::Result<Option<Metadata>> {
        at::metadata(CWD, path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        fs::remove_dir_all(path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        at::sync(&at::open_dir(CWD, path, OFlags::empty())?)
    }

    fn set_mode(&self, path: &Path, mode: u32) -> io::Result<()> {
        at::set_mode(CWD, path, mode)
    }

    fn free_bytes(&self, path: &Path) -> io::Result<u64> {
        Ok(free(&rustix::fs::statvfs(path)?))
    }

    fn lock(&self, path: &Path, mode: LockMode) -> io::Result<Option<Box<dyn LockGuard>>> {
        at::lock(CWD, path, mode)
    }

    fn bind(self: Arc<Self>, dir: &Path) -> io::Result<Arc<dyn Fs>> {
        Ok(Arc::new(FolderFs::open(dir)?))
    }

    fn is_real(&self) -> bool {
        true
    }
}

impl File for RealFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        loop {
            match self.0.read_at(buffer, offset) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                outcome => return outcome,
            }
        }
    }

    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.0.write_all_at(bytes, offset)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn sync_all(&self) -> io::Result<()> {
        self.0.sync_all()
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn metadata(&self) -> io::Result<Metadata> {
        Ok(stat::of_file(&self.0)?)
    }
}

/// Held until dropped or until the process dies (the descriptor is close-on-exec).
struct RealLock(RealFile);

impl Drop for RealLock {
    fn drop(&mut self) {
        // Closing alone is not enough: a child that another thread forks just now has a copy of
        // the descriptor until it executes something, and would keep the lock that long.
        let _ = self.0.0.unlock();
    }
}

impl LockGuard for RealLock {
    fn file(&self) -> &dyn File {
        &self.0
    }
}

fn retry<T>(mut call: impl FnMut() -> rustix::io::Result<T>) -> rustix::io::Result<T> {
    loop {
        match call() {
            Err(Errno::INTR) => {}
            outcome => return outcome,
        }
    }
}

fn free(stat: &rustix::fs::StatVfs) -> u64 {
    stat.f_bavail.saturating_mul(stat.f_frsize)
}

fn not_regular() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "not a regular file")
}

fn kind_of(stat: &Stat) -> FileKind {
    kind_of_mode(stat.st_mode)
}

fn kind_of_mode(mode: RawMode) -> FileKind {
    match FileType::from_raw_mode(mode) {
        FileType::RegularFile => FileKind::File,
        FileType::Directory => FileKind::Dir,
        _ => FileKind::Other,
    }
}

#[allow(clippy::unnecessary_cast, clippy::cast_sign_loss)] // Their types differ between systems.
fn facts(stat: &Stat) -> Metadata {
    Metadata {
        kind: kind_of(stat),
        len: stat.st_size as u64,
        mode: stat.st_mode as u32 & 0o7777,
        uid: stat.st_uid as u32,
        identity: (stat.st_dev as u64, stat.st_ino as u64),
        links: stat.st_nlink as u64,
    }
}

#[cfg(test)]
mod tests;
