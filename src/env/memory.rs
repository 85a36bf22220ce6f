//! Files in memory, for vaults that end with the process. Nothing is ever lost and nothing fails but what a
//! real file system refuses too: syncs have nothing to do.

use super::{DirEntry, File, FileKind, Fs, LockGuard, LockMode, Metadata, OpenMode, real};
use std::collections::BTreeMap;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What [`Fs::free_bytes`] says: 1 PiB.
const FREE_BYTES: u64 = 1 << 50;

/// A file system in memory. Paths are taken from one root, `..` is refused. There are no links, FIFOs or
/// devices; modes are kept but bind nobody; the owner is the process's user.
#[derive(Debug)]
pub struct MemoryFs {
    tree: Arc<Mutex<Tree>>,
    /// The folder that is bound: its path, and what was there.
    bound: Option<(PathBuf, Arc<Node>)>,
}

/// How many hold a lock; this many: one that shares it with nobody.
const EXCLUSIVE: u32 = u32::MAX;

#[derive(Debug)]
struct Tree {
    /// By path below the root, which is the empty path.
    nodes: BTreeMap<PathBuf, Arc<Node>>,
    /// Holders of the locks of files and directories, by their number.
    locked: BTreeMap<u64, u32>,
    last_id: u64,
}

/// A file or a directory. It lives as long as it has a name or is open.
#[derive(Debug)]
struct Node {
    id: u64,
    mode: AtomicU32,
    /// Whether it has no name any more.
    is_removed: AtomicBool,
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
            links: u64::from(!self.is_removed.load(Ordering::Acquire)),
        })
    }

    fn fork(&self) -> Self {
        Self {
            id: self.id,
            mode: AtomicU32::new(self.mode.load(Ordering::Acquire)),
            is_removed: AtomicBool::new(false),
            bytes: self.bytes.as_ref().map(|bytes| Mutex::new(Arc::clone(&lock(bytes)))),
        }
    }
}

impl Tree {
    fn add(&mut self, path: PathBuf, dir: bool) -> Arc<Node> {
        self.last_id += 1;
        let (mode, bytes) = if dir { (0o700, None) } else { (0o600, Some(Mutex::default())) };
        let (id, mode, is_removed) = (self.last_id, AtomicU32::new(mode), AtomicBool::new(false));
        let node = Arc::new(Node { id, mode, is_removed, bytes });
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
            if let Some(node) = self.nodes.remove(&path)
                && let Some(replaced) = self.nodes.insert(moved, node)
            {
                replaced.is_removed.store(true, Ordering::Release);
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
        for path in self.below(path).iter().map(PathBuf::as_path).chain([path]) {
            if let Some(node) = self.nodes.remove(path) {
                node.is_removed.store(true, Ordering::Release);
            }
        }
        Ok(())
    }

    /// Where a directory is now that was at `dir`.
    fn place_of(&self, dir: &Path, node: &Arc<Node>) -> Option<PathBuf> {
        let is_it = |found: &Arc<Node>| Arc::ptr_eq(found, node);
        if self.nodes.get(dir).is_some_and(is_it) {
            return Some(dir.to_path_buf());
        }
        self.nodes.iter().find(|(_, found)| is_it(found)).map(|(path, _)| path.clone())
    }

    fn take_lock(&mut self, id: u64, mode: LockMode) -> bool {
        let holders = self.locked.entry(id).or_default();
        match (*holders, mode) {
            (EXCLUSIVE, _) => return false,
            (_, LockMode::Shared) => *holders += 1,
            (0, _) => *holders = EXCLUSIVE,
            _ => return false,
        }
        true
    }
}

impl MemoryFs {
    /// An empty file system.
    #[must_use]
    pub fn new() -> Self {
        let mut tree = Tree { nodes: BTreeMap::new(), locked: BTreeMap::new(), last_id: 0 };
        tree.add(PathBuf::new(), true);
        Self::of(tree)
    }

    fn of(tree: Tree) -> Self {
        Self { tree: Arc::new(Mutex::new(tree)), bound: None }
    }

    /// A path below the root. Below the folder that is bound it is where that folder is now.
    fn place(&self, tree: &Tree, path: &Path) -> io::Result<PathBuf> {
        let path = inside(path)?;
        let Some((dir, node)) = &self.bound else { return Ok(path) };
        let Ok(rest) = path.strip_prefix(dir) else { return Ok(path) };
        let now = tree.place_of(dir, node).ok_or(io::ErrorKind::NotFound)?;
        // A join with nothing would end in a slash, which is the same path.
        Ok(now.join(rest).components().collect())
    }

    /// Another one with the same content. Nothing is open or locked there.
    #[must_use]
    pub fn fork(&self) -> Self {
        let tree = lock(&self.tree);
        let nodes = tree.nodes.iter().map(|(path, node)| (path.clone(), Arc::new(node.fork())));
        let nodes = nodes.collect();
        Self::of(Tree { nodes, locked: BTreeMap::new(), last_id: tree.last_id })
    }

    /// The paths of all files, in order.
    #[must_use]
    pub fn paths(&self) -> Vec<PathBuf> {
        let tree = lock(&self.tree);
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
        let mut tree = lock(&self.tree);
        let path = self.place(&tree, path)?;
        let node = tree.open(path, mode)?;
        Ok(Arc::new(Handle { node, writable: mode != OpenMode::Read }))
    }

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        let mut tree = lock(&self.tree);
        let path = self.place(&tree, path)?;
        tree.create(path, true).map(drop)
    }

    fn read_dir(&self, path: &Path) -> io::Result<Vec<DirEntry>> {
        let tree = lock(&self.tree);
        let path = self.place(&tree, path)?;
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
        let tree = lock(&self.tree);
        if let Some((dir, node)) = &self.bound
            && inside(path)? == *dir
        {
            return node.metadata().map(Some);
        }
        match self.place(&tree, path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            path => tree.lookup(&path?)?.map(|node| node.metadata()).transpose(),
        }
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut tree = lock(&self.tree);
        let (from, to) = (self.place(&tree, from)?, self.place(&tree, to)?);
        tree.rename(&from, &to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        let mut tree = lock(&self.tree);
        let path = self.place(&tree, path)?;
        tree.remove(&path, false)
    }

    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        let mut tree = lock(&self.tree);
        let path = self.place(&tree, path)?;
        tree.remove(&path, true)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        let tree = lock(&self.tree);
        let is_dir = tree.find(&self.place(&tree, path)?)?.is_dir();
        if is_dir { Ok(()) } else { Err(io::ErrorKind::NotADirectory.into()) }
    }

    fn set_mode(&self, path: &Path, mode: u32) -> io::Result<()> {
        let tree = lock(&self.tree);
        let node = tree.find(&self.place(&tree, path)?)?;
        node.mode.store(mode & 0o7777, Ordering::Release);
        Ok(())
    }

    fn free_bytes(&self, _path: &Path) -> io::Result<u64> {
        Ok(FREE_BYTES)
    }

    fn lock(&self, path: &Path, mode: LockMode) -> io::Result<Option<Box<dyn LockGuard>>> {
        let mut tree = lock(&self.tree);
        let path = self.place(&tree, path)?;
        let dir = tree.lookup(&path)?.filter(|node| node.is_dir()).cloned();
        let writable = dir.is_none() && mode != LockMode::Shared;
        let how = match mode {
            LockMode::Make => OpenMode::Create,
            LockMode::Existing => OpenMode::Existing,
            LockMode::Shared => OpenMode::Read,
        };
        let node = dir.map_or_else(|| tree.open(path, how), Ok)?;
        if !tree.take_lock(node.id, mode) {
            return Ok(None);
        }
        let tree = Arc::clone(&self.tree);
        Ok(Some(Box::new(Guard { file: Handle { node, writable }, tree })))
    }

    fn bind(self: Arc<Self>, dir: &Path) -> io::Result<Arc<dyn Fs>> {
        let tree = lock(&self.tree);
        let node = Arc::clone(tree.find(&self.place(&tree, dir)?)?);
        if !node.is_dir() {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        Ok(Arc::new(Self { tree: Arc::clone(&self.tree), bound: Some((inside(dir)?, node)) }))
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
        let mut tree = lock(&self.tree);
        match tree.locked.get_mut(&self.file.node.id) {
            Some(holders) if *holders != EXCLUSIVE && *holders > 1 => *holders -= 1,
            _ => drop(tree.locked.remove(&self.file.node.id)),
        }
    }
}

#[cfg(test)]
mod tests;
