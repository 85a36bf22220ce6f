//! Whether an open vault takes writes.

use crate::env::locked::LockedFolder;
use crate::env::threads::sync::atomic::{AtomicU8, Ordering};
use crate::error::ErrorKind;
use std::sync::Arc;

/// Whether the vault takes writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Status {
    /// It reads and writes.
    Open = 0,
    /// It only reads: a sync failed (I4), or its folder is not in its place any more (I11).
    Poisoned = 1,
    /// It does nothing any more.
    Closed = 2,
}

/// The status, shared by all threads. It only ever rises.
pub(crate) struct StatusCell {
    raised: AtomicU8,
    folder: Arc<LockedFolder>,
}

impl StatusCell {
    pub(super) fn new(status: Status, folder: &Arc<LockedFolder>) -> Self {
        Self { raised: AtomicU8::new(status as u8), folder: Arc::clone(folder) }
    }

    pub(crate) fn get(&self) -> Status {
        match self.raised.load(Ordering::Acquire) {
            0 if self.folder.displaced().is_none() => Status::Open,
            0 | 1 => Status::Poisoned,
            _ => Status::Closed,
        }
    }

    /// Raises the status. A lower one than the current changes nothing.
    pub(crate) fn raise(&self, status: Status) {
        self.raised.fetch_max(status as u8, Ordering::AcqRel);
    }

    /// Why no write is taken, if so.
    pub(crate) fn refuses_writes(&self) -> Option<ErrorKind> {
        match self.get() {
            Status::Open => None,
            Status::Poisoned => Some(self.displaced().unwrap_or(ErrorKind::Poisoned)),
            Status::Closed => Some(ErrorKind::Closed),
        }
    }

    /// What was seen in place of the folder or of a file in it, if the vault is displaced (I11).
    pub(crate) fn displaced(&self) -> Option<ErrorKind> {
        self.folder.displaced().cloned().map(ErrorKind::from)
    }
}
