//! The hostile disk below [`SimFs`](super::SimFs): visible content, durable content, and what a power cut
//! keeps of the difference.
//!
//! ```text
//! file       seen    = durable + pending changes + changes lost by a failed sync
//! directory  seen    = durable + pending entry changes
//! a sync of the file (directory) moves its pending changes to durable, in order
//! a power cut keeps some pending changes and makes durable the only truth
//! ```
//!
//! - **D1** A name is durable only after its directory's sync, even if the file's own content is;
//!   and only if every directory above it is.
//! - **D2** Of unsynced writes any may reach the disk, in any order, but a sector is never torn and
//!   holds what was seen in it at some one moment: later bytes never without earlier ones.
//! - **D3** Of unsynced entry changes any may be kept, but one that builds on another (same file or
//!   same name) only with it; a rename, also between directories, is kept whole or not at all.
//! - **D4** What a failed file sync was to cover is lost to all later syncs (its pages count as
//!   clean), until it is written again.

use super::Prng;
use super::content::Content;
use super::entries::{EntryChange, kept_entries};
use super::plan::{CrashPlan, Pending};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

/// Bytes that a disk writes whole or not at all.
pub const SECTOR_BYTES: u64 = 512;

/// Number of a file or directory; never used again.
pub(super) type Ino = u64;
const ROOT: Ino = 1;

#[derive(Clone, Debug)]
pub(super) struct Disk {
    pub(super) nodes: BTreeMap<Ino, Node>,
    next_ino: Ino,
    /// Numbers the pending changes of all files and directories in their order.
    pub(super) next_change: u64,
    pending_entries: Vec<EntryChange>,
    /// Whether durability is tracked at all.
    pub(super) tracked: bool,
    /// Whether something may have lost its last name.
    garbage: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) path: Arc<Path>,
    pub(super) mode: u32,
    /// Open handles: an unlinked file lives as long as it is open.
    pub(super) handles: u32,
    pub(super) body: Body,
}

#[derive(Clone, Debug)]
pub(super) enum Body {
    File(Content),
    Dir(Names),
}

#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    seen: BTreeMap<Box<str>, Ino>,
    durable: BTreeMap<Box<str>, Ino>,
}

impl Disk {
    pub(super) fn new(tracked: bool) -> Self {
        let root = Node {
            path: Path::new("/").into(),
            mode: 0o700,
            handles: 0,
            body: Body::Dir(Names::default()),
        };
        Self {
            nodes: BTreeMap::from([(ROOT, root)]),
            next_ino: ROOT + 1,
            next_change: 0,
            pending_entries: Vec::new(),
            tracked,
            garbage: false,
        }
    }

    // --- names ---

    pub(super) fn lookup(&self, path: &Path) -> io::Result<Option<Ino>> {
        let mut at = ROOT;
        for name in components(path)? {
            match self.names(at)?.seen.get(name) {
                Some(ino) => at = *ino,
                None => return Ok(None),
            }
        }
        Ok(Some(at))
    }

    pub(super) fn find(&self, path: &Path) -> io::Result<Ino> {
        self.lookup(path)?.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Whether a path leads to it.
    pub(super) fn has_name(&self, ino: Ino) -> bool {
        let named = self.node(ino).and_then(|node| self.lookup(&node.path));
        matches!(named, Ok(Some(found)) if found == ino)
    }

    /// The directory that holds the last name of `path`, and that name.
    fn place(&self, path: &Path) -> io::Result<(Ino, Box<str>)> {
        let mut names = components(path)?;
        let last = names.pop().ok_or(io::ErrorKind::InvalidInput)?;
        let mut dir = ROOT;
        for name in names {
            dir = *self.names(dir)?.seen.get(name).ok_or(io::ErrorKind::NotFound)?;
        }
        self.names(dir)?;
        Ok((dir, last.into()))
    }

    pub(super) fn create(&mut self, path: &Path, dir: bool) -> io::Result<Ino> {
        let (parent, name) = self.place(path)?;
        if self.names(parent)?.seen.contains_key(&name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let ino = self.next_ino;
        self.next_ino += 1;
        let (mode, body) = if dir {
            (0o700, Body::Dir(Names::default()))
        } else {
            (0o600, Body::File(Content::default()))
        };
        self.nodes.insert(ino, Node { path: normal(path)?.into(), mode, handles: 0, body });
        self.change_entries(vec![(parent, name, Some(ino))], vec![ino])?;
        Ok(ino)
    }

    pub(super) fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let ino = self.find(from)?;
        let (from_dir, from_name) = self.place(from)?;
        let (to_dir, to_name) = self.place(to)?;
        if normal(to)?.starts_with(normal(from)?) {
            // Onto itself nothing happens; below itself it cannot go.
            let same = (from_dir, &from_name) == (to_dir, &to_name);
            return if same { Ok(()) } else { Err(io::ErrorKind::InvalidInput.into()) };
        }
        let mut moved = vec![ino];
        if let Some(replaced) = self.names(to_dir)?.seen.get(&to_name).copied() {
            match (self.is_dir(ino), self.names(replaced)) {
                (false, Ok(_)) => return Err(io::ErrorKind::IsADirectory.into()),
                (true, Err(error)) => return Err(error),
                (true, Ok(names)) if !names.seen.is_empty() => {
                    return Err(io::ErrorKind::DirectoryNotEmpty.into());
                }
                _ => moved.push(replaced),
            }
        }
        self.change_entries(
            vec![(from_dir, from_name, None), (to_dir, to_name, Some(ino))],
            moved,
        )?;
        self.repath(ino, &normal(to)?);
        self.collect();
        Ok(())
    }

    /// Removes a file; with `dir`, a directory with all it holds, children first.
    pub(super) fn remove(&mut self, path: &Path, dir: bool) -> io::Result<()> {
        let ino = self.find(path)?;
        match (dir, self.is_dir(ino)) {
            (false, true) => return Err(io::ErrorKind::IsADirectory.into()),
            (true, false) => return Err(io::ErrorKind::NotADirectory.into()),
            _ => {}
        }
        let (parent, name) = self.place(path)?;
        self.unlink(parent, name, ino)?;
        self.collect();
        Ok(())
    }

    fn unlink(&mut self, parent: Ino, name: Box<str>, ino: Ino) -> io::Result<()> {
        if self.is_dir(ino) {
            for (child_name, child) in self.names(ino)?.seen.clone() {
                self.unlink(ino, child_name, child)?;
            }
        }
        self.change_entries(vec![(parent, name, None)], vec![ino])
    }

    fn change_entries(
        &mut self,
        entries: Vec<(Ino, Box<str>, Option<Ino>)>,
        moved: Vec<Ino>,
    ) -> io::Result<()> {
        for (dir, name, ino) in &entries {
            self.garbage |= ino.is_none() || self.names(*dir)?.seen.contains_key(name);
            set_entry(&mut self.names_mut(*dir)?.seen, name, *ino);
        }
        if self.tracked {
            let number = self.next_change;
            self.next_change += 1;
            self.pending_entries.push(EntryChange { number, entries, moved });
        }
        Ok(())
    }

    pub(super) fn list(&self, path: &Path) -> io::Result<Vec<(String, bool)>> {
        let names = &self.names(self.find(path)?)?.seen;
        Ok(names.iter().map(|(name, ino)| (name.to_string(), self.is_dir(*ino))).collect())
    }

    /// Makes a directory's names durable, and of other directories what that builds on.
    pub(super) fn sync_dir(&mut self, dir: Ino) -> io::Result<()> {
        self.names(dir)?;
        let mut dirs = BTreeSet::from([dir]);
        let mut due = Vec::new();
        // From the end, so that what an atomic change draws in is met on the way.
        for change in std::mem::take(&mut self.pending_entries).into_iter().rev() {
            if change.entries.iter().any(|(dir, ..)| dirs.contains(dir)) {
                dirs.extend(change.entries.iter().map(|(dir, ..)| *dir));
                due.push(change);
            } else {
                self.pending_entries.push(change);
            }
        }
        self.pending_entries.reverse();
        for change in due.into_iter().rev() {
            self.settle_entries(&change);
        }
        self.collect();
        Ok(())
    }

    fn settle_entries(&mut self, change: &EntryChange) {
        for (dir, name, ino) in &change.entries {
            let Ok(names) = self.names_mut(*dir) else { continue };
            let loses = ino.is_none() || names.durable.contains_key(name);
            set_entry(&mut names.durable, name, *ino);
            self.garbage |= loses;
        }
    }

    // --- the disk from outside ---

    /// Removes a file at once and for ever, without a trace among the pending changes.
    pub(super) fn delete(&mut self, path: &Path) -> io::Result<()> {
        let (dir, name) = self.place(path)?;
        let ino = self.find(path)?;
        for change in &mut self.pending_entries {
            change.entries.retain(|(at, entry, _)| (*at, entry) != (dir, &name));
        }
        let names = self.names_mut(dir)?;
        names.seen.remove(&name);
        names.durable.remove(&name);
        self.garbage = true;
        debug_assert!(ino != ROOT, "place() has refused the root");
        self.collect();
        Ok(())
    }

    /// All bytes of files that have a name, holes included.
    pub(super) fn used_bytes(&self) -> u64 {
        let named = self.walk_from(vec![ROOT], &|names| vec![&names.seen]);
        named.iter().filter_map(|ino| self.len(*ino).ok()).sum()
    }

    /// Paths of all names of files, in order.
    pub(super) fn paths(&self) -> Vec<PathBuf> {
        let mut paths = Vec::new();
        let mut open = vec![(PathBuf::from("/"), ROOT)];
        while let Some((path, ino)) = open.pop() {
            match self.names(ino) {
                Ok(names) => {
                    open.extend(names.seen.iter().map(|(name, ino)| (path.join(&**name), *ino)));
                }
                Err(_) => paths.push(path),
            }
        }
        paths.sort();
        paths
    }

    // --- the end of a process, and of the power ---

    /// No handle is open any more.
    pub(super) fn forget_handles(&mut self) {
        for node in self.nodes.values_mut() {
            node.handles = 0;
        }
        self.garbage = true;
        self.collect();
    }

    /// Keeps the unsynced changes that `plan` selects. Afterwards everything is durable.
    pub(super) fn crash(&mut self, plan: CrashPlan) {
        if self.tracked {
            let mut rng = plan.seed().map(Prng::new);
            let rotten = match (plan, &mut rng) {
                (CrashPlan::Rot(_), Some(rng)) => self.choose_rotten(rng),
                _ => None,
            };
            let changes = std::mem::take(&mut self.pending_entries);
            for change in kept_entries(changes, plan, rng.as_mut()) {
                self.settle_entries(&change);
            }
            for (ino, node) in &mut self.nodes {
                match &mut node.body {
                    Body::File(content) if Some(*ino) == rotten => content.crash_with_rot(&mut rng),
                    Body::File(content) => content.crash(plan, rng.as_mut()),
                    Body::Dir(names) => names.seen.clone_from(&names.durable),
                }
            }
            self.repath(ROOT, Path::new("/"));
        }
        self.forget_handles();
    }

    /// One of the files with unsynced changes.
    fn choose_rotten(&self, rng: &mut Prng) -> Option<Ino> {
        let dirty = |node: &Node| matches!(&node.body, Body::File(file) if file.is_dirty());
        let dirty: Vec<Ino> =
            self.nodes.iter().filter(|(_, node)| dirty(node)).map(|(ino, _)| *ino).collect();
        let at = usize::try_from(rng.below(dirty.len() as u64)).unwrap_or(0);
        dirty.get(at).copied()
    }

    /// The unsynced changes, in their order.
    pub(super) fn pending(&self) -> Vec<Pending> {
        let entry = |change: &EntryChange| Pending {
            number: change.number,
            sectors: 0,
            path: change
                .entries
                .last()
                .and_then(|(dir, name, _)| Some(self.nodes.get(dir)?.path.join(&**name)))
                .unwrap_or_default(),
        };
        let mut pending: Vec<Pending> = self.pending_entries.iter().map(entry).collect();
        for node in self.nodes.values() {
            if let Body::File(content) = &node.body {
                pending.extend(content.pending_changes(&node.path));
            }
        }
        pending.sort_by_key(|change| change.number);
        pending
    }

    /// What a power cut of this moment leaves: names and durable bytes.
    pub(super) fn durable_files(&self) -> Vec<(PathBuf, &[u8])> {
        let mut files = Vec::new();
        let mut open = vec![(PathBuf::from("/"), ROOT)];
        while let Some((path, ino)) = open.pop() {
            match self.nodes.get(&ino).map(|node| &node.body) {
                Some(Body::Dir(names)) => {
                    files.push((path.clone(), &[][..]));
                    let inner = names.durable.iter();
                    open.extend(inner.map(|(name, ino)| (path.join(&**name), *ino)));
                }
                Some(Body::File(content)) => files.push((path, content.durable.as_slice())),
                None => {}
            }
        }
        files
    }

    // --- nodes ---

    pub(super) fn node(&self, ino: Ino) -> io::Result<&Node> {
        self.nodes.get(&ino).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    pub(super) fn node_mut(&mut self, ino: Ino) -> io::Result<&mut Node> {
        self.nodes.get_mut(&ino).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    pub(super) fn is_dir(&self, ino: Ino) -> bool {
        self.names(ino).is_ok()
    }

    fn names(&self, ino: Ino) -> io::Result<&Names> {
        match &self.node(ino)?.body {
            Body::Dir(names) => Ok(names),
            Body::File(_) => Err(io::ErrorKind::NotADirectory.into()),
        }
    }

    fn names_mut(&mut self, ino: Ino) -> io::Result<&mut Names> {
        match &mut self.node_mut(ino)?.body {
            Body::Dir(names) => Ok(names),
            Body::File(_) => Err(io::ErrorKind::NotADirectory.into()),
        }
    }

    /// Writes the paths of `ino` and of all below it anew.
    fn repath(&mut self, ino: Ino, path: &Path) {
        let Some(node) = self.nodes.get_mut(&ino) else { return };
        node.path = path.into();
        let children = match &node.body {
            Body::Dir(names) => names.seen.clone(),
            Body::File(_) => return,
        };
        for (name, child) in children {
            self.repath(child, &path.join(&*name));
        }
    }

    /// The nodes that can be reached through what `views` shows of each directory.
    fn walk_from<'a>(&'a self, mut open: Vec<Ino>, views: Views<'a>) -> BTreeSet<Ino> {
        let mut reached = BTreeSet::new();
        while let Some(ino) = open.pop() {
            if reached.insert(ino)
                && let Some(Node { body: Body::Dir(names), .. }) = self.nodes.get(&ino)
            {
                open.extend(views(names).into_iter().flat_map(BTreeMap::values));
            }
        }
        reached
    }

    /// Frees nodes that are unreachable, now and after any power cut.
    pub(super) fn collect(&mut self) {
        if !self.garbage {
            return;
        }
        let named = self.walk_from(vec![ROOT], &|names| vec![&names.seen, &names.durable]);
        if named.len() < self.nodes.len() {
            let mut roots = vec![ROOT];
            let open = self.nodes.iter().filter(|(_, node)| node.handles > 0);
            roots.extend(open.map(|(ino, _)| *ino));
            for change in &self.pending_entries {
                roots.extend(&change.moved);
            }
            let reached = self.walk_from(roots, &|names| vec![&names.seen, &names.durable]);
            self.nodes.retain(|ino, _| reached.contains(ino));
        }
        // A node without a name is freed with its last handle or its last unsynced change.
        self.garbage = named.len() < self.nodes.len();
    }
}

type Views<'a> = &'a dyn Fn(&'a Names) -> Vec<&'a BTreeMap<Box<str>, Ino>>;

fn set_entry(names: &mut BTreeMap<Box<str>, Ino>, name: &str, ino: Option<Ino>) {
    match ino {
        Some(ino) => {
            names.insert(name.into(), ino);
        }
        None => {
            names.remove(name);
        }
    }
}

fn components(path: &Path) -> io::Result<Vec<&str>> {
    let mut names = Vec::new();
    for component in path.components() {
        match component {
            Component::RootDir | Component::CurDir => {}
            Component::Normal(name) => {
                names.push(name.to_str().ok_or(io::ErrorKind::InvalidInput)?);
            }
            Component::ParentDir | Component::Prefix(_) => {
                return Err(io::ErrorKind::InvalidInput.into());
            }
        }
    }
    Ok(names)
}

/// The one spelling of `path`: from the root, without `.`.
fn normal(path: &Path) -> io::Result<PathBuf> {
    Ok(std::iter::once("/").chain(components(path)?).collect())
}
