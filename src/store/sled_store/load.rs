//! The fast way to fill an empty state from a snapshot.
//!
//! Rows are inserted one by one, without transactions, because nobody reads yet. The LSN is written
//! last: an interrupted load leaves a state at LSN 0 with a wrong digest, which is noticed.
//!
//! A leaf of sled splits at its seventeenth row into nine and eight. Sorted insertion would leave nine
//! rows in each leaf. The rows of a tree are therefore taken in groups of sixteen, and the last seven of
//! a group are inserted after the first nine of the next:
//!
//! ```text
//! group          | 1........9 | 10....16 |
//! goes in          at once      when the next group's first nine have split the leaf off
//! ```
//!
//! Leaves are full then: fewer pages, less memory, a smaller file.

use super::{APPLIED_KEY, SledStore, encode_applied, row_bytes, writer};
use crate::model::{Lsn, Tree};
use crate::store::per_tree::PerTree;
use crate::store::{Store, StoreError};
use std::sync::atomic::Ordering;

/// Rows of a full leaf, and how many of them a split leaves behind (sled 0.34.7, `node.rs`).
const LEAF_ROWS: usize = 16;
const SPLIT_ROWS: usize = 9;
/// Rows given to sled in one contained call, while the writer's lock is held.
const PIECE_ROWS: usize = 256;
const PIECE_BYTES: u64 = 512 << 10;

/// Changes to the tiny row of `tidy` per row: keeps the file from starting out at 2.5 times the
/// live bytes.
const TIDY: u64 = 1;

type KeyValue = (sled::IVec, sled::IVec);

/// The rows of one tree that are not inserted yet.
#[derive(Default)]
struct Group {
    rows: usize,
    /// The last rows of the previous group.
    before: Vec<KeyValue>,
    /// The last rows of the current group.
    end: Vec<KeyValue>,
}

/// Fills an empty [`SledStore`]. Loading is several times faster if the rows of a tree arrive in key
/// order. Dropped without [`Loader::finish`], it leaves a state at LSN 0.
pub struct Loader<'a> {
    store: &'a SledStore,
    groups: PerTree<Group>,
    piece: Vec<(Tree, KeyValue)>,
    piece_bytes: u64,
    live_bytes: u64,
}

impl SledStore {
    /// Starts a load. The state must be empty: `Broken` if something was ever applied to it.
    pub fn load(&self) -> Result<Loader<'_>, StoreError> {
        if self.applied()? != Lsn(0) {
            return Err(StoreError::Broken { what: "a load needs an empty state" });
        }
        Ok(Loader {
            store: self,
            groups: PerTree::default(),
            piece: Vec::new(),
            piece_bytes: 0,
            live_bytes: 0,
        })
    }
}

impl Loader<'_> {
    /// Adds a row. Each key of a tree may be added once.
    pub fn push(&mut self, tree: Tree, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        let bytes = row_bytes(key, value);
        self.live_bytes += bytes;
        self.piece_bytes += bytes;
        let row = (key.into(), value.into());
        let group = self.groups.of_mut(tree);
        group.rows += 1;
        if group.rows <= SPLIT_ROWS {
            self.piece.push((tree, row));
        } else {
            group.end.push(row);
        }
        if group.rows == SPLIT_ROWS {
            self.piece.extend(group.before.drain(..).map(|row| (tree, row)));
        }
        if group.rows == LEAF_ROWS {
            group.before = std::mem::take(&mut group.end);
            group.rows = 0;
        }
        if self.piece.len() >= PIECE_ROWS || self.piece_bytes >= PIECE_BYTES {
            self.write()?;
        }
        Ok(())
    }

    /// Writes the remaining rows, then `lsn`. The state then equals the snapshot of that LSN.
    pub fn finish(mut self, lsn: Lsn) -> Result<(), StoreError> {
        for tree in Tree::ALL {
            let group = self.groups.of_mut(tree);
            let rest = group.before.drain(..).chain(group.end.drain(..));
            self.piece.extend(rest.map(|row| (tree, row)));
        }
        self.write()?;
        let shared = &*self.store.shared;
        let writer = writer();
        // Rows first: a crash in between leaves an LSN of 0.
        shared.flush(&writer)?;
        shared.sled.call("sled failed to load", |handles| {
            handles.applied.insert(APPLIED_KEY, encode_applied(lsn, self.live_bytes)).map(drop)
        })?;
        shared.flush(&writer)?;
        shared.live_bytes.store(self.live_bytes, Ordering::Relaxed);
        shared.applied.store(lsn.0, Ordering::Release);
        Ok(())
    }

    fn write(&mut self) -> Result<(), StoreError> {
        let shared = &*self.store.shared;
        let rows = u64::try_from(self.piece.len()).unwrap_or(u64::MAX);
        let writer = writer();
        shared.sled.call("sled failed to load", |handles| {
            for (tree, (key, value)) in self.piece.drain(..) {
                handles.trees.of(tree).insert(key, value)?;
            }
            Ok(())
        })?;
        shared.account(rows, std::mem::take(&mut self.piece_bytes), &writer)?;
        shared.tidy(rows * TIDY, &writer)
    }
}
