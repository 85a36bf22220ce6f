//! The fast way to fill an empty state from a snapshot.
//!
//! Rows go in one by one, without transactions: nobody reads yet, and the LSN is written last, so
//! that a load that was interrupted is seen as a state at LSN 0 whose digest is wrong.

use super::{APPLIED_KEY, SledStore, encode_lsn, writer};
use crate::model::{Lsn, Tree};
use crate::store::{Store, StoreError};
use std::sync::atomic::Ordering;

/// Rows given to sled in one contained call, while the writer's lock is held.
const PIECE_ROWS: usize = 1024;
const PIECE_BYTES: usize = 512 << 10;

/// Fills an empty [`SledStore`]. Rows of a tree should come in key order: it is several times
/// faster. Dropped without [`Loader::finish`], it leaves a state at LSN 0.
pub struct Loader<'a> {
    store: &'a SledStore,
    piece: Vec<(Tree, sled::IVec, sled::IVec)>,
    piece_bytes: usize,
}

impl SledStore {
    /// Starts a load. The state must be empty: `Broken` if something was ever applied to it.
    pub fn load(&self) -> Result<Loader<'_>, StoreError> {
        if self.applied()? != Lsn(0) {
            return Err(StoreError::Broken { what: "a load needs an empty state" });
        }
        Ok(Loader { store: self, piece: Vec::new(), piece_bytes: 0 })
    }
}

impl Loader<'_> {
    /// Adds a row.
    pub fn push(&mut self, tree: Tree, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        self.piece.push((tree, key.into(), value.into()));
        self.piece_bytes += key.len() + value.len();
        if self.piece.len() >= PIECE_ROWS || self.piece_bytes >= PIECE_BYTES {
            self.write()?;
        }
        Ok(())
    }

    /// Writes the rest, and then `lsn`: from now on the state is what a snapshot of that LSN holds.
    pub fn finish(mut self, lsn: Lsn) -> Result<(), StoreError> {
        self.write()?;
        let writer = writer();
        self.store.sled.call("sled failed to load", |handles| {
            handles.applied.insert(APPLIED_KEY, encode_lsn(lsn)).map(drop)
        })?;
        self.store.flush(&writer)?;
        self.store.applied.store(lsn.0, Ordering::Release);
        Ok(())
    }

    fn write(&mut self) -> Result<(), StoreError> {
        let writer = writer();
        self.store.sled.call("sled failed to load", |handles| {
            for (tree, key, value) in self.piece.drain(..) {
                handles.trees.of(tree).insert(key, value)?;
            }
            Ok(())
        })?;
        let bytes = u64::try_from(self.piece_bytes).unwrap_or(u64::MAX);
        self.piece_bytes = 0;
        self.store.account(bytes, &writer)
    }
}
