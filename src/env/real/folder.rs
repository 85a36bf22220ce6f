//! The real file system with one folder held open: everything below that folder is reached through its
//! descriptor, not through its path (I11).
//!
//! A path is taken apart, and each folder on the way is opened relative to the one before, without following
//! links. So nothing that is done by path can reach out of the folder that was opened, whatever is renamed,
//! replaced or linked meanwhile.

use super::{RealFs, at, facts, free, not_regular, retry, stat};
use crate::env::{DirEntry, File, Fs, LockGuard, LockMode, Metadata, OpenFolder, OpenMode};
use rustix::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, CWD, OFlags};
use rustix::io::Errno;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

/// The name of a folder itself, relative to its descriptor.
const ITSELF: &str = ".";

/// A folder that is held open.
#[derive(Debug)]
pub struct KeptFolder(OwnedFd);

impl KeptFolder {
    /// Keeps it open to the end of the process: a library may still use it.
    pub fn leak(self) {
        std::mem::forget(self.0);
    }
}

/// The real file system, with everything at and below `dir` reached through the folder's descriptor.
pub struct FolderFs {
    dir: PathBuf,
    folder: OwnedFd,
}

/// Where a call goes: the folder that holds the last name, and that name.
enum Place<'a> {
    /// Not below the folder: by path, as ever.
    Outside,
    /// The folder itself, or a name directly in it.
    Top(&'a Path),
    /// Deeper.
    Below(OwnedFd, &'a Path),
}

impl FolderFs {
    /// Opens the folder. `dir` itself may be a link to it.
    pub fn open(dir: &Path) -> io::Result<Self> {
        let folder = at::open_dir(CWD, dir, OFlags::empty())?;
        Ok(Self { dir: dir.to_path_buf(), folder })
    }

    fn place<'a>(&self, path: &'a Path) -> io::Result<Place<'a>> {
        let Some(rest) = path.strip_prefix(&self.dir).ok().filter(|rest| rest.is_relative()) else {
            return Ok(Place::Outside);
        };
        let (Some(parent), Some(name)) = (rest.parent(), rest.file_name()) else {
            // Nothing, or a path that ends in `..`.
            let is_itself = rest.as_os_str().is_empty();
            return if is_itself { Ok(Place::Top(Path::new(ITSELF))) } else { Err(leaves()) };
        };
        let mut at: Option<OwnedFd> = None;
        for component in parent.components() {
            let Component::Normal(name) = component else { return Err(leaves()) };
            let from = at.as_ref().unwrap_or(&self.folder);
            at = Some(open_below(from.as_fd(), Path::new(name))?);
        }
        Ok(at.map_or(Place::Top(Path::new(name)), |at| Place::Below(at, Path::new(name))))
    }

    /// Runs `work` on the folder that holds the last name of `path`, and that name.
    fn at<T>(
        &self,
        path: &Path,
        work: impl FnOnce(BorrowedFd<'_>, &Path) -> io::Result<T>,
    ) -> io::Result<T> {
        match self.place(path)? {
            Place::Outside => work(CWD, path),
            Place::Top(name) => work(self.folder.as_fd(), name),
            Place::Below(dir, name) => work(dir.as_fd(), name),
        }
    }

    /// Whether `path` is the folder itself.
    fn is_itself(&self, path: &Path) -> bool {
        path.strip_prefix(&self.dir).is_ok_and(|rest| rest.as_os_str().is_empty())
    }

    fn dir_of(&self, path: &Path) -> io::Result<OwnedFd> {
        match self.place(path)? {
            Place::Outside => at::open_dir(CWD, path, OFlags::empty()),
            Place::Top(name) => open_below(self.folder.as_fd(), name),
            Place::Below(dir, name) => open_below(dir.as_fd(), name),
        }
    }
}

/// Opens a folder by its name in another one. A link in its place is refused.
fn open_below(dir: BorrowedFd<'_>, name: &Path) -> io::Result<OwnedFd> {
    at::open_dir(dir, name, OFlags::NOFOLLOW).map_err(|error| {
        let is_link = || {
            at::metadata(dir, name)
                .ok()
                .flatten()
                .is_some_and(|found| found.kind == crate::env::FileKind::Other)
        };
        if is_link() { not_regular() } else { error }
    })
}

fn leaves() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "the path leaves the vault's folder")
}

impl Fs for FolderFs {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn File>> {
        self.at(path, |dir, name| Ok(Arc::new(at::open(dir, name, mode)?) as Arc<dyn File>))
    }

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.at(path, at::create_dir)
    }

    fn read_dir(&self, path: &Path) -> io::Result<Vec<DirEntry>> {
        at::names(&self.dir_of(path)?)
    }

    fn metadata(&self, path: &Path) -> io::Result<Option<Metadata>> {
        if self.is_itself(path) {
            return Ok(Some(stat::of_file(&self.folder)?));
        }
        match self.at(path, at::metadata) {
            // A folder on the way is missing.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            outcome => outcome,
        }
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.at(from, |from_dir, from| {
            self.at(to, |to_dir, to| Ok(rustix::fs::renameat(from_dir, from, to_dir, to)?))
        })
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.at(path, |dir, name| Ok(rustix::fs::unlinkat(dir, name, AtFlags::empty())?))
    }

    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        self.at(path, at::remove_dir_all)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        if self.is_itself(path) {
            return at::sync(&self.folder);
        }
        at::sync(&self.dir_of(path)?)
    }

    fn set_mode(&self, path: &Path, mode: u32) -> io::Result<()> {
        if self.is_itself(path) {
            return Ok(rustix::fs::fchmod(&self.folder, at::mode_bits(mode))?);
        }
        self.at(path, |dir, name| at::set_mode(dir, name, mode))
    }

    fn free_bytes(&self, path: &Path) -> io::Result<u64> {
        match self.place(path)? {
            Place::Outside => RealFs.free_bytes(path),
            _ => Ok(free(&retry(|| rustix::fs::fstatvfs(&self.folder))?)),
        }
    }

    fn lock(&self, path: &Path, mode: LockMode) -> io::Result<Option<Box<dyn LockGuard>>> {
        self.at(path, |dir, name| at::lock(dir, name, mode))
    }

    fn bind(self: Arc<Self>, dir: &Path) -> io::Result<Arc<dyn Fs>> {
        Ok(Arc::new(Self { dir: dir.to_path_buf(), folder: self.dir_of(dir)? }))
    }

    fn is_real(&self) -> bool {
        true
    }

    /// On Linux the folder's own descriptor has a path. Without `/proc` only the usual path is left.
    fn open_folder(&self, dir: &Path) -> io::Result<OpenFolder> {
        let folder = self.dir_of(dir)?;
        let path = PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd()));
        let own = facts(&rustix::fs::fstat(&folder)?).identity;
        match rustix::fs::stat(&path) {
            Ok(stat) if cfg!(target_os = "linux") && facts(&stat).identity == own => {
                Ok(OpenFolder { path, keep: Some(KeptFolder(folder)) })
            }
            Ok(_) | Err(Errno::NOENT | Errno::ACCESS | Errno::NOTDIR) => {
                Ok(OpenFolder { path: dir.to_path_buf(), keep: None })
            }
            Err(error) => Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests;
