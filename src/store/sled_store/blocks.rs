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

use super::block::{self, BlockRows, Change};
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
    let (layout, found) = sled.call("sled failed to read a row", |handles| {
        let trees = &handles.trees;
        let found = match trees.layout {
            Layout::Blocks => block_of(trees.trees.of(tree), key)?.map(|(_, block)| block),
            Layout::Rows => trees.trees.of(tree).get(key)?,
        };
        Ok((trees.layout, found))
    })?;
    match (found, layout) {
        (None, _) => Ok(None),
        (Some(block), Layout::Blocks) => Ok(block::find(&block, key)?.map(Into::into)),
        (Some(value), Layout::Rows) => Ok(Some(value.as_ref().into())),
    }
}

/// Up to `limit` rows within `bounds`, in key order.
pub(super) fn range(
    sled: &Contained<Handles>,
    tree: Tree,
    bounds: Bounds,
    limit: usize,
) -> Result<Vec<Row>, StoreError> {
    let what = "sled failed to read a range";
    let mut wanted = Wanted { bounds, limit, rows: Vec::new() };
    let low: Box<[u8]> = match &wanted.bounds.0 {
        Bound::Included(key) | Bound::Excluded(key) => key.clone(),
        Bound::Unbounded => Box::default(),
    };
    let (layout, first) = sled.call(what, |handles| {
        let Trees { layout, trees } = &handles.trees;
        let first = if *layout == Layout::Blocks { block_of(trees.of(tree), &low)? } else { None };
        Ok((*layout, first))
    })?;
    if layout == Layout::Rows {
        return sled.call(what, |handles| {
            let rows = handles.trees.trees.of(tree).range::<Box<[u8]>, _>(wanted.bounds);
            rows.take(limit).map(|row| row.map(to_row)).collect()
        });
    }
    let mut fence = None;
    if let Some((first, block)) = first {
        if wanted.take(&block)? {
            return Ok(wanted.rows);
        }
        fence = Some(first);
    }
    let mut blocks = sled.call(what, |handles| {
        let tree = handles.trees.trees.of(tree);
        Ok(fence.as_ref().map_or_else(|| tree.iter(), |fence| blocks_after(tree, fence)))
    })?;
    while let Some((_, block)) = sled.call(what, |_| blocks.next().transpose())? {
        if wanted.take(&block)? {
            break;
        }
    }
    Ok(wanted.rows)
}

/// The rows of a range while they are collected.
struct Wanted {
    bounds: Bounds,
    limit: usize,
    rows: Vec<Row>,
}

impl Wanted {
    /// Takes the rows of the next block that are wanted. `true`: no further block has one.
    fn take(&mut self, block: &[u8]) -> Result<bool, StoreError> {
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
    let mut last: Vec<u8> = Vec::new();
    let mut is_first = true;
    loop {
        let taken: Vec<(IVec, IVec)> =
            sled.call(what, |_| iter.by_ref().take(SCAN_BLOCKS).collect())?;
        if taken.is_empty() {
            return Ok(());
        }
        for (key, value) in &taken {
            if layout == Layout::Rows {
                visit(key, value);
                continue;
            }
            for row in BlockRows::of(value) {
                let (key, value) = row?;
                // The block before was split after it was read, and this is its right half.
                if !is_first && *last >= *key {
                    continue;
                }
                visit(key, value);
                is_first = false;
                last.clear();
                last.extend_from_slice(key);
            }
        }
    }
}

/// Merges changes to a tree, sorted by key and each key once, into the blocks that they fall into.
pub(super) fn merge(
    sled: &Contained<Handles>,
    tree: Tree,
    mut changes: &[Change<'_>],
) -> Result<BlockPuts, StoreError> {
    let what = "sled failed to read a block";
    let mut puts = BlockPuts::default();
    while let Some((key, _)) = changes.first() {
        let (found, next) = sled.call(what, |handles| {
            let tree = handles.trees.trees.of(tree);
            let found = block_of(tree, key)?;
            // The next fence matters only to a further change.
            let next = match &found {
                _ if changes.len() == 1 => None,
                Some((fence, _)) => blocks_after(tree, fence).next().transpose()?,
                None => tree.first()?,
            };
            Ok((found, next))
        })?;
        let end = next
            .map_or(changes.len(), |(next, _)| changes.partition_point(|(key, _)| **key < *next));
        let (inside, rest) = changes.split_at_checked(end.max(1)).unwrap_or((changes, &[]));
        changes = rest;
        let (fence, block) =
            found.map_or((None, IVec::default()), |(fence, block)| (Some(fence), block));
        let merged = block::merge(&block, inside)?;
        puts.came = puts.came.saturating_add(merged.came);
        puts.went = puts.went.saturating_add(merged.went);
        if merged.came == 0 && merged.went == 0 {
            continue;
        }
        if merged.blocks.is_empty() {
            puts.puts.extend(fence.map(|fence| (fence, None)));
            continue;
        }
        let mut fence = Some(fence.unwrap_or_default());
        for (first, bytes) in merged.blocks {
            let fence = fence.take().unwrap_or_else(|| IVec::from(first));
            puts.bytes = puts.bytes.saturating_add(block::row_bytes(&fence, &bytes));
            puts.puts.push((fence, Some(IVec::from(bytes))));
        }
    }
    Ok(puts)
}

fn to_row((key, value): (IVec, IVec)) -> Row {
    (key.as_ref().into(), value.as_ref().into())
}
