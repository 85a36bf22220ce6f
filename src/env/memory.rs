//! Files in memory, for vaults that end with the process. Nothing is ever lost and nothing fails but what a
//! real file system refuses too: syncs have nothing to do.

use super::{DirEntry, File, FileKind, Fs, LockGuard, Metadata, OpenMode, real};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What [`Fs::free_bytes`] says: 1 PiB.
const FREE_BYTES: u64 = 1 << 50;

/// A file system in memory. Paths are taken from one root, `..` is refused. There are no links, FIFOs or
/// devices; modes are kept but bind nobody; the owner is the process's user.
#[derive(Debug)]
pub struct MemoryFs(Arc<Mutex<Tree>>);

#[derive(Debug)]
struct Tree {
    /// By path below the root, which is the empty path.
    nodes: BTreeMap<PathBuf, Arc<Node>>,
    locked: BTreeSet<u64>,
    last_id: u64,
}

/// A file or a directory. It lives as long as it has a name or is open.
#[derive(Debug)]
struct Node {
    id: u64,
    mode: AtomicU32,
    /// The bytes of a file, shared with forks until one side writes.
    bytes: Option<Mutex<Arc<Vec<u8>>>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A path below the root.
fn inside(path: &Path) -> io::Result<PathBuf> {
    let mut inside = PathBuf::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => inside.push(name),
            Component::RootDir | Component::CurDir => {}
            _ => return Err(io::ErrorKind::InvalidInput.into()),
        }
    }
    Ok(inside)
}

impl Node {
    fn is_dir(&self) -> bool {
        self.bytes.is_none()
    }

    fn bytes(&self) -> io::Result<MutexGuard<'_, Arc<Vec<u8>>>> {
        self.bytes.as_ref().map(lock).ok_or_else(|| io::ErrorKind::IsADirectory.into())
    }

    fn metadata(&self) -> io::Result<Metadata> {
        let dir = self.is_dir();
        Ok(Metadata {
            kind: if dir { FileKind::Dir } else { FileKind::File },
            len: if dir { 0 } else { self.bytes()?.len() as u64 },
            mode: self.mode.load(Ordering::Acquire),
            uid: real::effective_uid(),
            identity: (0, self.id),
        })
    }

    fn fork(&self) -> Self {
        Self {
            id: self.id,
            mode: AtomicU32::new(self.mode.load(Ordering::Acquire)),
            bytes: self.bytes.as_ref().map(|bytes| Mutex::new(Arc::clone(&lock(bytes)))),
        }
    }
}

impl Tree {
    fn add(&mut self, path: PathBuf, dir: bool) -> Arc<Node> {
        self.last_id += 1;
        let (mode, bytes) = if dir { (0o700, None) } else { (0o600, Some(Mutex::default())) };
        let node = Arc::new(Node { id: self.last_id, mode: AtomicU32::new(mode), bytes });
        self.nodes.insert(path, Arc::clone(&node));
        node
    }

    fn lookup(&self, path: &Path) -> io::Result<Option<&Arc<Node>>> {
        let mut above = path.ancestors().skip(1).filter_map(|above| self.nodes.get(above));
        if above.any(|node| !node.is_dir()) {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        Ok(self.nodes.get(path))
    }

    fn find(&self, path: &Path) -> io::Result<&Arc<Node>> {
        self.lookup(path)?.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Fails unless there is a directory that can hold the last name of `path`.
    fn check_parent(&self, path: &Path) -> io::Result<()> {
        let parent = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
        if self.find(parent)?.is_dir() { Ok(()) } else { Err(io::ErrorKind::NotADirectory.into()) }
    }

    fn create(&mut self, path: PathBuf, dir: bool) -> io::Result<Arc<Node>> {
        if self.lookup(&path)?.is_some() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        self.check_parent(&path)?;
        Ok(self.add(path, dir))
    }

    fn open(&mut self, path: PathBuf, mode: OpenMode) -> io::Result<Arc<Node>> {
        match (self.lookup(&path)?, mode) {
            (Some(_), OpenMode::CreateNew) => Err(io::ErrorKind::AlreadyExists.into()),
            (None, OpenMode::Read | OpenMode::Existing) => Err(io::ErrorKind::NotFound.into()),
            (Some(node), _) if node.is_dir() => {
                Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"))
            }
            (Some(node), _) => Ok(Arc::clone(node)),
            (None, OpenMode::CreateNew | OpenMode::Create) => self.create(path, false),
        }
    }

    /// What is below a directory, however deep.
    fn below(&self, path: &Path) -> Vec<PathBuf> {
        let below = self.nodes.keys().filter(|at| at.starts_with(path) && *at != path);
        below.cloned().collect()
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let is_dir = self.find(from)?.is_dir();
        self.check_parent(from)?;
        self.check_parent(to)?;
        if to.starts_with(from) {
            // Onto itself nothing happens; below itself it cannot go.
            return if to == from { Ok(()) } else { Err(io::ErrorKind::InvalidInput.into()) };
        }
        if let Some(replaced) = self.lookup(to)? {
            match (is_dir, replaced.is_dir()) {
                (false, true) => return Err(io::ErrorKind::IsADirectory.into()),
                (true, false) => return Err(io::ErrorKind::NotADirectory.into()),
                (true, true) if !self.below(to).is_empty() => {
                    return Err(io::ErrorKind::DirectoryNotEmpty.into());
                }
                _ => {}
            }
        }
        for path in self.below(from).into_iter().chain([from.to_path_buf()]) {
            let Ok(rest) = path.strip_prefix(from) else { continue };
            // A join with nothing would end in a slash, which is the same path.
            let moved = to.join(rest).components().collect();
            if let Some(node) = self.nodes.remove(&path) {
                self.nodes.insert(moved, node);
            }
        }
        Ok(())
    }

    fn remove(&mut self, path: &Path, dir: bool) -> io::Result<()> {
        match (dir, self.find(path)?.is_dir()) {
            (false, true) => return Err(io::ErrorKind::IsADirectory.into()),
            (true, false) => return Err(io::ErrorKind::NotADirectory.into()),
            _ => self.check_parent(path)?,
        }
        for path in self.below(path) {
            self.nodes.remove(&path);
        }
        self.nodes.remove(path);
        Ok(())
    }
}

impl MemoryFs {
    /// An empty file system.
    #[must_use]
    pub fn new() -> Self {
        let mut tree = Tree { nodes: BTreeMap::new(), locked: BTreeSet::new(), last_id: 0 };
        tree.add(PathBuf::new(), true);
        Self(Arc::new(Mutex::new(tree)))
    }

    /// Another one with the same content. Nothing is open or locked there.
    #[must_use]
    pub fn fork(&self) -> Self {
        let tree = lock(&self.0);
        let nodes = tree.nodes.iter().map(|(path, node)| (path.clone(), Arc::new(node.fork())));
        let nodes = nodes.collect();
        Self(Arc::new(Mutex::new(Tree { nodes, locked: BTreeSet::new(), last_id: tree.last_id })))
    }

    /// The paths of all files, in order.
    #[must_use]
    pub fn paths(&self) -> Vec<PathBuf> {
        let tree = lock(&self.0);
        let files = tree.nodes.iter().filter(|(_, node)| !node.is_dir());
        files.map(|(path, _)| Path::new("/").join(path)).collect()
    }
}

impl Default for MemoryFs {
    fn default() -> Self {
        Self::new()
    }
}

impl Fs for MemoryFs {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn File>> {
        let node = lock(&self.0).open(inside(path)?, mode)?;
        Ok(Arc::new(Handle { node, writable: mode != OpenMode::Read }))
    }

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        lock(&self.0).create(inside(path)?, true).map(drop)
    }

    fn read_dir(&self, path: &Path) -> io::Result<Vec<DirEntry>> {
        let (tree, path) = (lock(&self.0), inside(path)?);
        if !tree.find(&path)?.is_dir() {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        let entries = tree.nodes.iter().filter(|(at, _)| at.parent() == Some(&path));
        let entry = |(at, node): (&PathBuf, &Arc<Node>)| DirEntry {
            name: at.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            kind: if node.is_dir() { FileKind::Dir } else { FileKind::File },
        };
        Ok(entries.map(entry).collect())
    }

    fn metadata(&self, path: &Path) -> io::Result<Option<Metadata>> {
        lock(&self.0).lookup(&inside(path)?)?.map(|node| node.metadata()).transpose()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        lock(&self.0).rename(&inside(from)?, &inside(to)?)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        lock(&self.0).remove(&inside(path)?, false)
    }

    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        lock(&self.0).remove(&inside(path)?, true)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        let tree = lock(&self.0);
        let is_dir = tree.find(&inside(path)?)?.is_dir();
        if is_dir { Ok(()) } else { Err(io::ErrorKind::NotADirectory.into()) }
    }

    fn set_mode(&self, path: &Path, mode: u32) -> io::Result<()> {
        let tree = lock(&self.0);
        tree.find(&inside(path)?)?.mode.store(mode & 0o7777, Ordering::Release);
        Ok(())
    }

    fn free_bytes(&self, _path: &Path) -> io::Result<u64> {
        Ok(FREE_BYTES)
    }

    fn try_lock(&self, path: &Path) -> io::Result<Option<Box<dyn LockGuard>>> {
        let (mut tree, path) = (lock(&self.0), inside(path)?);
        let dir = tree.lookup(&path)?.filter(|node| node.is_dir()).cloned();
        let writable = dir.is_none();
        let node = dir.map_or_else(|| tree.open(path, OpenMode::Create), Ok)?;
        if !tree.locked.insert(node.id) {
            return Ok(None);
        }
        let tree = Arc::clone(&self.0);
        Ok(Some(Box::new(Guard { file: Handle { node, writable }, tree })))
    }

    fn is_real(&self) -> bool {
        false
    }
}

/// An open file. It outlives its name.
struct Handle {
    node: Arc<Node>,
    writable: bool,
}

impl Handle {
    fn bytes_to_change(&self) -> io::Result<MutexGuard<'_, Arc<Vec<u8>>>> {
        if self.writable { self.node.bytes() } else { Err(io::ErrorKind::PermissionDenied.into()) }
    }
}

fn length(len: u64) -> io::Result<usize> {
    usize::try_from(len).map_err(|_| io::ErrorKind::FileTooLarge.into())
}

fn resize(content: &mut Vec<u8>, len: usize) -> io::Result<()> {
    let more = len.saturating_sub(content.len());
    content.try_reserve(more).map_err(|_| io::ErrorKind::OutOfMemory)?;
    content.resize(len, 0);
    Ok(())
}

impl File for Handle {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let bytes = self.node.bytes()?;
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
        let rest = bytes.get(start..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), rest.get(..count)) {
            to.copy_from_slice(from);
        }
        Ok(count)
    }

    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut content = self.bytes_to_change()?;
        let content = Arc::make_mut(&mut content);
        let start = length(offset)?;
        let end = start.checked_add(bytes.len()).ok_or(io::ErrorKind::FileTooLarge)?;
        if content.len() < end && !bytes.is_empty() {
            resize(content, end)?;
        }
        if let Some(place) = content.get_mut(start..end) {
            place.copy_from_slice(bytes);
        }
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn sync_all(&self) -> io::Result<()> {
        Ok(())
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.node.bytes()?.len() as u64)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        resize(Arc::make_mut(&mut *self.bytes_to_change()?), length(len)?)
    }

    fn metadata(&self) -> io::Result<Metadata> {
        self.node.metadata()
    }
}

struct Guard {
    file: Handle,
    tree: Arc<Mutex<Tree>>,
}

impl LockGuard for Guard {
    fn file(&self) -> &dyn File {
        &self.file
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        lock(&self.tree).locked.remove(&self.file.node.id);
    }
}

#[cfg(test)]
mod tests;
