//! System calls relative to an open folder. The last name of a path is never followed if it is a link.

#![expect(
    clippy::disallowed_types,
    reason = "a part of the only access to the operating system (I9)"
)]

use super::{RealFile, RealLock, kind_of, not_regular, retry, stat};
use crate::env::{DirEntry, FileKind, LockGuard, LockMode, Metadata, OpenMode};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags};
use rustix::io::Errno;
use std::ffi::OsStr;
use std::fs::{File, TryLockError};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// How often an open is retried after a race with a process that creates or removes the same file.
const RACES_MAX: u32 = 64;

pub(super) fn open(dir: BorrowedFd<'_>, path: &Path, mode: OpenMode) -> io::Result<RealFile> {
    match mode {
        OpenMode::Read => open_existing(dir, path, OFlags::RDONLY),
        OpenMode::Existing => open_existing(dir, path, OFlags::RDWR),
        OpenMode::CreateNew => create_new(dir, path),
        OpenMode::Create => {
            // In two steps, because O_CREAT alone does not show who created the file and must set its mode.
            for _ in 0..RACES_MAX {
                match open_existing(dir, path, OFlags::RDWR) {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    outcome => return outcome,
                }
                match create_new(dir, path) {
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                    outcome => return outcome,
                }
            }
            Err(io::Error::other("the file appears and disappears again and again"))
        }
    }
}

fn open_existing(dir: BorrowedFd<'_>, path: &Path, access: OFlags) -> io::Result<RealFile> {
    // NONBLOCK: opening a FIFO must not wait for its other end. NOCTTY: a terminal must not become our
    // controlling terminal.
    let flags = access | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let opened = retry(|| rustix::fs::openat(dir, path, flags, Mode::empty()));
    let descriptor = opened.map_err(|error| match error {
        // A link (LOOP; MLINK on some BSDs), a directory, a socket or a dead device.
        Errno::LOOP | Errno::MLINK | Errno::ISDIR | Errno::NXIO => not_regular(),
        error => error.into(),
    })?;
    if kind_of(&rustix::fs::fstat(&descriptor)?) != FileKind::File {
        return Err(not_regular());
    }
    Ok(RealFile(descriptor.into()))
}

fn create_new(dir: BorrowedFd<'_>, path: &Path) -> io::Result<RealFile> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mode = Mode::RUSR | Mode::WUSR;
    let descriptor = retry(|| rustix::fs::openat(dir, path, flags, mode))?;
    rustix::fs::fchmod(&descriptor, mode)?;
    Ok(RealFile(descriptor.into()))
}

/// Opens a directory for reading. `more`: flags such as `NOFOLLOW`.
pub(super) fn open_dir(dir: BorrowedFd<'_>, path: &Path, more: OFlags) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | more;
    Ok(retry(|| rustix::fs::openat(dir, path, flags, Mode::empty()))?)
}

/// Makes a directory's names durable.
pub(super) fn sync(dir: &OwnedFd) -> io::Result<()> {
    retry(|| rustix::fs::fsync(dir)).map_err(|error| match error {
        // What file systems say that have no such call.
        Errno::INVAL | Errno::NOTSUP | Errno::NOSYS => io::Error::new(
            io::ErrorKind::Unsupported,
            "the file system cannot make the names in a folder durable (fsync of a folder)",
        ),
        error => error.into(),
    })
}

pub(super) fn create_dir(dir: BorrowedFd<'_>, path: &Path) -> io::Result<()> {
    rustix::fs::mkdirat(dir, path, Mode::RWXU)?;
    // By path, because the umask may prevent opening the new directory. Done only if needed: usually the
    // mode is right.
    let stat = rustix::fs::statat(dir, path, AtFlags::SYMLINK_NOFOLLOW)?;
    if kind_of(&stat) == FileKind::Dir && stat.st_mode & 0o777 != 0o700 {
        rustix::fs::chmodat(dir, path, Mode::RWXU, AtFlags::empty())?;
    }
    Ok(())
}

pub(super) fn metadata(dir: BorrowedFd<'_>, path: &Path) -> io::Result<Option<Metadata>> {
    match stat::of_name(dir, path) {
        Ok(found) => Ok(Some(found)),
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

pub(super) fn set_mode(dir: BorrowedFd<'_>, path: &Path, mode: u32) -> io::Result<()> {
    let stat = rustix::fs::statat(dir, path, AtFlags::SYMLINK_NOFOLLOW)?;
    if kind_of(&stat) == FileKind::Other {
        return Err(not_regular());
    }
    Ok(rustix::fs::chmodat(dir, path, mode_bits(mode), AtFlags::empty())?)
}

pub(super) fn mode_bits(mode: u32) -> Mode {
    Mode::from_raw_mode(mode as rustix::fs::RawMode & 0o7777)
}

/// The names in an open directory, sorted.
pub(super) fn names(dir: &OwnedFd) -> io::Result<Vec<DirEntry>> {
    let mut entries = Vec::new();
    for entry in Dir::read_from(dir)? {
        let entry = entry?;
        let name = entry.file_name();
        if name == c"." || name == c".." {
            continue;
        }
        let kind = match entry.file_type() {
            FileType::RegularFile => FileKind::File,
            FileType::Directory => FileKind::Dir,
            // Some file systems do not say it here.
            FileType::Unknown => match rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) => kind_of(&stat),
                Err(Errno::NOENT) => continue,
                Err(error) => return Err(error.into()),
            },
            _ => FileKind::Other,
        };
        entries.push(DirEntry { name: name.to_string_lossy().into_owned(), kind });
    }
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(entries)
}

/// Removes a directory with all it holds. Nothing outside it is reached: no link is followed.
pub(super) fn remove_dir_all(dir: BorrowedFd<'_>, path: &Path) -> io::Result<()> {
    let inside = open_dir(dir, path, OFlags::NOFOLLOW)?;
    for entry in Dir::read_from(&inside)? {
        let entry = entry?;
        let name = entry.file_name();
        if name == c"." || name == c".." {
            continue;
        }
        let is_dir = match entry.file_type() {
            FileType::Unknown => {
                let stat = rustix::fs::statat(&inside, name, AtFlags::SYMLINK_NOFOLLOW)?;
                kind_of(&stat) == FileKind::Dir
            }
            kind => kind == FileType::Directory,
        };
        if is_dir {
            remove_dir_all(inside.as_fd(), Path::new(OsStr::from_bytes(name.to_bytes())))?;
            continue;
        }
        match rustix::fs::unlinkat(&inside, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(rustix::fs::unlinkat(dir, path, AtFlags::REMOVEDIR)?)
}

pub(super) fn lock(
    dir: BorrowedFd<'_>,
    path: &Path,
    mode: LockMode,
) -> io::Result<Option<Box<dyn LockGuard>>> {
    for _ in 0..RACES_MAX {
        let file = open_for_lock(dir, path, mode)?;
        let tried = match mode {
            LockMode::Shared => file.0.try_lock_shared(),
            LockMode::Make | LockMode::Existing => file.0.try_lock(),
        };
        match tried {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(no_lock(error)),
        }
        // Another process may have unlinked the file between opening and locking. A lock on an unlinked
        // file excludes nobody.
        let named = metadata(dir, path)?.map(|named| named.identity);
        if named == Some(stat::of_file(&file.0)?.identity) {
            return Ok(Some(Box::new(RealLock(file))));
        }
    }
    Err(io::Error::other("the lock file is removed again and again"))
}

/// What file systems say that have no locks, or none for such a file.
fn no_lock(error: io::Error) -> io::Error {
    match Errno::from_io_error(&error) {
        Some(Errno::NOLCK | Errno::NOTSUP | Errno::NOSYS | Errno::INVAL | Errno::BADF) => {
            io::Error::new(io::ErrorKind::Unsupported, "the file system gives no lock (flock)")
        }
        _ => error,
    }
}

/// A directory is locked through a read-only descriptor, everything else as a file.
fn open_for_lock(dir: BorrowedFd<'_>, path: &Path, mode: LockMode) -> io::Result<RealFile> {
    match open_dir(dir, path, OFlags::NOFOLLOW) {
        Ok(directory) => return Ok(RealFile(File::from(directory))),
        Err(_) if mode == LockMode::Make => return open(dir, path, OpenMode::Create),
        Err(_) if mode == LockMode::Shared => return open(dir, path, OpenMode::Read),
        Err(_) => {}
    }
    match open(dir, path, OpenMode::Existing) {
        // Local file systems lock through any descriptor; network file systems want one for writing.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem
            ) =>
        {
            open(dir, path, OpenMode::Read)
        }
        outcome => outcome,
    }
}
