//! The trees of the state: rows packed into blocks.
//!
//! The key of a block is its fence: it has the rows from there to the fence of the next block. The first
//! fence of a tree is the empty key. A block that outgrows its size is split, and one that loses its last
//! row goes. Blocks never move rows to the left, so that a reader on its way to the right misses none; one
//! that meets a row twice skips it.
//!
//! Only one thread writes at a time, so a block is read and merged outside of the transaction that puts it
//! back (SL2).
//!
//! Before blocks there was a row of sled for each row. Such a state is still read, because it may have to
//! repair a damaged log. It is never written: the next open that writes makes a new one from the log.

use super::block::{self, BlockRows, Change, Malformed, Merged};
use super::contain::Contained;
use super::{Handles, Put};
use crate::model::Tree;
use crate::store::per_tree::PerTree;
use crate::store::range::Bounds;
use crate::store::{Row, StoreError};
use sled::IVec;
use std::ops::Bound;

/// Blocks, or rows of a state of the older layout, that `scan` takes from sled before it calls out.
const SCAN_BLOCKS: usize = 64;

/// How rows lie in sled's trees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// Packed into blocks.
    Blocks,
    /// One row of sled for each row: written by older builds.
    Rows,
}

/// The trees, one for each of the model's.
pub(super) struct Trees {
    pub(super) layout: Layout,
    pub(super) trees: PerTree<sled::Tree>,
}

/// What a transaction writes to one tree, and what that does to the bytes of its rows.
#[derive(Default)]
pub(super) struct BlockPuts {
    pub(super) puts: Vec<Put>,
    pub(super) bytes: u64,
    pub(super) came: u64,
    pub(super) went: u64,
}

/// The block that has `key`, if the tree has one, and its fence.
fn block_of(tree: &sled::Tree, key: &[u8]) -> sled::Result<Option<(IVec, IVec)>> {
    tree.range::<&[u8], _>(..=key).next_back().transpose()
}

/// The blocks after the one with this fence.
fn blocks_after(tree: &sled::Tree, fence: &[u8]) -> sled::Iter {
    tree.range::<&[u8], _>((Bound::Excluded(fence), Bound::Unbounded))
}

/// The sealed value of a row.
pub(super) fn get(
    sled: &Contained<Handles>,
    tree: Tree,
    key: &[u8],
) -> Result<Option<Box<[u8]>>, StoreError> {
    sled.call("sled failed to read a row", |handles| {
        let Trees { layout, trees } = &handles.trees;
        let tree = trees.of(tree);
        match layout {
            Layout::Blocks => {
                let Some((_, block)) = block_of(tree, key)? else { return Ok(None) };
                Ok(block::find(&block, key)?.map(Into::into))
            }
            Layout::Rows => Ok(tree.get(key)?.map(|value| value.as_ref().into())),
        }
    })
}

/// Up to `limit` rows within `bounds`, in key order.
pub(super) fn range(
    sled: &Contained<Handles>,
    tree: Tree,
    bounds: Bounds,
    limit: usize,
) -> Result<Vec<Row>, StoreError> {
    sled.call("sled failed to read a range", |handles| {
        let Trees { layout, trees } = &handles.trees;
        let tree = trees.of(tree);
        if *layout == Layout::Rows {
            let rows = tree.range::<Box<[u8]>, _>(bounds);
            return rows.take(limit).map(|row| row.map(to_row)).collect();
        }
        let first = match &bounds.0 {
            Bound::Included(key) | Bound::Excluded(key) => block_of(tree, key)?,
            Bound::Unbounded => None,
        };
        let mut wanted = Wanted { bounds, limit, rows: Vec::new() };
        let mut is_done = false;
        if let Some((_, block)) = &first {
            is_done = wanted.take(block)?;
        }
        let mut rest = match &first {
            Some((fence, _)) => blocks_after(tree, fence),
            None => tree.iter(),
        };
        while !is_done {
            let Some((_, block)) = rest.next().transpose()? else { break };
            is_done = wanted.take(&block)?;
        }
        Ok(wanted.rows)
    })
}

/// The rows of a range while they are collected.
struct Wanted {
    bounds: Bounds,
    limit: usize,
    rows: Vec<Row>,
}

impl Wanted {
    /// Takes the rows of the next block that are wanted. `true`: no further block has one.
    fn take(&mut self, block: &[u8]) -> Result<bool, Malformed> {
        for row in BlockRows::of(block) {
            let (key, value) = row?;
            if self.rows.len() >= self.limit || self.is_beyond(key) {
                return Ok(true);
            }
            if !self.is_before(key) && self.rows.last().is_none_or(|(last, _)| **last < *key) {
                self.rows.push((key.into(), value.into()));
            }
        }
        Ok(self.rows.len() >= self.limit)
    }

    fn is_before(&self, key: &[u8]) -> bool {
        match &self.bounds.0 {
            Bound::Included(low) => key < &**low,
            Bound::Excluded(low) => key <= &**low,
            Bound::Unbounded => false,
        }
    }

    fn is_beyond(&self, key: &[u8]) -> bool {
        match &self.bounds.1 {
            Bound::Included(high) => key > &**high,
            Bound::Excluded(high) => key >= &**high,
            Bound::Unbounded => false,
        }
    }
}

/// Calls `visit` for every row of a tree. It runs outside of the containment, because its panics are not
/// sled's.
pub(super) fn scan(
    sled: &Contained<Handles>,
    tree: Tree,
    visit: &mut dyn FnMut(&[u8], &[u8]),
) -> Result<(), StoreError> {
    let what = "sled failed to scan a tree";
    let (layout, mut iter) = sled.call(what, |handles| {
        let Trees { layout, trees } = &handles.trees;
        Ok((*layout, trees.of(tree).iter()))
    })?;
    let mut last: Option<Box<[u8]>> = None;
    loop {
        let taken: Vec<Row> = sled.call(what, |_| {
            let mut rows = Vec::new();
            for entry in iter.by_ref().take(SCAN_BLOCKS) {
                let (key, value) = entry?;
                match layout {
                    Layout::Rows => rows.push(to_row((key, value))),
                    Layout::Blocks => {
                        for row in BlockRows::of(&value) {
                            let (key, value) = row?;
                            rows.push((key.into(), value.into()));
                        }
                    }
                }
            }
            Ok(rows)
        })?;
        if taken.is_empty() {
            return Ok(());
        }
        for (key, value) in &taken {
            // A block that was split after it was read is followed by its right half.
            if last.as_ref().is_none_or(|last| last < key) {
                visit(key, value);
            }
        }
        last = last.max(taken.into_iter().next_back().map(|(key, _)| key));
    }
}

/// Merges changes to a tree, sorted by key and each key once, into the blocks that they fall into.
pub(super) fn merge(
    sled: &Contained<Handles>,
    tree: Tree,
    mut changes: &[Change<'_>],
) -> Result<BlockPuts, StoreError> {
    let mut puts = BlockPuts::default();
    while let Some((key, _)) = changes.first() {
        let (merged, rest) = sled.call("sled failed to read a block", |handles| {
            let Trees { layout, trees } = &handles.trees;
            if *layout == Layout::Rows {
                return Err(sled::Error::Unsupported("an older build wrote the state".into()));
            }
            let tree = trees.of(tree);
            let found = block_of(tree, key)?;
            // The next fence matters only to a further change.
            let next = match &found {
                _ if changes.len() == 1 => None,
                Some((fence, _)) => blocks_after(tree, fence).next().transpose()?,
                None => tree.first()?,
            };
            let end = next.map_or(changes.len(), |(next, _)| {
                changes.partition_point(|(key, _)| **key < *next)
            });
            let (inside, rest) = changes.split_at_checked(end.max(1)).unwrap_or((changes, &[]));
            let old = found.as_ref().map_or(&[][..], |(_, block)| block);
            Ok(((block::merge(old, inside)?, found), rest))
        })?;
        changes = rest;
        puts.add(merged);
    }
    Ok(puts)
}

impl BlockPuts {
    /// Adds what became of a block that was found, or of rows for which there was none.
    fn add(&mut self, (merged, found): (Merged, Option<(IVec, IVec)>)) {
        self.came = self.came.saturating_add(merged.came);
        self.went = self.went.saturating_add(merged.went);
        let fence = found.map(|(fence, _)| fence);
        if merged.came == 0 && merged.went == 0 {
            return;
        }
        if merged.blocks.is_empty() {
            return self.puts.extend(fence.map(|fence| (fence, None)));
        }
        let mut fence = Some(fence.unwrap_or_default());
        for (first, bytes) in merged.blocks {
            let fence = fence.take().unwrap_or_else(|| IVec::from(first));
            self.bytes = self.bytes.saturating_add(block::row_bytes(&fence, &bytes));
            self.puts.push((fence, Some(IVec::from(bytes))));
        }
    }
}

fn to_row((key, value): (IVec, IVec)) -> Row {
    (key.as_ref().into(), value.as_ref().into())
}
