//! The real file system with a note of every sync, and syncs that fail on demand.

use crate::env::{DirEntry, File, FileKind, Fs, LockGuard, LockMode, Metadata, OpenMode};
use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

#[derive(Default)]
struct Notes {
    synced: Vec<PathBuf>,
    failing_sync: Option<PathBuf>,
    free_bytes: Option<u64>,
}

/// Clones share their notes.
#[derive(Clone, Default)]
pub(super) struct NotingFs {
    notes: Arc<Mutex<Notes>>,
}

impl NotingFs {
    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was synced since the last call, sorted.
    pub(super) fn take_synced(&self) -> Vec<PathBuf> {
        let mut synced = std::mem::take(&mut self.notes().synced);
        synced.sort();
        synced.dedup();
        synced
    }

    /// Lets syncs of `path` fail from now on.
    pub(super) fn fail_sync_of(&self, path: Option<PathBuf>) {
        self.notes().failing_sync = path;
    }

    /// Claims that this much is free.
    pub(super) fn claim_free(&self, bytes: u64) {
        self.notes().free_bytes = Some(bytes);
    }

    fn sync(&self, path: &Path, sync: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        let mut notes = self.notes();
        if notes.failing_sync.as_deref() == Some(path) {
            return Err(io::Error::other("told to fail"));
        }
        notes.synced.push(path.to_path_buf());
        drop(notes);
        sync()
    }
}

struct NotingFile {
    file: fs::File,
    path: PathBuf,
    fs: NotingFs,
}

struct Guard(NotingFile);

impl LockGuard for Guard {
    fn file(&self) -> &dyn File {
        &self.0
    }
}

impl File for NotingFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.file.read_at(buffer, offset)
    }
    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.file.write_all_at(bytes, offset)
    }
    fn sync_data(&self) -> io::Result<()> {
        self.fs.sync(&self.path, || self.file.sync_data())
    }
    fn sync_all(&self) -> io::Result<()> {
        self.fs.sync(&self.path, || self.file.sync_all())
    }
    fn len(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }
    fn metadata(&self) -> io::Result<Metadata> {
        Ok(facts(&self.file.metadata()?))
    }
}

fn facts(metadata: &fs::Metadata) -> Metadata {
    Metadata {
        kind: kind(metadata.file_type()),
        len: metadata.len(),
        mode: metadata.mode() & 0o7777,
        uid: metadata.uid(),
        identity: (metadata.dev(), metadata.ino()),
        links: metadata.nlink(),
    }
}

fn kind(file_type: fs::FileType) -> FileKind {
    if file_type.is_file() {
        FileKind::File
    } else if file_type.is_dir() {
        FileKind::Dir
    } else {
        FileKind::Other
    }
}

impl Fs for NotingFs {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn File>> {
        let file = fs::OpenOptions::new()
            .read(true)
            .write(mode != OpenMode::Read)
            .create(mode == OpenMode::Create)
            .create_new(mode == OpenMode::CreateNew)
            .mode(0o600)
            .open(path)?;
        Ok(Arc::new(NotingFile { file, path: path.to_path_buf(), fs: self.clone() }))
    }
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        fs::DirBuilder::new().mode(0o700).create(path)
    }
    fn read_dir(&self, path: &Path) -> io::Result<Vec<DirEntry>> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            entries.push(DirEntry { name, kind: kind(entry.file_type()?) });
        }
        entries.sort_by(|left, right| left.name.cmp(&right.name));
        Ok(entries)
    }
    fn metadata(&self, path: &Path) -> io::Result<Option<Metadata>> {
        match fs::symlink_metadata(path) {
            Ok(metadata) => Ok(Some(facts(&metadata))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
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
        self.sync(path, || fs::File::open(path)?.sync_all())
    }
    fn set_mode(&self, path: &Path, mode: u32) -> io::Result<()> {
        fs::set_permissions(path, fs::Permissions::from_mode(mode))
    }
    fn free_bytes(&self, _path: &Path) -> io::Result<u64> {
        Ok(self.notes().free_bytes.unwrap_or(u64::MAX))
    }
    fn bind(self: Arc<Self>, _: &Path) -> io::Result<Arc<dyn Fs>> {
        Ok(self) // nobody moves a folder here
    }
    fn lock(&self, path: &Path, mode: LockMode) -> io::Result<Option<Box<dyn LockGuard>>> {
        let file = fs::OpenOptions::new()
            .read(true)
            .write(true)
            .create(mode == LockMode::Make)
            .truncate(false)
            .mode(0o600)
            .open(path)?;
        match file.try_lock() {
            Ok(()) => {
                let path = path.to_path_buf();
                Ok(Some(Box::new(Guard(NotingFile { file, path, fs: self.clone() }))))
            }
            Err(fs::TryLockError::WouldBlock) => Ok(None),
            Err(fs::TryLockError::Error(error)) => Err(error),
        }
    }
    fn is_real(&self) -> bool {
        true
    }
}
