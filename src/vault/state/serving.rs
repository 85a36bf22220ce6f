//! The store that serves reads.

use crate::model::{ChangeSet, Lsn};
use crate::store::{Memtable, MemtableBytes, OrderedStore, SledStore, Store, StoreError};
use crate::vault::options::Tuning;

/// How many bytes may wait for sled. A kill costs the next open the reading of that many.
const MEMTABLE_BYTES: u64 = 32 << 20;

/// The store in use.
pub(crate) enum State {
    /// It is on the disk.
    Sled(Memtable<SledStore>),
    /// It lives in memory and is rebuilt by the next open.
    Memory(Memtable<OrderedStore>),
}

/// A result about a store.
type Result<T> = std::result::Result<T, StoreError>;

impl State {
    /// The state on the disk. Rows come to it through a memtable.
    pub(crate) fn on_disk(store: SledStore, tuning: &Tuning) -> Result<Self> {
        let bytes = tuning.memtable.unwrap_or(MemtableBytes::of(MEMTABLE_BYTES));
        Memtable::over(store, bytes, tuning.background).map(Self::Sled)
    }

    /// The state in memory. Unless a harness asks for a memtable, rows go straight to it.
    pub(crate) fn in_memory(store: OrderedStore, tuning: &Tuning) -> Result<Self> {
        let bytes = tuning.memtable.unwrap_or(MemtableBytes::of(0));
        Memtable::over(store, bytes, tuning.background && bytes.max > 0).map(Self::Memory)
    }

    /// Waits until the memtable has room for a batch.
    pub(crate) fn make_room(&self) -> Result<()> {
        match self {
            Self::Sled(table) => table.make_room(),
            Self::Memory(table) => table.make_room(),
        }
    }

    /// Shows change sets to readers, all at once.
    pub(crate) fn publish(&self, sets: Vec<ChangeSet>) -> Result<()> {
        match self {
            Self::Sled(table) => table.publish(sets),
            Self::Memory(table) => table.publish(sets),
        }
    }

    /// Moves the change sets up to `lsn` from the memtable to the store below.
    pub(crate) fn flush_to(&self, lsn: Lsn) -> Result<()> {
        match self {
            Self::Sled(table) => table.flush_to(lsn),
            Self::Memory(table) => table.flush_to(lsn),
        }
    }

    /// Bytes of rows that only the memtable has.
    pub(crate) fn waiting_bytes(&self) -> u64 {
        match self {
            Self::Sled(table) => table.waiting_bytes(),
            Self::Memory(table) => table.waiting_bytes(),
        }
    }

    /// The store, whichever it is.
    pub(crate) fn store(&self) -> &dyn Store {
        match self {
            Self::Sled(store) => store,
            Self::Memory(store) => store,
        }
    }

    /// Makes the state durable, without what waits in the memtable, and returns the last operation that it
    /// covers. `None`: the state lives in
    /// memory while the log is on a real disk, so the log must not free anything for it (I6). Where the
    /// files are in memory too, state and log live equally long.
    pub(crate) fn checkpoint(&self, is_log_on_disk: bool) -> Result<Option<Lsn>> {
        if !self.can_be_durable(is_log_on_disk) {
            return Ok(None);
        }
        self.store().checkpoint().map(Some)
    }

    /// Whether the log can free something after a [`Self::checkpoint`].
    pub(crate) fn can_be_durable(&self, is_log_on_disk: bool) -> bool {
        matches!(self, Self::Sled(_)) || !is_log_on_disk
    }

    /// Closes the state durably, so that a damaged log can be repaired from it (I6).
    pub(crate) fn close(&self) -> Result<()> {
        match self {
            Self::Sled(table) => table.close().map(drop),
            Self::Memory(table) => table.flush(),
        }
    }
}
