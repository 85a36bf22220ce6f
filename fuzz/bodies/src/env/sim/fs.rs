//! [`SimFs`]: the file system interface of the simulated disk.

use super::disk::{Disk, Ino};
use super::fault::OpKind;
use super::file::{SimFile, SimLock};
use super::lock;
use super::state::{Shared, State};
use crate::env::{DirEntry, File, FileKind, Fs, LockGuard, LockMode, Metadata, OpenMode};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

/// The result of [`Fs::free_bytes`] for a disk without a limit: 1 PiB.
const FREE_WITHOUT_CAPACITY: u64 = 1 << 50;

/// A file system in memory that keeps only what was synced (see `disk.rs`, D1 to D4).
///
/// - Every call that changes something is counted, also a refused one; reads and opens of what
///   exists are not. [`SimFs::set_crash_at`] takes such a count.
/// - From the power cut on every call fails with [`PowerCut`](super::PowerCut), reads too, until
///   [`SimFs::crash`] starts the machine again. Then handles and lock guards from before are
///   stale (`StaleNetworkFileHandle`) and locks are free.
/// - Paths are taken from one root, `..` is refused. There are no links, FIFOs or devices; modes
///   are kept but bind nobody; the owner is the process's user.
/// - A clone of the `Arc` is the same disk; [`SimFs::fork`] is another.
/// - [`Fs::bind`] gives the same disk with one folder that is found wherever it is renamed to.
#[derive(Debug)]
pub struct SimFs {
    shared: Arc<Shared>,
    bound: Option<Bound>,
}

/// A folder that is held open.
#[derive(Debug)]
struct Bound {
    dir: PathBuf,
    ino: Ino,
    start: u64,
}

impl SimFs {
    /// An empty disk with the durability of a hostile one.
    #[must_use]
    pub fn new() -> Self {
        Self::with(State::new(Disk::new(true), Some(Vec::new())))
    }

    /// An empty disk without durability, at half the memory: for vaults that end with the process.
    /// A crash loses nothing, and calls are counted but not logged.
    #[must_use]
    pub fn volatile() -> Self {
        Self::with(State::new(Disk::new(false), None))
    }

    pub(super) fn with(state: State) -> Self {
        Self { shared: Arc::new(Shared { state: Mutex::new(state) }), bound: None }
    }

    /// Where a path leads: below the folder that is bound, to where that folder is now.
    fn place(&self, state: &State, path: &Path) -> io::Result<PathBuf> {
        let Some(Bound { dir, ino, start }) = &self.bound else { return Ok(path.to_path_buf()) };
        let Ok(rest) = path.strip_prefix(dir) else { return Ok(path.to_path_buf()) };
        state.powered()?;
        if state.start != *start {
            return Err(io::ErrorKind::StaleNetworkFileHandle.into());
        }
        if !state.disk.has_name(*ino) {
            return Err(io::ErrorKind::NotFound.into());
        }
        Ok(state.disk.node(*ino)?.path.join(rest))
    }

    /// A call that changes the disk, on one path.
    fn change<T>(
        &self,
        kind: OpKind,
        path: &Path,
        effect: impl FnOnce(&mut Disk, &Path) -> io::Result<T>,
    ) -> io::Result<T> {
        let mut state = self.state();
        let path = self.place(&state, path)?;
        state.change(kind, &path, |disk| effect(disk, &path))
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.shared.state)
    }

    fn handle(&self, state: &mut State, ino: Ino, writable: bool) -> io::Result<SimFile> {
        state.disk.node_mut(ino)?.handles += 1;
        Ok(SimFile { shared: Arc::clone(&self.shared), ino, start: state.start, writable })
    }

    fn open_file(&self, path: &Path, mode: OpenMode) -> io::Result<SimFile> {
        let mut state = self.state();
        state.powered()?;
        let path = &self.place(&state, path)?;
        let found = state.disk.lookup(path)?;
        let ino = match (found, mode) {
            (Some(_), OpenMode::CreateNew) => return Err(io::ErrorKind::AlreadyExists.into()),
            (None, OpenMode::Read | OpenMode::Existing) => {
                return Err(io::ErrorKind::NotFound.into());
            }
            (Some(ino), _) if state.disk.is_dir(ino) => {
                return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
            }
            (Some(ino), _) => ino,
            (None, OpenMode::CreateNew | OpenMode::Create) => {
                state.change(OpKind::Create, path, |disk| disk.create(path, false))?
            }
        };
        self.handle(&mut state, ino, mode != OpenMode::Read)
    }
}

impl Drop for SimFs {
    fn drop(&mut self) {
        let Some(bound) = &self.bound else { return };
        let mut state = lock(&self.shared.state);
        if state.start == bound.start {
            if let Ok(node) = state.disk.node_mut(bound.ino) {
                node.handles = node.handles.saturating_sub(1);
            }
            state.disk.collect();
        }
    }
}

impl Default for SimFs {
    fn default() -> Self {
        Self::new()
    }
}

impl Fs for SimFs {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn File>> {
        Ok(Arc::new(self.open_file(path, mode)?))
    }

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.change(OpKind::CreateDir, path, |disk, path| disk.create(path, true)).map(drop)
    }

    fn read_dir(&self, path: &Path) -> io::Result<Vec<DirEntry>> {
        let state = self.state();
        state.powered()?;
        let kind = |dir| if dir { FileKind::Dir } else { FileKind::File };
        let names = state.disk.list(&self.place(&state, path)?)?.into_iter();
        Ok(names.map(|(name, dir)| DirEntry { name, kind: kind(dir) }).collect())
    }

    fn metadata(&self, path: &Path) -> io::Result<Option<Metadata>> {
        let state = self.state();
        state.powered()?;
        let bound = self.bound.as_ref().filter(|bound| bound.start == state.start);
        if let Some(Bound { ino, .. }) =
            bound.filter(|bound| path.components().eq(bound.dir.components()))
        {
            return state.metadata(*ino).map(Some);
        }
        match self.place(&state, path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            path => state.disk.lookup(&path?)?.map(|ino| state.metadata(ino)).transpose(),
        }
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let from = self.place(&self.state(), from)?;
        self.change(OpKind::Rename, to, |disk, to| disk.rename(&from, to))
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.change(OpKind::Remove, path, |disk, path| disk.remove(path, false))
    }

    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        self.change(OpKind::Remove, path, |disk, path| disk.remove(path, true))
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        let delay = self.state().sync_delay;
        std::thread::sleep(delay);
        self.change(OpKind::SyncDir, path, |disk, path| {
            let dir = disk.find(path)?;
            disk.sync_dir(dir)
        })
    }

    fn set_mode(&self, path: &Path, mode: u32) -> io::Result<()> {
        let mut state = self.state();
        state.powered()?;
        let ino = state.disk.find(&self.place(&state, path)?)?;
        state.disk.node_mut(ino)?.mode = mode & 0o7777;
        Ok(())
    }

    fn free_bytes(&self, _path: &Path) -> io::Result<u64> {
        let state = self.state();
        state.powered()?;
        let free = |bytes: u64| bytes.saturating_sub(state.disk.used_bytes());
        Ok(state.capacity.map_or(FREE_WITHOUT_CAPACITY, free))
    }

    fn lock(&self, path: &Path, mode: LockMode) -> io::Result<Option<Box<dyn LockGuard>>> {
        let dir = {
            let mut state = self.state();
            state.powered()?;
            let found = state.disk.lookup(&self.place(&state, path)?)?;
            let found = found.filter(|ino| state.disk.is_dir(*ino));
            found.map(|ino| self.handle(&mut state, ino, false)).transpose()?
        };
        let how = match mode {
            LockMode::Make => OpenMode::Create,
            LockMode::Existing => OpenMode::Existing,
            LockMode::Shared => OpenMode::Read,
        };
        let file = dir.map_or_else(|| self.open_file(path, how), Ok)?;
        let number = {
            let mut state = self.state();
            let is_shared = mode == LockMode::Shared;
            let holders = state.locks.entry(file.ino).or_default();
            if !holders.iter().all(|(_, shares)| is_shared && *shares) {
                return Ok(None);
            }
            state.next_lock += 1;
            let number = state.next_lock;
            state.locks.entry(file.ino).or_default().push((number, is_shared));
            number
        };
        Ok(Some(Box::new(SimLock { file, number })))
    }

    fn bind(self: Arc<Self>, dir: &Path) -> io::Result<Arc<dyn Fs>> {
        let mut state = self.state();
        state.powered()?;
        let ino = state.disk.find(&self.place(&state, dir)?)?;
        if !state.disk.is_dir(ino) {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        state.disk.node_mut(ino)?.handles += 1;
        let bound = Bound { dir: dir.to_path_buf(), ino, start: state.start };
        Ok(Arc::new(Self { shared: Arc::clone(&self.shared), bound: Some(bound) }))
    }

    fn is_real(&self) -> bool {
        false
    }
}
