//! Secrets that the pruner should be asked about.

use crate::env::threads::sync::{Mutex, MutexGuard, PoisonError};
use crate::model::RecordId;
use std::collections::BTreeSet;

/// The pending set. The commit thread and the hourly scan add to it; maintenance works it off.
#[derive(Default)]
pub(crate) struct PendingSecrets(Mutex<BTreeSet<RecordId>>);

impl PendingSecrets {
    /// The same set for a fork of the vault.
    #[cfg(feature = "testkit")]
    pub(super) fn fork(&self) -> Self {
        Self(Mutex::new(self.lock().clone()))
    }

    pub(crate) fn add(&self, ids: impl IntoIterator<Item = RecordId>) {
        self.lock().extend(ids);
    }

    /// Empties the set.
    pub(crate) fn take(&self) -> BTreeSet<RecordId> {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<RecordId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
