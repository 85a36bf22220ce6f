//! The operating system's implementation of [`super::Env`]. The only file that may name `std::fs`,
//! `SystemTime` or the system's random generator (I9).
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
    Clock, DirEntry, Entropy, File, FileKind, Fs, LockGuard, Metadata, OpenMode, UnixMillis,
};
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;
use std::fs::{self, TryLockError};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

mod memory_limit;
mod mounts;
mod process;
#[cfg(feature = "cli")]
pub mod socket;
mod sockets;
mod streams;
pub use memory_limit::{group_limit, memory_bytes};
pub use mounts::{folder_identity, is_handed_in};
pub use process::{
    effective_uid, harden_process, is_out_of_files, owner_of_denied, process_id, user_name,
};
pub use sockets::{end_writing, open_files_max, raise_open_files_max, unread_bytes, widen_backlog};
pub use streams::{Input, Terminal, write_stderr, write_stdout};

/// How often an open is retried after a race with a process that creates or removes the same file.
const RACES_MAX: u32 = 64;

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
        Ok(Arc::new(open(path, mode)?))
    }

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        rustix::fs::mkdir(path, Mode::RWXU)?;
        // By path, because the umask may prevent opening the new directory. Done only if needed:
        // usually the mode is right, and the path need not be resolved a second time.
        let stat = rustix::fs::lstat(path)?;
        if FileType::from_raw_mode(stat.st_mode) == FileType::Directory
            && stat.st_mode & 0o777 != 0o700
        {
            rustix::fs::chmodat(CWD, path, Mode::RWXU, AtFlags::empty())?;
        }
        Ok(())
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
        match rustix::fs::lstat(path) {
            Ok(stat) => Ok(Some(facts(&stat))),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
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
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let dir = retry(|| rustix::fs::open(path, flags, Mode::empty()))?;
        fs::File::from(dir).sync_all()
    }

    fn set_mode(&self, path: &Path, mode: u32) -> io::Result<()> {
        let stat = rustix::fs::lstat(path)?;
        if kind_of(&stat) == FileKind::Other {
            return Err(not_regular());
        }
        let mode = Mode::from_raw_mode(mode as rustix::fs::RawMode & 0o7777);
        Ok(rustix::fs::chmodat(CWD, path, mode, AtFlags::empty())?)
    }

    fn free_bytes(&self, path: &Path) -> io::Result<u64> {
        let stat = rustix::fs::statvfs(path)?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }

    fn try_lock(&self, path: &Path) -> io::Result<Option<Box<dyn LockGuard>>> {
        for _ in 0..RACES_MAX {
            let file = open_for_lock(path)?;
            match file.0.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(error),
            }
            // Another process may have unlinked the file between opening and locking. A lock on an
            // unlinked file excludes nobody.
            let named = self.metadata(path)?.map(|named| named.identity);
            if named == Some(file.metadata()?.identity) {
                return Ok(Some(Box::new(RealLock(file))));
            }
        }
        Err(io::Error::other("the lock file is removed again and again"))
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
        Ok(facts(&rustix::fs::fstat(&self.0)?))
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

fn open(path: &Path, mode: OpenMode) -> io::Result<RealFile> {
    match mode {
        OpenMode::Read => open_existing(path, OFlags::RDONLY),
        OpenMode::Existing => open_existing(path, OFlags::RDWR),
        OpenMode::CreateNew => create_new(path),
        OpenMode::Create => {
            // In two steps, because O_CREAT alone does not show who created the file and must set its mode.
            for _ in 0..RACES_MAX {
                match open_existing(path, OFlags::RDWR) {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    outcome => return outcome,
                }
                match create_new(path) {
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                    outcome => return outcome,
                }
            }
            Err(io::Error::other("the file appears and disappears again and again"))
        }
    }
}

/// A directory is locked through a read-only descriptor, everything else as a file.
fn open_for_lock(path: &Path) -> io::Result<RealFile> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match retry(|| rustix::fs::open(path, flags, Mode::empty())) {
        Ok(directory) => Ok(RealFile(directory.into())),
        Err(_) => open(path, OpenMode::Create),
    }
}

fn open_existing(path: &Path, access: OFlags) -> io::Result<RealFile> {
    // NONBLOCK: opening a FIFO must not wait for its other end. NOCTTY: a terminal must not become our
    // controlling terminal.
    let flags = access | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let descriptor = retry(|| rustix::fs::open(path, flags, Mode::empty())).map_err(|error| {
        match error {
            // A link (LOOP; MLINK on some BSDs), a directory, a socket or a dead device.
            Errno::LOOP | Errno::MLINK | Errno::ISDIR | Errno::NXIO => not_regular(),
            error => error.into(),
        }
    })?;
    if kind_of(&rustix::fs::fstat(&descriptor)?) != FileKind::File {
        return Err(not_regular());
    }
    Ok(RealFile(descriptor.into()))
}

fn create_new(path: &Path) -> io::Result<RealFile> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mode = Mode::RUSR | Mode::WUSR;
    let descriptor = retry(|| rustix::fs::open(path, flags, mode))?;
    rustix::fs::fchmod(&descriptor, mode)?;
    Ok(RealFile(descriptor.into()))
}

fn retry<T>(mut call: impl FnMut() -> rustix::io::Result<T>) -> rustix::io::Result<T> {
    loop {
        match call() {
            Err(Errno::INTR) => {}
            outcome => return outcome,
        }
    }
}

fn not_regular() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "not a regular file")
}

fn kind_of(stat: &Stat) -> FileKind {
    match FileType::from_raw_mode(stat.st_mode) {
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
    }
}

#[cfg(test)]
mod tests;
