//! Whether an open vault takes writes.

use crate::env::threads::sync::atomic::{AtomicU8, Ordering};
use crate::error::ErrorKind;

/// Whether the vault takes writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Status {
    /// It reads and writes.
    Open = 0,
    /// It only reads: a sync failed (I4).
    Poisoned = 1,
    /// It does nothing any more.
    Closed = 2,
}

/// The status, shared by all threads. It only ever rises.
pub(crate) struct StatusCell(AtomicU8);

impl StatusCell {
    pub(super) fn new(status: Status) -> Self {
        Self(AtomicU8::new(status as u8))
    }

    pub(crate) fn get(&self) -> Status {
        match self.0.load(Ordering::Acquire) {
            0 => Status::Open,
            1 => Status::Poisoned,
            _ => Status::Closed,
        }
    }

    /// Raises the status. A lower one than the current changes nothing.
    pub(crate) fn raise(&self, status: Status) {
        self.0.fetch_max(status as u8, Ordering::AcqRel);
    }

    /// Why no write is taken, if so.
    pub(crate) fn refuses_writes(&self) -> Option<ErrorKind> {
        match self.get() {
            Status::Open => None,
            Status::Poisoned => Some(ErrorKind::Poisoned),
            Status::Closed => Some(ErrorKind::Closed),
        }
    }
}
