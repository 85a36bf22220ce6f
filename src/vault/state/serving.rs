//! The store that serves reads.

use crate::model::{ChangeSet, Lsn};
use crate::store::{Memtable, MemtableBytes, OrderedStore, SledStore, Store, StoreError};
use crate::vault::options::Tuning;
use crate::vault::view::found::FoundValues;
use crate::vault::view::opened::{KnownRow, OpenedRows};
use crate::vault::view::overlay::Latest;

/// How many bytes may wait for sled. A kill costs the next open the reading of that many.
const MEMTABLE_BYTES: u64 = 56 << 20;

/// The store in use, and the rows of it that were opened lately.
pub(crate) struct State {
    backing: Backing,
    opened: OpenedRows,
}

/// Where the rows are.
pub(crate) enum Backing {
    /// It is on the disk.
    Sled(Memtable<SledStore>),
    /// It lives in memory and is rebuilt by the next open.
    Memory(Memtable<OrderedStore>),
}

/// A result about a store.
type Result<T> = std::result::Result<T, StoreError>;

impl State {
    pub(crate) fn new(backing: Backing) -> Self {
        Self { backing, opened: OpenedRows::default() }
    }

    /// Where the rows are.
    pub(crate) fn backing(&self) -> &Backing {
        &self.backing
    }

    /// The rows as they are now.
    pub(crate) fn latest(&self) -> Result<Latest<'_>> {
        // Asked before anything is read, so that nothing is kept that is older than it says.
        let at = self.store().applied()?;
        Ok(Latest { store: self.store(), opened: &self.opened, at })
    }

    /// The values that were found lately.
    pub(crate) fn values(&self) -> &FoundValues {
        self.opened.values()
    }

    /// Keeps what rows hold that were published up to `at`.
    pub(crate) fn keep_written(&self, rows: Vec<KnownRow>, at: Lsn) {
        self.opened.keep_written(rows, at);
    }

    /// Forgets every opened row, because the keys that opened it are about to be erased.
    pub(crate) fn forget_opened(&self) {
        self.opened.clear();
    }

    /// The state on the disk. Rows come to it through a memtable.
    pub(crate) fn on_disk(store: SledStore, tuning: &Tuning) -> Result<Self> {
        let bytes = tuning.memtable.unwrap_or(MemtableBytes::of(MEMTABLE_BYTES));
        let has_thread = tuning.background && bytes.max > 0;
        Memtable::over(store, bytes, has_thread).map(Backing::Sled).map(Self::new)
    }

    /// A state on the disk that is only read: no thread is needed, and none can be missing.
    pub(crate) fn to_read(store: SledStore) -> Result<Self> {
        Memtable::over(store, MemtableBytes::of(0), false).map(Backing::Sled).map(Self::new)
    }

    /// The state in memory. Unless a harness asks for a memtable, rows go straight to it.
    pub(crate) fn in_memory(store: OrderedStore, tuning: &Tuning) -> Result<Self> {
        let bytes = tuning.memtable.unwrap_or(MemtableBytes::of(0));
        Memtable::over(store, bytes, tuning.background && bytes.max > 0)
            .map(Backing::Memory)
            .map(Self::new)
    }

    /// A fork of the store below the memtable. `None`: it is not in memory.
    #[cfg(feature = "testkit")]
    pub(crate) fn fork_below(&self) -> Option<OrderedStore> {
        match &self.backing {
            Backing::Sled(_) => None,
            Backing::Memory(table) => Some(table.below().fork()),
        }
    }

    /// Waits until the memtable has room for a batch.
    pub(crate) fn make_room(&self) -> Result<()> {
        match &self.backing {
            Backing::Sled(table) => table.make_room(),
            Backing::Memory(table) => table.make_room(),
        }
    }

    /// Shows change sets to readers, all at once.
    pub(crate) fn publish(&self, sets: Vec<ChangeSet>) -> Result<()> {
        self.opened.forget(&sets);
        match &self.backing {
            Backing::Sled(table) => table.publish(sets),
            Backing::Memory(table) => table.publish(sets),
        }
    }

    /// Moves the change sets up to `lsn` from the memtable to the store below.
    pub(crate) fn flush_to(&self, lsn: Lsn) -> Result<()> {
        match &self.backing {
            Backing::Sled(table) => table.flush_to(lsn),
            Backing::Memory(table) => table.flush_to(lsn),
        }
    }

    /// Bytes of rows that only the memtable has.
    pub(crate) fn waiting_bytes(&self) -> u64 {
        match &self.backing {
            Backing::Sled(table) => table.waiting_bytes(),
            Backing::Memory(table) => table.waiting_bytes(),
        }
    }

    /// The store, whichever it is.
    pub(crate) fn store(&self) -> &dyn Store {
        match &self.backing {
            Backing::Sled(store) => store,
            Backing::Memory(store) => store,
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
        matches!(self.backing, Backing::Sled(_)) || !is_log_on_disk
    }

    /// Closes a state that will not be read again.
    pub(crate) fn discard(&self) {
        if let Backing::Sled(table) = &self.backing {
            // It is set aside or removed next, so an error no longer matters.
            let _ = table.discard();
        }
    }

    /// Closes the state durably, so that a damaged log can be repaired from it (I6).
    pub(crate) fn close(&self) -> Result<()> {
        match &self.backing {
            Backing::Sled(table) => table.close().map(drop),
            Backing::Memory(table) => table.flush(),
        }
    }
}
