//! A folder that is locked: the vault is what was locked, not what its path names later (I11).
//!
//! - **ID1** All calls go to the folder that was opened, wherever it is by now ([`Fs::bind`]).
//! - **ID2** Before a file is made, opened for writing, renamed or removed, the path must still lead to
//!   that folder, and the locked and watched names in it to the files that are open. Else the folder is
//!   *displaced*: the call fails, and so does every later one that would change something.
//! - **ID3** Once displaced, always displaced: what was put in its place may be taken away again, but
//!   nobody knows what it was used for meanwhile.
//!
//! Reads, and writes to files that are open, are not checked: they reach the locked files in any case. The
//! holder asks at intervals, and after a sync whether the file still has a name ([`Fs::check_place`]).

use super::{DirEntry, File, FileKind, Fs, LockGuard, LockMode, Metadata, OpenFolder, OpenMode};
use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// What was seen in place of a locked folder or of a file in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Displaced {
    /// The path that no longer leads to what was locked.
    pub path: PathBuf,
    /// Whether something else is there now. Else nothing is.
    pub is_replaced: bool,
}

impl fmt::Display for Displaced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.is_replaced { "replaced" } else { "moved or removed" };
        write!(f, "{} was {what} while the vault was open", self.path.display())
    }
}

impl std::error::Error for Displaced {}

impl Displaced {
    /// What an error of a locked folder says, if it is about its place.
    #[must_use]
    pub fn of(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }

    fn to_error(&self) -> io::Error {
        io::Error::other(self.clone())
    }
}

/// What a name must lead to.
enum Kept {
    /// Locked.
    Lock(Box<dyn LockGuard>),
    /// Open.
    File(Arc<dyn File>),
}

impl Kept {
    fn metadata(&self) -> io::Result<Metadata> {
        match self {
            Self::Lock(guard) => guard.file().metadata(),
            Self::File(file) => file.metadata(),
        }
    }
}

/// A folder, bound to what it was when it was opened.
pub struct LockedFolder {
    /// Leads by path, as it leads whoever comes next.
    outside: Arc<dyn Fs>,
    /// Leads into the folder itself.
    inside: Arc<dyn Fs>,
    dir: PathBuf,
    /// `dir` from the root: the process may change its working directory.
    named: PathBuf,
    /// False only in a test build that goes wherever the path leads.
    is_bound: bool,
    kept: Mutex<BTreeMap<PathBuf, Kept>>,
    displaced: OnceLock<Displaced>,
}

impl LockedFolder {
    /// Binds to the folder that is at `dir` now. Nothing is locked yet.
    pub fn bind(fs: &Arc<dyn Fs>, dir: &Path) -> io::Result<Self> {
        Ok(Self::new(fs, Arc::clone(fs).bind(dir)?, dir))
    }

    /// A fault: a folder that goes wherever its path leads.
    #[must_use]
    pub fn unbound(fs: &Arc<dyn Fs>, dir: &Path) -> Self {
        Self { is_bound: false, ..Self::new(fs, Arc::clone(fs), dir) }
    }

    fn new(fs: &Arc<dyn Fs>, inside: Arc<dyn Fs>, dir: &Path) -> Self {
        let absolute = || std::path::absolute(dir).ok();
        let named = fs.is_real().then(absolute).flatten().unwrap_or_else(|| dir.to_path_buf());
        Self {
            outside: Arc::clone(fs),
            inside,
            dir: dir.to_path_buf(),
            named,
            is_bound: true,
            kept: Mutex::default(),
            displaced: OnceLock::new(),
        }
    }

    /// Takes and keeps the lock of the folder itself or of a name in it. `false`: someone else has it.
    pub fn keep_lock(&self, path: &Path, mode: LockMode) -> io::Result<bool> {
        let Some(guard) = self.inside.lock(path, mode)? else { return Ok(false) };
        self.kept().insert(path.to_path_buf(), Kept::Lock(guard));
        Ok(true)
    }

    /// Whether the lock of `path` is kept.
    pub fn has_lock(&self, path: &Path) -> bool {
        matches!(self.kept().get(path), Some(Kept::Lock(_)))
    }

    /// Writes `note` as the whole content of a file that is locked here.
    pub fn write_note(&self, path: &Path, note: &[u8]) -> io::Result<()> {
        match self.kept().get(path) {
            Some(Kept::Lock(guard)) => {
                guard.file().set_len(0)?;
                guard.file().write_all_at(note, 0)
            }
            _ => Ok(()),
        }
    }

    /// Releases all locks, that of the folder last: whoever gets that one gets all. Nothing may be written
    /// any more.
    pub fn release(&self) {
        while let Some(kept) = self.kept().pop_last() {
            drop(kept);
        }
    }

    /// What was seen in its place, if it is known to be displaced.
    #[must_use]
    pub fn displaced(&self) -> Option<&Displaced> {
        self.displaced.get()
    }

    fn kept(&self) -> MutexGuard<'_, BTreeMap<PathBuf, Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_ours(&self, path: &Path) -> bool {
        path.starts_with(&self.dir)
    }

    fn look(&self) -> io::Result<()> {
        if !self.is_bound {
            return Ok(());
        }
        if let Some(displaced) = self.displaced.get() {
            return Err(displaced.to_error());
        }
        // With the dot it is the folder itself, even if `dir` is a link to it.
        let itself = self.inside.metadata(&self.dir.join("."))?;
        let named = match self.outside.metadata(&self.named.join(".")) {
            // Something that is no folder stands in the path.
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => None,
            outcome => outcome?,
        };
        self.compare(&self.named, itself.as_ref(), named.as_ref())?;
        for (path, kept) in self.kept().iter() {
            if *path != self.dir {
                self.compare(path, Some(&kept.metadata()?), self.inside.metadata(path)?.as_ref())?;
            }
        }
        Ok(())
    }

    fn compare(
        &self,
        path: &Path,
        locked: Option<&Metadata>,
        named: Option<&Metadata>,
    ) -> io::Result<()> {
        let identity = |found: Option<&Metadata>| found.map(|found| found.identity);
        if locked.is_some() && identity(locked) == identity(named) {
            return Ok(());
        }
        let is_replaced = named.is_some();
        let displaced = Displaced { path: path.to_path_buf(), is_replaced };
        Err(self.displaced.get_or_init(|| displaced).to_error())
    }

    /// Fails unless a change of `path` reaches the vault that was locked.
    fn check(&self, path: &Path) -> io::Result<()> {
        if self.is_ours(path) { self.look() } else { Ok(()) }
    }
}

impl Fs for LockedFolder {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn File>> {
        if mode != OpenMode::Read {
            self.check(path)?;
        }
        self.inside.open(path, mode)
    }

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.check(path)?;
        self.inside.create_dir(path)
    }

    fn read_dir(&self, path: &Path) -> io::Result<Vec<DirEntry>> {
        self.inside.read_dir(path)
    }

    fn metadata(&self, path: &Path) -> io::Result<Option<Metadata>> {
        self.inside.metadata(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.check(from)?;
        self.inside.rename(from, to)?;
        let mut kept = self.kept();
        let moved = kept.remove(from);
        kept.remove(to);
        kept.extend(moved.map(|moved| (to.to_path_buf(), moved)));
        Ok(())
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.check(path)?;
        self.inside.remove_file(path)?;
        self.unwatch(path);
        Ok(())
    }

    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        self.check(path)?;
        let removed = self.inside.remove_dir_all(path);
        self.kept().retain(|kept, _| !kept.starts_with(path));
        removed
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.inside.sync_dir(path)
    }

    fn set_mode(&self, path: &Path, mode: u32) -> io::Result<()> {
        self.inside.set_mode(path, mode)
    }

    fn free_bytes(&self, path: &Path) -> io::Result<u64> {
        self.inside.free_bytes(path)
    }

    fn lock(&self, path: &Path, mode: LockMode) -> io::Result<Option<Box<dyn LockGuard>>> {
        self.inside.lock(path, mode)
    }

    fn bind(self: Arc<Self>, dir: &Path) -> io::Result<Arc<dyn Fs>> {
        Arc::clone(&self.inside).bind(dir)
    }

    fn is_real(&self) -> bool {
        self.inside.is_real()
    }

    fn open_folder(&self, dir: &Path) -> io::Result<OpenFolder> {
        self.inside.open_folder(dir)
    }

    fn watch(&self, path: &Path, file: &Arc<dyn File>) {
        let mut kept = self.kept();
        if self.is_ours(path) && !matches!(kept.get(path), Some(Kept::Lock(_))) {
            kept.insert(path.to_path_buf(), Kept::File(Arc::clone(file)));
        }
    }

    fn unwatch(&self, path: &Path) {
        self.kept().remove(path);
    }

    fn check_place(&self) -> io::Result<()> {
        self.look()
    }
}

/// Keeps a locked folder locked until dropped.
pub struct HeldFolder(pub Arc<LockedFolder>);

impl Drop for HeldFolder {
    fn drop(&mut self) {
        self.0.release();
    }
}

/// The names that stand in a vault's folder where a file or folder should: links, devices, pipes.
pub fn find_link(fs: &dyn Fs, dir: &Path, names: &[&str]) -> io::Result<Option<PathBuf>> {
    let entries = fs.read_dir(dir)?;
    let mut found = entries.iter().filter(|entry| entry.kind == FileKind::Other);
    Ok(found.find(|entry| names.contains(&entry.name.as_str())).map(|entry| dir.join(&entry.name)))
}

#[cfg(test)]
mod tests;
