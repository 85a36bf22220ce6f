//! The state folder as files: syncing, permission bits, sizes. sled names none of this.
//!
//! ```text
//! state/db                     sled's log of pages, the only file it writes while running
//! state/conf                   segment size; written once, never synced by sled
//! state/snap.<lsn>             page table, written while sled opens
//! state/snap.<lsn>.generating  the same, unfinished: would be taken for the newest, so removed
//! state/blobs/                 pages over a quarter segment: only those of very long records
//! ```
//!
//! sled replaces `snap.*` and truncates `db` while other threads list the folder. A file that vanished
//! between listing and opening held nothing that is needed.

use crate::env::{File, FileKind, Fs, OpenMode, parent};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// sled's log of pages.
pub(super) const DB_FILE: &str = "db";
const BLOBS_DIR: &str = "blobs";
const SNAPSHOT_PREFIX: &str = "snap.";
const UNFINISHED_SUFFIX: &str = ".generating";

const FILE_MODE: u32 = 0o600;
const DIR_MODE: u32 = 0o700;

/// Files and directories of a state, the folder itself first.
pub(super) struct Listing {
    pub(super) dirs: Vec<PathBuf>,
    pub(super) files: Vec<PathBuf>,
}

/// Lists the state folder. `InvalidData` if an entry is neither file nor directory, because sled would
/// follow a link out of the vault.
pub(super) fn list(fs: &dyn Fs, state: &Path) -> io::Result<Listing> {
    let mut listing = Listing { dirs: vec![state.to_path_buf()], files: Vec::new() };
    let mut next = 0;
    while let Some(dir) = listing.dirs.get(next).cloned() {
        next += 1;
        let Some(entries) = if_present(fs.read_dir(&dir))? else { continue };
        for entry in entries {
            let path = dir.join(&entry.name);
            match entry.kind {
                FileKind::File => listing.files.push(path),
                FileKind::Dir => listing.dirs.push(path),
                FileKind::Other => return Err(io::ErrorKind::InvalidData.into()),
            }
        }
    }
    Ok(listing)
}

/// Prepares the folder for sled: it exists, is private, its name is durable, and it holds no unfinished
/// snapshots of a killed process.
pub(super) fn prepare(fs: &dyn Fs, state: &Path) -> io::Result<()> {
    if fs.metadata(state)?.is_none() {
        fs.create_dir(state)?;
        fs.sync_dir(&parent(state))?;
    }
    // Created here, because sled would create it with the umask's mode.
    let blobs = state.join(BLOBS_DIR);
    if fs.metadata(&blobs)?.is_none() {
        fs.create_dir(&blobs)?;
    }
    for path in list(fs, state)?.files {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with(SNAPSHOT_PREFIX) && name.ends_with(UNFINISHED_SUFFIX) {
            if_present(fs.remove_file(&path))?;
        }
    }
    Ok(())
}

/// Removes all permissions of group and others, because sled creates files with the umask's mode.
pub(super) fn make_private(fs: &dyn Fs, state: &Path) -> io::Result<()> {
    let listing = list(fs, state)?;
    for (paths, mode) in [(listing.dirs, DIR_MODE), (listing.files, FILE_MODE)] {
        for path in paths {
            if let Some(facts) = fs.metadata(&path)?
                && facts.mode & 0o7777 != mode
            {
                if_present(fs.set_mode(&path, mode))?;
            }
        }
    }
    Ok(())
}

/// Our own descriptors of every file of the state. They are opened before sled flushes, so that our sync
/// also receives a write-back error that occurs during the flush.
pub(super) struct Descriptors {
    open: Vec<(PathBuf, Arc<dyn File>)>,
}

impl Descriptors {
    pub(super) fn open(fs: &dyn Fs, state: &Path) -> io::Result<Self> {
        let mut descriptors = Self { open: Vec::new() };
        descriptors.open_new(fs, state)?;
        Ok(descriptors)
    }

    fn open_new(&mut self, fs: &dyn Fs, state: &Path) -> io::Result<Vec<PathBuf>> {
        let listing = list(fs, state)?;
        for path in listing.files {
            if self.open.iter().any(|(known, _)| *known == path) {
                continue;
            }
            if let Some(file) = if_present(fs.open(&path, OpenMode::Existing))? {
                self.open.push((path, file));
            }
        }
        Ok(listing.dirs)
    }

    /// Syncs every file, then every directory, then the parent of the state folder.
    pub(super) fn sync(mut self, fs: &dyn Fs, state: &Path) -> io::Result<()> {
        let dirs = self.open_new(fs, state)?;
        for (_, file) in &self.open {
            file.sync_all()?;
        }
        for dir in dirs {
            if_present(fs.sync_dir(&dir))?;
        }
        fs.sync_dir(&parent(state))
    }
}

/// Bytes of all files below `state`. Files that cannot be inspected count as zero.
pub(crate) fn disk_bytes(fs: &dyn Fs, state: &Path) -> u64 {
    let files = list(fs, state).map(|listing| listing.files).unwrap_or_default();
    files.iter().filter_map(|path| fs.metadata(path).ok().flatten()).map(|facts| facts.len).sum()
}

/// `None` if the file has vanished.
fn if_present<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
