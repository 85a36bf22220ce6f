//! The simulated file system with a callback before every changing call, so that one run of a script gives an
//! image of the disk before each change.

use crate::env::sim::SimFs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use strongroom::__internals::env::{DirEntry, File, Fs, LockGuard, LockMode, Metadata, OpenMode};

type Witness = Arc<dyn Fn() + Send + Sync>;

pub struct Recorder {
    inner: Arc<dyn Fs>,
    witness: Witness,
}

impl Recorder {
    pub fn new(sim: Arc<SimFs>, witness: impl Fn() + Send + Sync + 'static) -> Self {
        Self { inner: sim, witness: Arc::new(witness) }
    }

    fn noted(&self) -> &dyn Fs {
        (self.witness)();
        self.inner.as_ref()
    }
}

impl Fs for Recorder {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn File>> {
        let makes = matches!(mode, OpenMode::CreateNew | OpenMode::Create);
        if makes && self.inner.metadata(path)?.is_none() {
            (self.witness)();
        }
        let inner = self.inner.open(path, mode)?;
        Ok(Arc::new(RecordedFile { inner, witness: Arc::clone(&self.witness) }))
    }
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.noted().create_dir(path)
    }
    fn read_dir(&self, path: &Path) -> io::Result<Vec<DirEntry>> {
        self.inner.read_dir(path)
    }
    fn metadata(&self, path: &Path) -> io::Result<Option<Metadata>> {
        self.inner.metadata(path)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.noted().rename(from, to)
    }
    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.noted().remove_file(path)
    }
    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        self.noted().remove_dir_all(path)
    }
    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.noted().sync_dir(path)
    }
    fn set_mode(&self, path: &Path, mode: u32) -> io::Result<()> {
        self.noted().set_mode(path, mode)
    }
    fn free_bytes(&self, path: &Path) -> io::Result<u64> {
        self.inner.free_bytes(path)
    }
    fn lock(&self, path: &Path, mode: LockMode) -> io::Result<Option<Box<dyn LockGuard>>> {
        self.noted().lock(path, mode)
    }
    fn bind(self: Arc<Self>, dir: &Path) -> io::Result<Arc<dyn Fs>> {
        let inner = Arc::clone(&self.inner).bind(dir)?;
        Ok(Arc::new(Self { inner, witness: Arc::clone(&self.witness) }))
    }
    fn is_real(&self) -> bool {
        false
    }
}

struct RecordedFile {
    inner: Arc<dyn File>,
    witness: Witness,
}

impl File for RecordedFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.inner.read_at(buffer, offset)
    }
    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        (self.witness)();
        self.inner.write_all_at(bytes, offset)
    }
    fn sync_data(&self) -> io::Result<()> {
        (self.witness)();
        self.inner.sync_data()
    }
    fn sync_all(&self) -> io::Result<()> {
        (self.witness)();
        self.inner.sync_all()
    }
    fn len(&self) -> io::Result<u64> {
        self.inner.len()
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        (self.witness)();
        self.inner.set_len(len)
    }
    fn metadata(&self) -> io::Result<Metadata> {
        self.inner.metadata()
    }
}
