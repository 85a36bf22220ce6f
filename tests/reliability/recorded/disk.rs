//! Computes from the calls of a process what a disk may hold after a power cut.
//!
//! Content is durable once its file was synced after the write. A name is durable once its folder was
//! synced after the name was given (for a rename: the target folder). Any other change may be kept or lost
//! independently, and a write may be kept in part, by sectors.

use super::trace::{Call, Event};
use crate::common::rng::Rng;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

/// What a drive writes whole.
const SECTOR: u64 = 512;

#[derive(Clone, Default)]
struct File {
    live: Vec<u8>,
    durable: Vec<u8>,
    pending: Vec<(usize, Data)>,
}

#[derive(Clone)]
enum Data {
    Write(u64, Arc<[u8]>),
    SetLen(u64, bool),
}

#[derive(Clone)]
enum Name {
    Link { dir: usize, name: String, node: usize },
    Unlink { dir: usize, name: String },
    Rename { from: (usize, String), to: (usize, String), node: usize },
}

/// Entries of each node that is a folder.
type Folders = Vec<Option<BTreeMap<String, usize>>>;

#[derive(Clone)]
pub struct Disk {
    root: PathBuf,
    /// Nodes that are files.
    files: Vec<Option<File>>,
    live: Folders,
    durable: Folders,
    pending: Vec<(usize, Name)>,
}

/// What of the unsynced is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    None,
    All,
    /// Names are gone, content is there.
    Names,
    /// Content is gone, names are there.
    Content,
    /// Files have their new lengths and zeros in them.
    Zeros,
    /// Only that pending write (counted over all files) is gone.
    One(usize),
    /// Each for itself, writes in sectors.
    Random(u64),
}

/// Files and folders by path below the root.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Image {
    pub dirs: Vec<PathBuf>,
    pub files: BTreeMap<PathBuf, Vec<u8>>,
}

impl Disk {
    pub fn new(root: &Path) -> Self {
        let mut disk = Self {
            root: root.to_owned(),
            files: Vec::new(),
            live: Vec::new(),
            durable: Vec::new(),
            pending: Vec::new(),
        };
        disk.add(true);
        disk
    }

    fn add(&mut self, folder: bool) -> usize {
        self.files.push((!folder).then(File::default));
        self.live.push(folder.then(BTreeMap::new));
        self.durable.push(folder.then(BTreeMap::new));
        self.files.len() - 1
    }

    /// Takes a call; whether it changed anything.
    pub fn take(&mut self, event: &Event) -> bool {
        let at = event.at;
        match &event.call {
            Call::Said(_) => return false,
            Call::Open { path, create, cut } => match self.find(path) {
                None if *create => self.link(at, path, false),
                Some(node) if *cut && self.files[node].is_some() => {
                    self.change(at, node, Data::SetLen(0, false));
                }
                _ => return false,
            },
            Call::Mkdir { path } => self.link(at, path, true),
            Call::Write { path, offset, bytes } => {
                let node = self.known(path);
                self.change(at, node, Data::Write(*offset, bytes.as_slice().into()));
            }
            Call::SetLen { path, len, grow } => {
                let node = self.known(path);
                self.change(at, node, Data::SetLen(*len, *grow));
            }
            Call::Sync { path } => {
                let node = self.known(path);
                self.sync(event.began, node);
            }
            Call::Rename { from, to } => {
                let node = self.known(from);
                let name = Name::Rename { from: self.place(from), to: self.place(to), node };
                self.name(at, name);
            }
            Call::Remove { path } => {
                let (dir, name) = self.place(path);
                self.name(at, Name::Unlink { dir, name });
            }
        }
        true
    }

    fn find(&self, path: &Path) -> Option<usize> {
        let mut node = 0;
        for part in path.strip_prefix(&self.root).ok()?.components() {
            let Component::Normal(part) = part else { continue };
            node = *self.live[node].as_ref()?.get(part.to_str()?)?;
        }
        Some(node)
    }

    fn known(&self, path: &Path) -> usize {
        self.find(path).unwrap_or_else(|| panic!("the trace has no beginning of {path:?}"))
    }

    fn place(&self, path: &Path) -> (usize, String) {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        (self.known(path.parent().unwrap()), name)
    }

    fn link(&mut self, at: usize, path: &Path, folder: bool) {
        let (dir, name) = self.place(path);
        let node = self.add(folder);
        self.name(at, Name::Link { dir, name, node });
    }

    fn name(&mut self, at: usize, name: Name) {
        apply_name(&name, &mut self.live);
        self.pending.push((at, name));
    }

    fn change(&mut self, at: usize, node: usize, data: Data) {
        let file = self.files[node].as_mut().expect("a folder is not written to");
        apply_data(&mut file.live, &data);
        file.pending.push((at, data));
    }

    fn sync(&mut self, began: usize, node: usize) {
        if let Some(File { durable, pending, .. }) = &mut self.files[node] {
            pending.retain(|(at, data)| {
                if *at < began {
                    apply_data(durable, data);
                }
                *at >= began
            });
            return;
        }
        let durable = &mut self.durable;
        self.pending.retain(|(at, name)| {
            let folder = match name {
                Name::Link { dir, .. } | Name::Unlink { dir, .. } => *dir,
                Name::Rename { to, .. } => to.0,
            };
            let covered = *at < began && folder == node;
            if covered {
                apply_name(name, durable);
            }
            !covered
        });
    }

    /// Writes that a power cut could take.
    pub fn pending_writes(&self) -> usize {
        self.files.iter().flatten().map(|file| file.pending.len()).sum()
    }

    pub fn image(&self, loss: Loss) -> Image {
        let mut rng = Rng::new(if let Loss::Random(seed) = loss { seed } else { 0 });
        let keep = [20, 50, 80, 95][rng.below(4)];
        let mut folders = self.durable.clone();
        // A journal brings names back in order, up to some moment; without one each is for itself.
        let journal = rng.chance(50).then(|| rng.below(self.pending.len() + 1));
        for (nth, (_, name)) in self.pending.iter().enumerate() {
            let there = match loss {
                Loss::None | Loss::Content | Loss::Zeros | Loss::One(_) => true,
                Loss::All | Loss::Names => false,
                Loss::Random(_) => journal.map_or_else(|| rng.chance(keep), |end| nth < end),
            };
            if there && is_possible(name, &folders) {
                apply_name(name, &mut folders);
            }
        }
        let mut contents = BTreeMap::new();
        let mut nth = 0;
        for (node, file) in self.files.iter().enumerate() {
            let Some(file) = file else { continue };
            contents.insert(node, content(file, loss, keep, &mut rng, &mut nth));
        }
        let mut image = Image::default();
        let mut queue = vec![(PathBuf::new(), 0)];
        while let Some((path, node)) = queue.pop() {
            if let Some(entries) = &folders[node] {
                queue.extend(entries.iter().map(|(name, child)| (path.join(name), *child)));
                image.dirs.push(path);
            } else {
                image.files.insert(path, contents[&node].clone());
            }
        }
        image.dirs.sort();
        image
    }
}

/// A folder with something in it is not removed.
fn is_possible(name: &Name, folders: &Folders) -> bool {
    let Name::Unlink { dir, name } = name else { return true };
    let node = folders[*dir].as_ref().and_then(|entries| entries.get(name));
    node.is_none_or(|node| folders[*node].as_ref().is_none_or(BTreeMap::is_empty))
}

fn content(file: &File, loss: Loss, keep: usize, rng: &mut Rng, nth: &mut usize) -> Vec<u8> {
    let mut content = file.durable.clone();
    for (_, data) in &file.pending {
        let number = *nth;
        *nth += 1;
        match (loss, data) {
            (Loss::All | Loss::Content, _) => {}
            (Loss::One(lost), _) if lost == number => {}
            (Loss::None | Loss::Names | Loss::One(_), _) | (Loss::Zeros, Data::SetLen(..)) => {
                apply_data(&mut content, data);
            }
            (Loss::Zeros, Data::Write(offset, bytes)) => {
                apply_data(&mut content, &Data::SetLen(offset + bytes.len() as u64, true));
            }
            (Loss::Random(_), Data::SetLen(..)) => {
                if rng.chance(keep) {
                    apply_data(&mut content, data);
                }
            }
            (Loss::Random(_), Data::Write(offset, bytes)) => match rng.below(100) {
                0..15 => {
                    apply_data(&mut content, &Data::SetLen(offset + bytes.len() as u64, true));
                }
                15..40 => sectors(&mut content, *offset, bytes, keep, rng),
                _ if rng.chance(keep) => apply_data(&mut content, data),
                _ => {}
            },
        }
    }
    content
}

/// Some of the sectors of a write.
fn sectors(content: &mut Vec<u8>, offset: u64, bytes: &[u8], keep: usize, rng: &mut Rng) {
    let mut at = 0;
    while at < bytes.len() {
        let next = (offset + at as u64 + 1).next_multiple_of(SECTOR) - offset;
        let end = usize::try_from(next).unwrap().min(bytes.len());
        if rng.chance(keep) {
            apply_data(content, &Data::Write(offset + at as u64, bytes[at..end].into()));
        }
        at = end;
    }
}

fn apply_data(content: &mut Vec<u8>, data: &Data) {
    match data {
        Data::Write(offset, bytes) => {
            let start = usize::try_from(*offset).unwrap();
            let end = start + bytes.len();
            if content.len() < end {
                content.resize(end, 0);
            }
            content[start..end].copy_from_slice(bytes);
        }
        Data::SetLen(len, grow) => {
            let len = usize::try_from(*len).unwrap();
            if !grow || content.len() < len {
                content.resize(len, 0);
            }
        }
    }
}

fn apply_name(name: &Name, folders: &mut Folders) {
    let mut entries = |dir: usize| folders[dir].take().unwrap_or_default();
    match name {
        Name::Link { dir, name, node } => {
            let mut within = entries(*dir);
            within.insert(name.clone(), *node);
            folders[*dir] = Some(within);
        }
        Name::Unlink { dir, name } => {
            let mut within = entries(*dir);
            within.remove(name);
            folders[*dir] = Some(within);
        }
        Name::Rename { from, to, node } => {
            let mut within = entries(from.0);
            // Unless another file has that name.
            if within.get(&from.1) == Some(node) {
                within.remove(&from.1);
            }
            folders[from.0] = Some(within);
            let mut within = folders[to.0].take().unwrap_or_default();
            within.insert(to.1.clone(), *node);
            folders[to.0] = Some(within);
        }
    }
}

impl Image {
    /// The files that really are below `root`.
    pub fn of(root: &Path) -> Self {
        let mut image = Self::default();
        let mut queue = vec![PathBuf::new()];
        while let Some(path) = queue.pop() {
            for entry in std::fs::read_dir(root.join(&path)).unwrap().map(Result::unwrap) {
                let path = path.join(entry.file_name());
                if entry.file_type().unwrap().is_dir() {
                    queue.push(path);
                } else {
                    let content = std::fs::read(entry.path()).unwrap();
                    image.files.insert(path, content);
                }
            }
            image.dirs.push(path);
        }
        image.dirs.sort();
        image
    }

    /// Without what lies below `dir`.
    pub fn without(mut self, dir: &Path) -> Self {
        self.dirs.retain(|path| !path.starts_with(dir));
        self.files.retain(|path, _| !path.starts_with(dir));
        self
    }

    /// Makes it real below `root`.
    pub fn write(&self, root: &Path) {
        for dir in &self.dirs {
            crate::place::make_private_dir(&root.join(dir));
        }
        for (path, content) in &self.files {
            let mut options = std::fs::OpenOptions::new();
            let file = options.write(true).create_new(true).mode(0o600).open(root.join(path));
            file.unwrap().write_all(content).unwrap();
        }
    }

    /// The paths that differ.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let mut found = Vec::new();
        for path in self.dirs.iter().chain(&other.dirs) {
            if self.dirs.contains(path) != other.dirs.contains(path) {
                found.push(format!("folder {path:?}"));
            }
        }
        for path in self.files.keys().chain(other.files.keys()) {
            let (a, b) = (self.files.get(path), other.files.get(path));
            if a != b {
                let at = a.zip(b).and_then(|(a, b)| a.iter().zip(b).position(|(a, b)| a != b));
                let lens = (a.map(Vec::len), b.map(Vec::len));
                found.push(format!("{path:?}: lengths {lens:?}, first difference at {at:?}"));
            }
        }
        found
    }
}
