//! The rebuildable state that serves every read. The log is the truth; this is its picture.
//!
//! Two implementations under one shared test suite: sled (on disk) and an ordered map (vaults in
//! memory, simulation). Only this module names sled.
//!
//! - **S1** A change set is applied whole, in LSN order; applying one again changes nothing.
//! - **S2** sled is never believed: not its flush, not its opening. `vault` compares LSN and
//!   recomputed digest with the truth and rebuilds on any doubt (I6).
//! - **S3** No panic of sled leaves this module; after one the state is broken until rebuilt (I4).

mod bounds;
pub mod guard;
pub mod ordered;
mod per_tree;
pub mod sled_store;
#[cfg(test)]
mod tests;

use crate::model::{ChangeSet, Lsn, Tree};
use std::io;

pub use ordered::OrderedStore;
pub(crate) use per_tree::PerTree;
pub use sled_store::{Loader, SledOptions, SledStore};

/// Why the state cannot serve. Never fatal for the vault: the truth is in the log.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The state is damaged or sled failed or panicked: set it aside and rebuild.
    #[error("state is broken. what={what}")]
    Broken {
        /// What was noticed; never holds row content.
        what: &'static str,
    },
    /// The file system refused.
    #[error("state i/o failed. op={op}")]
    Io {
        /// What was being done.
        op: &'static str,
        /// Why.
        source: io::Error,
    },
}

/// One row as read: key and sealed value.
pub type Row = (Box<[u8]>, Box<[u8]>);

/// The state. Shared between threads; `apply` is called by one thread at a time.
pub trait Store: Send + Sync {
    /// The last change set applied; `Lsn(0)` for an empty state.
    fn applied(&self) -> Result<Lsn, StoreError>;

    /// One row's sealed value.
    fn get(&self, tree: Tree, key: &[u8]) -> Result<Option<Box<[u8]>>, StoreError>;

    /// Up to `limit` rows of `tree` whose key starts with `prefix` and is greater than `after`
    /// (when given), in key order. With `reverse`, in falling order and keys less than `after`.
    fn range(
        &self,
        tree: Tree,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
        reverse: bool,
    ) -> Result<Vec<Row>, StoreError>;

    /// Calls `visit` for every row of `tree` in key order, without holding the rows in memory.
    fn scan(&self, tree: Tree, visit: &mut dyn FnMut(&[u8], &[u8])) -> Result<(), StoreError>;

    /// Applies whole change sets, in order, in transactions of at most 256 rows (one larger set
    /// alone); sets at or below `applied` are skipped. After an error nothing more is applied and
    /// every later call fails with [`StoreError::Broken`].
    fn apply(&self, sets: &[ChangeSet]) -> Result<(), StoreError>;

    /// Makes everything applied so far durable by syncing the state's files through descriptors of
    /// our own, and says up to where. Never overlaps a transaction while it flushes.
    fn checkpoint(&self) -> Result<Lsn, StoreError>;

    /// Bytes on disk (0 for a state in memory).
    fn disk_bytes(&self) -> u64;
}
