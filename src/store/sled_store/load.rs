//! The fast way to fill an empty state from a snapshot.
//!
//! Rows are inserted one by one, without transactions, because nobody reads yet. The LSN is written
//! last: an interrupted load leaves a state at LSN 0 with a wrong digest, which is noticed.
//!
//! Rows arrive in key order and are packed into full blocks. A leaf of sled splits at its seventeenth block
//! into nine and eight. Sorted insertion would leave nine blocks in each leaf. The blocks of a tree are
//! therefore taken in groups of sixteen, and the last seven of a group are inserted after the first nine of
//! the next:
//!
//! ```text
//! group          | 1........9 | 10....16 |
//! goes in          at once      when the next group's first nine have split the leaf off
//! ```
//!
//! Leaves are full then: fewer blocks, less memory, a smaller file.

use super::block::{BLOCK_BYTES, BlockWriter, packed_len, row_bytes};
use super::{APPLIED_KEY, SledStore, encode_applied, writer};
use crate::model::{Lsn, Tree};
use crate::store::per_tree::PerTree;
use crate::store::{Span, Store, StoreError};
use std::sync::atomic::Ordering;

/// Blocks of a full leaf, and how many of them a split leaves behind (sled 0.34.7, `node.rs`).
const LEAF_BLOCKS: usize = 16;
const SPLIT_BLOCKS: usize = 9;
/// Blocks given to sled in one contained call, while the writer's lock is held.
const PIECE_BLOCKS: usize = 128;
const PIECE_BYTES: u64 = 512 << 10;

/// Changes to the tiny row of `tidy` per block: keeps the file from starting out at 2.5 times the
/// live bytes.
const TIDY: u64 = 1;

type KeyValue = (sled::IVec, sled::IVec);

/// The blocks of one tree that are not inserted yet.
#[derive(Default)]
struct Group {
    /// The block that is being filled, and the last row that went into one.
    block: BlockWriter,
    last: Option<Box<[u8]>>,
    has_blocks: bool,
    blocks: usize,
    /// The last blocks of the previous group.
    before: Vec<KeyValue>,
    /// The last blocks of the current group.
    end: Vec<KeyValue>,
}

impl Group {
    /// Ends the block that is being filled, and returns the blocks that go in at once. The first fence of a
    /// tree is the empty key.
    fn end_block(&mut self) -> Vec<KeyValue> {
        let Some((first, bytes)) = self.block.take() else { return Vec::new() };
        let fence = if self.has_blocks { sled::IVec::from(first) } else { sled::IVec::default() };
        self.has_blocks = true;
        self.blocks += 1;
        let block = (fence, sled::IVec::from(bytes));
        let mut ready = Vec::new();
        if self.blocks <= SPLIT_BLOCKS {
            ready.push(block);
        } else {
            self.end.push(block);
        }
        if self.blocks == SPLIT_BLOCKS {
            ready.append(&mut self.before);
        }
        if self.blocks == LEAF_BLOCKS {
            self.before = std::mem::take(&mut self.end);
            self.blocks = 0;
        }
        ready
    }
}

/// Fills an empty [`SledStore`]. The rows of a tree arrive in key order. Dropped without [`Loader::finish`],
/// it leaves a state at LSN 0.
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
    /// Adds a row. `Broken` if it does not come after the one before in its tree.
    pub fn push(&mut self, tree: Tree, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        self.live_bytes += row_bytes(key, value);
        let group = self.groups.of_mut(tree);
        if group.last.as_deref().is_some_and(|last| last >= key) {
            return Err(StoreError::Broken { what: "rows to load are out of order" });
        }
        if group.block.len() + packed_len((key, value)) > BLOCK_BYTES {
            let ready = group.end_block();
            self.add(tree, ready);
        }
        let group = self.groups.of_mut(tree);
        let too_long = |_| StoreError::Broken { what: "a row to load is too long" };
        group.block.push(key, value).map_err(too_long)?;
        group.last = Some(key.into());
        if self.piece.len() >= PIECE_BLOCKS || self.piece_bytes >= PIECE_BYTES {
            self.write()?;
        }
        Ok(())
    }

    /// Adds blocks to those that are written next.
    fn add(&mut self, tree: Tree, blocks: Vec<KeyValue>) {
        self.piece_bytes += blocks.iter().map(|(key, block)| row_bytes(key, block)).sum::<u64>();
        self.piece.extend(blocks.into_iter().map(|block| (tree, block)));
    }

    /// Writes the remaining rows, then `lsn`. The state then equals the snapshot of that LSN.
    pub fn finish(mut self, lsn: Lsn) -> Result<(), StoreError> {
        for tree in Tree::ALL {
            let group = self.groups.of_mut(tree);
            let mut rest = group.end_block();
            rest.append(&mut group.before);
            rest.append(&mut group.end);
            self.add(tree, rest);
        }
        self.write()?;
        let shared = &*self.store.shared;
        let writer = writer();
        let span = Span { applied: lsn, reaches: lsn };
        // Rows first: a crash in between leaves an LSN of 0.
        shared.flush(&writer)?;
        shared.sled.call("sled failed to load", |handles| {
            handles.applied.insert(APPLIED_KEY, encode_applied(span, self.live_bytes)).map(drop)
        })?;
        shared.flush(&writer)?;
        shared.live_bytes.store(self.live_bytes, Ordering::Relaxed);
        shared.reaches.store(lsn.0, Ordering::Release);
        shared.applied.store(lsn.0, Ordering::Release);
        Ok(())
    }

    fn write(&mut self) -> Result<(), StoreError> {
        let shared = &*self.store.shared;
        let blocks = u64::try_from(self.piece.len()).unwrap_or(u64::MAX);
        let writer = writer();
        shared.sled.call("sled failed to load", |handles| {
            for (tree, (key, value)) in self.piece.drain(..) {
                handles.trees.trees.of(tree).insert(key, value)?;
            }
            Ok(())
        })?;
        shared.account(blocks, std::mem::take(&mut self.piece_bytes), &writer)?;
        shared.tidy(blocks * TIDY, &writer)
    }
}
