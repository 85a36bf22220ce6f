//! The state: serves every read, and can be rebuilt from the log at any time.
//!
//! Two implementations under one shared test suite: sled (on disk) and an ordered map (vaults in
//! memory, simulation). Over either, a memtable holds what was acknowledged and not moved there yet. Only
//! this module names sled.
//!
//! - **ST1** The state has every change set up to the LSN that it names, and no row of one after the LSN that
//!   it reaches. Between the two it may have some, each of them whole unless a later one has changed the same
//!   row. Applying one again changes nothing.
//! - **ST2** sled is not trusted, neither its flush nor its opening. `vault` compares LSN and recomputed
//!   digest with the log and rebuilds the state if in doubt (I6).
//! - **ST3** No panic of sled leaves this module. After one the state is broken until it is rebuilt (I4).
//!
//! ```text
//! per_tree.rs    one value for each tree
//! range.rs       a part of a tree, and its bounds
//! guard.rs       the opening mark, and setting a damaged state aside
//! memtable/      acknowledged change sets in memory, over a state that follows them
//! ordered.rs     the state in memory
//! sled_store/    the state on disk
//! ```

pub mod guard;
pub mod memtable;
pub mod ordered;
mod per_tree;
mod range;
pub mod sled_store;
#[cfg(test)]
mod tests;

use crate::model::{ChangeSet, Lsn, RowChange, Tree};
use std::io;

pub use memtable::{Memtable, MemtableBytes};
pub use ordered::OrderedStore;
pub(crate) use per_tree::PerTree;
pub use range::Range;
pub use sled_store::{Loader, SledOptions, SledStore};

/// Why the state cannot serve. Never fatal for the vault: the state can be rebuilt from the log.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The state is damaged or sled failed or panicked: set it aside and rebuild.
    #[error("the state is damaged: {what}")]
    Broken {
        /// What was noticed; never holds row content.
        what: &'static str,
    },
    /// Another process, or what is left of a store of this one, has the state open. It is whole for all
    /// that is known, and must not be touched.
    #[error("another process has the state open")]
    Held,
    /// The file system refused.
    #[error("the operating system refused: cannot {op}: {source}")]
    Io {
        /// What was being done.
        op: &'static str,
        /// Why.
        source: io::Error,
    },
}

/// Bytes of rows in one transaction and between two flushes of sled, unless one change set alone has more
/// (SL5). It is small because sled frees no segment while its replacement is unwritten: with 2 MiB the file
/// grows half as large again.
const TRANSACTION_BYTES_MAX: u64 = 256 << 10;

/// Rows in one transaction, unless one change set alone has more. Each may halve a block, and sled hangs on a
/// slow disk if one transaction writes many more (SL6).
const TRANSACTION_ROWS: usize = 160;

/// One row as read: key and sealed value.
pub type Row = (Box<[u8]>, Box<[u8]>);

/// How far a state is (ST1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// It has every change set up to here.
    pub applied: Lsn,
    /// It has none after this. The same unless a flush is under way, or was when the process died.
    pub reaches: Lsn,
}

/// The state. Shared between threads; `apply` is called by one thread at a time.
pub trait Store: Send + Sync {
    /// How far the state is; `Lsn(0)` twice for an empty one.
    fn span(&self) -> Result<Span, StoreError>;

    /// The last change set up to which it has all of them.
    fn applied(&self) -> Result<Lsn, StoreError> {
        Ok(self.span()?.applied)
    }

    /// One row's sealed value.
    fn get(&self, tree: Tree, key: &[u8]) -> Result<Option<Box<[u8]>>, StoreError>;

    /// The rows of `tree` in `range`, in key order.
    fn range(&self, tree: Tree, range: Range<'_>) -> Result<Vec<Row>, StoreError>;

    /// Calls `visit` for every row of `tree` in key order, without holding the rows in memory.
    fn scan(&self, tree: Tree, visit: &mut dyn FnMut(&[u8], &[u8])) -> Result<(), StoreError>;

    /// Applies whole change sets, in order; sets at or below `applied` are skipped. After an error nothing more
    /// is applied and every later call fails with [`StoreError::Broken`].
    fn apply(&self, sets: &[ChangeSet]) -> Result<(), StoreError> {
        for set in sets {
            let Span { applied, reaches } = self.span()?;
            if set.lsn > applied {
                let span = Span { applied: set.lsn, reaches: reaches.max(set.lsn) };
                self.apply_part(&set.rows, span)?;
            }
        }
        Ok(())
    }

    /// Applies rows of change sets beyond `applied` in one transaction, and says how far the state is with
    /// them: at most [`TRANSACTION_ROWS`] rows, or one change set. The caller has each change set whole in
    /// one call, and those that have a row in common in order.
    fn apply_part(&self, rows: &[RowChange], span: Span) -> Result<(), StoreError>;

    /// Makes everything applied so far durable by syncing the state's files through descriptors of
    /// our own, and says up to where. Never overlaps a transaction while it flushes.
    fn checkpoint(&self) -> Result<Lsn, StoreError>;

    /// Bytes on disk (0 for a state in memory).
    fn disk_bytes(&self) -> u64;
}
