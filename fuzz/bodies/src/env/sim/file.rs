//! An open simulated file and a simulated lock.

use super::disk::Ino;
use super::fault::{OpKind, Reach};
use super::lock;
use super::state::{Shared, State};
use crate::env::{File, LockGuard, Metadata};
use std::io;
use std::path::Path;
use std::sync::{Arc, MutexGuard};

/// An open file. It outlives its name, but not a crash.
#[derive(Debug)]
pub(super) struct SimFile {
    pub(super) shared: Arc<Shared>,
    pub(super) ino: Ino,
    pub(super) start: u64,
    pub(super) writable: bool,
}

impl SimFile {
    fn state(&self) -> io::Result<MutexGuard<'_, State>> {
        let state = lock(&self.shared.state);
        if state.start != self.start {
            return Err(io::ErrorKind::StaleNetworkFileHandle.into());
        }
        state.powered()?;
        Ok(state)
    }

    fn state_for_writing(&self) -> io::Result<(MutexGuard<'_, State>, Arc<Path>)> {
        let state = self.state()?;
        if !self.writable {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        let path = Arc::clone(&state.disk.node(self.ino)?.path);
        Ok((state, path))
    }

    fn sync(&self, kind: OpKind) -> io::Result<()> {
        let (passage, mark, delay) = {
            let mut state = self.state()?;
            let path = Arc::clone(&state.disk.node(self.ino)?.path);
            (state.pass(kind, &path)?, state.disk.mark(), state.sync_delay)
        };
        // The lock is free meanwhile: a sync takes its time, and others write on.
        if !delay.is_zero() {
            std::thread::sleep(delay);
        }
        let mut state = lock(&self.shared.state);
        if state.start != self.start {
            return Err(io::ErrorKind::StaleNetworkFileHandle.into());
        }
        if passage.answer.is_ok() {
            state.powered()?;
        }
        if passage.reach == Reach::All {
            state.disk.sync_file(self.ino, mark)?;
        } else if passage.faulty {
            state.disk.lose(self.ino, mark)?;
        }
        passage.answer
    }
}

impl Drop for SimFile {
    fn drop(&mut self) {
        let mut state = lock(&self.shared.state);
        if state.start == self.start {
            if let Ok(node) = state.disk.node_mut(self.ino) {
                node.handles = node.handles.saturating_sub(1);
            }
            state.disk.collect();
        }
    }
}

impl File for SimFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut state = self.state()?;
        let path = Arc::clone(&state.disk.node(self.ino)?.path);
        state.pass(OpKind::Read, &path)?.answer?;
        state.disk.read(self.ino, buffer, offset)
    }

    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let (mut state, path) = self.state_for_writing()?;
        let passage = state.pass(OpKind::Write, &path)?;
        let reach = match passage.reach {
            Reach::Nothing => 0,
            Reach::Part(count) => count.min(bytes.len()),
            Reach::All => bytes.len(),
        };
        let bytes = bytes.get(..reach).unwrap_or(bytes);
        let len = state.disk.len(self.ino)?;
        let more = offset.saturating_add(bytes.len() as u64).saturating_sub(len);
        let missing = more - state.room(more);
        let fits = (bytes.len() as u64).saturating_sub(missing);
        let fits = bytes.get(..usize::try_from(fits).unwrap_or(usize::MAX)).unwrap_or(bytes);
        if !fits.is_empty() {
            state.disk.write(self.ino, offset, fits)?;
        }
        passage.answer?;
        if missing > 0 { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn sync_data(&self) -> io::Result<()> {
        self.sync(OpKind::SyncData)
    }

    fn sync_all(&self) -> io::Result<()> {
        self.sync(OpKind::SyncAll)
    }

    fn len(&self) -> io::Result<u64> {
        self.state()?.disk.len(self.ino)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let (mut state, path) = self.state_for_writing()?;
        let more = len.saturating_sub(state.disk.len(self.ino)?);
        let full = state.room(more) < more;
        state.change(OpKind::SetLen, &path, |disk| {
            if full {
                return Err(io::ErrorKind::StorageFull.into());
            }
            disk.set_len(self.ino, len)
        })
    }

    fn metadata(&self) -> io::Result<Metadata> {
        self.state()?.metadata(self.ino)
    }
}

/// A lock of a simulated file.
pub(super) struct SimLock {
    pub(super) file: SimFile,
    pub(super) number: u64,
}

impl LockGuard for SimLock {
    fn file(&self) -> &dyn File {
        &self.file
    }
}

impl Drop for SimLock {
    fn drop(&mut self) {
        let mut state = lock(&self.file.shared.state);
        // The number tells it from a lock that another process took after a crash.
        if let Some(holders) = state.locks.get_mut(&self.file.ino) {
            holders.retain(|(number, _)| *number != self.number);
        }
    }
}
