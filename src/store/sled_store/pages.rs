//! The trees of the state: rows packed into pages.
//!
//! A page's key is where it begins: it has the rows from there to where the next page begins. The first page
//! of a tree begins at the empty key. A page that outgrows its size is split, and one that loses its last
//! row goes. Pages never move rows to the left, so that a reader on its way to the right misses none; one
//! that meets a row twice skips it.
//!
//! Only one thread writes at a time, so a page is read and merged outside of the transaction that puts it
//! back (SL2).
//!
//! Before pages there was a row of sled for each row. Such a state is still read, because it may have to
//! repair a damaged log. It is never written: the next open that writes makes a new one from the log.

use super::contain::Contained;
use super::page::{self, Change, PageRows};
use super::{Handles, Put};
use crate::model::Tree;
use crate::store::per_tree::PerTree;
use crate::store::range::Bounds;
use crate::store::{Row, StoreError};
use sled::IVec;
use std::ops::Bound;

/// Pages, or rows of a state of the older layout, that `scan` takes from sled before it calls out.
const SCAN_PAGES: usize = 64;

/// How rows lie in sled's trees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// Packed into pages.
    Pages,
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
pub(super) struct PagePuts {
    pub(super) puts: Vec<Put>,
    pub(super) bytes: u64,
    pub(super) came: u64,
    pub(super) went: u64,
}

/// The page that has `key`, if the tree has one, and where it begins.
fn page_of(tree: &sled::Tree, key: &[u8]) -> sled::Result<Option<(IVec, IVec)>> {
    tree.range::<&[u8], _>(..=key).next_back().transpose()
}

/// The pages after the one that begins at `fence`.
fn pages_after(tree: &sled::Tree, fence: &[u8]) -> sled::Iter {
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
            Layout::Pages => page_of(trees.trees.of(tree), key)?.map(|(_, page)| page),
            Layout::Rows => trees.trees.of(tree).get(key)?,
        };
        Ok((trees.layout, found))
    })?;
    match (found, layout) {
        (None, _) => Ok(None),
        (Some(page), Layout::Pages) => Ok(page::find(&page, key)?.map(Into::into)),
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
        let first = if *layout == Layout::Pages { page_of(trees.of(tree), &low)? } else { None };
        Ok((*layout, first))
    })?;
    if layout == Layout::Rows {
        return sled.call(what, |handles| {
            let rows = handles.trees.trees.of(tree).range::<Box<[u8]>, _>(wanted.bounds);
            rows.take(limit).map(|row| row.map(to_row)).collect()
        });
    }
    let mut fence = None;
    if let Some((begins, page)) = first {
        if wanted.take(&page)? {
            return Ok(wanted.rows);
        }
        fence = Some(begins);
    }
    let mut pages = sled.call(what, |handles| {
        let tree = handles.trees.trees.of(tree);
        Ok(fence.as_ref().map_or_else(|| tree.iter(), |fence| pages_after(tree, fence)))
    })?;
    while let Some((_, page)) = sled.call(what, |_| pages.next().transpose())? {
        if wanted.take(&page)? {
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
    /// Takes the rows of the next page that are wanted. `true`: no further page has one.
    fn take(&mut self, page: &[u8]) -> Result<bool, StoreError> {
        for row in PageRows::of(page) {
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
            sled.call(what, |_| iter.by_ref().take(SCAN_PAGES).collect())?;
        if taken.is_empty() {
            return Ok(());
        }
        for (key, value) in &taken {
            if layout == Layout::Rows {
                visit(key, value);
                continue;
            }
            for row in PageRows::of(value) {
                let (key, value) = row?;
                // The page before was split after it was read, and this is its right half.
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

/// Merges changes to a tree, sorted by key and each key once, into the pages that they fall into.
pub(super) fn merge(
    sled: &Contained<Handles>,
    tree: Tree,
    mut changes: &[Change<'_>],
) -> Result<PagePuts, StoreError> {
    let what = "sled failed to read a page";
    let mut puts = PagePuts::default();
    while let Some((key, _)) = changes.first() {
        let (found, next) = sled.call(what, |handles| {
            let tree = handles.trees.trees.of(tree);
            let found = page_of(tree, key)?;
            // Where the next page begins matters only to a further change.
            let next = match &found {
                _ if changes.len() == 1 => None,
                Some((fence, _)) => pages_after(tree, fence).next().transpose()?,
                None => tree.first()?,
            };
            Ok((found, next))
        })?;
        let end = next.map_or(changes.len(), |(next, _)| {
            changes.partition_point(|(key, _)| **key < *next)
        });
        let (inside, rest) = changes.split_at_checked(end.max(1)).unwrap_or((changes, &[]));
        changes = rest;
        let (fence, page) = found.map_or((None, IVec::default()), |(fence, page)| (Some(fence), page));
        let merged = page::merge(&page, inside)?;
        puts.came = puts.came.saturating_add(merged.came);
        puts.went = puts.went.saturating_add(merged.went);
        if merged.came == 0 && merged.went == 0 {
            continue;
        }
        if merged.pages.is_empty() {
            puts.puts.extend(fence.map(|fence| (fence, None)));
            continue;
        }
        let mut fence = Some(fence.unwrap_or_default());
        for (first, bytes) in merged.pages {
            let begins = fence.take().unwrap_or_else(|| IVec::from(first));
            puts.bytes = puts.bytes.saturating_add(page::row_bytes(&begins, &bytes));
            puts.puts.push((begins, Some(IVec::from(bytes))));
        }
    }
    Ok(puts)
}

fn to_row((key, value): (IVec, IVec)) -> Row {
    (key.as_ref().into(), value.as_ref().into())
}
