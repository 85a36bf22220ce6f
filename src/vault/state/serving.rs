//! The store that serves reads.

use crate::model::Lsn;
use crate::store::{OrderedStore, SledStore, Store, StoreError};

/// The store in use.
pub(crate) enum State {
    /// It is on the disk.
    Sled(SledStore),
    /// It lives in memory and is rebuilt by the next open.
    Memory(OrderedStore),
}

impl State {
    /// The store, whichever it is.
    pub(crate) fn store(&self) -> &dyn Store {
        match self {
            Self::Sled(store) => store,
            Self::Memory(store) => store,
        }
    }

    /// Makes the state durable and returns the last operation that it covers. `None`: the state lives in
    /// memory while the log is on a real disk, so the log must not free anything for it (I6). Where the
    /// files are in memory too, state and log live equally long.
    pub(crate) fn checkpoint(
        &self,
        is_log_on_disk: bool,
    ) -> std::result::Result<Option<Lsn>, StoreError> {
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
    pub(crate) fn close(&self) -> std::result::Result<(), StoreError> {
        match self {
            Self::Sled(store) => store.close().map(drop),
            Self::Memory(_) => Ok(()),
        }
    }
}
