//! Where rows are read from. Readers use the state alone. The commit pipeline uses the state under a layer of
//! rows that earlier operations of the batch have written (I1).

use super::opened::{Opened, OpenedRows};
use crate::crypto::ValueKey;
use crate::model::{Lsn, RowChange, Tree};
use crate::store::{PerTree, Range, Row, Store};
use crate::vault::error::RowError;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

/// A source of sealed rows.
pub(crate) trait RowSource {
    /// One row.
    fn get(&self, tree: Tree, key: &[u8]) -> Result<Option<Box<[u8]>>, RowError>;
    /// The rows of `tree` in `range`, in key order.
    fn range(&self, tree: Tree, range: Range<'_>) -> Result<Vec<Row>, RowError>;
    /// The row as it was opened before, if it was and has not changed since.
    fn opened(&self, _tree: Tree, _key: &[u8]) -> Option<Opened> {
        None
    }
    /// Keeps an opened row for the next reader.
    fn keep(&self, _tree: Tree, _key: &[u8], _opened: Opened) {}
    /// The data key of the version with this row, as it was unwrapped before.
    fn data_key(&self, _version: &[u8]) -> Option<Arc<ValueKey>> {
        None
    }
    /// Keeps a data key for the next reader.
    fn keep_data_key(&self, _version: &[u8], _key: Arc<ValueKey>) {}
}

/// A state's rows, with those that were opened lately.
#[derive(Clone, Copy)]
pub(crate) struct Latest<'a> {
    pub(crate) store: &'a dyn Store,
    pub(crate) opened: &'a OpenedRows,
    /// The operation at which the read began.
    pub(crate) at: Lsn,
}

impl RowSource for Latest<'_> {
    fn get(&self, tree: Tree, key: &[u8]) -> Result<Option<Box<[u8]>>, RowError> {
        RowSource::get(&self.store, tree, key)
    }

    fn range(&self, tree: Tree, range: Range<'_>) -> Result<Vec<Row>, RowError> {
        RowSource::range(&self.store, tree, range)
    }

    fn opened(&self, tree: Tree, key: &[u8]) -> Option<Opened> {
        self.opened.get(tree, key)
    }

    fn keep(&self, tree: Tree, key: &[u8], opened: Opened) {
        self.opened.keep(tree, key, opened, self.at);
    }

    fn data_key(&self, version: &[u8]) -> Option<Arc<ValueKey>> {
        self.opened.data_key(version)
    }

    fn keep_data_key(&self, version: &[u8], key: Arc<ValueKey>) {
        self.opened.keep_data_key(version, key, self.at);
    }
}

impl RowSource for &dyn Store {
    fn get(&self, tree: Tree, key: &[u8]) -> Result<Option<Box<[u8]>>, RowError> {
        Ok(Store::get(*self, tree, key)?)
    }

    fn range(&self, tree: Tree, range: Range<'_>) -> Result<Vec<Row>, RowError> {
        Ok(Store::range(*self, tree, range)?)
    }
}

/// Rows of a tree by key. `None` is a tombstone.
type Written = BTreeMap<Box<[u8]>, Option<Box<[u8]>>>;

/// The rows that a batch has written so far, over those of a state.
pub(crate) struct Layer<B> {
    below: B,
    rows: PerTree<Written>,
}

impl<B: RowSource> Layer<B> {
    /// An empty layer.
    pub(crate) fn over(below: B) -> Self {
        Self { below, rows: PerTree::default() }
    }

    /// Adds `changes`, for the operations that follow.
    pub(crate) fn write(&mut self, changes: &[RowChange]) {
        for change in changes {
            self.rows.of_mut(change.tree).insert(change.key.clone(), change.value.clone());
        }
    }
}

impl<B: RowSource> Layer<B> {
    fn has(&self, tree: Tree, key: &[u8]) -> bool {
        self.rows.of(tree).contains_key(key)
    }
}

/// What the layer has is known to this batch only, which may still be dropped. So nothing of it is kept.
impl<B: RowSource> RowSource for Layer<B> {
    fn opened(&self, tree: Tree, key: &[u8]) -> Option<Opened> {
        if self.has(tree, key) { None } else { self.below.opened(tree, key) }
    }

    fn keep(&self, tree: Tree, key: &[u8], opened: Opened) {
        if !self.has(tree, key) {
            self.below.keep(tree, key, opened);
        }
    }

    fn data_key(&self, version: &[u8]) -> Option<Arc<ValueKey>> {
        if self.has(Tree::Versions, version) { None } else { self.below.data_key(version) }
    }

    fn keep_data_key(&self, version: &[u8], key: Arc<ValueKey>) {
        if !self.has(Tree::Versions, version) {
            self.below.keep_data_key(version, key);
        }
    }

    fn get(&self, tree: Tree, key: &[u8]) -> Result<Option<Box<[u8]>>, RowError> {
        match self.rows.of(tree).get(key) {
            Some(value) => Ok(value.clone()),
            None => self.below.get(tree, key),
        }
    }

    fn range(&self, tree: Tree, range: Range<'_>) -> Result<Vec<Row>, RowError> {
        let Range { prefix, after, limit } = range;
        let start = match after {
            Some(after) if after >= prefix => Bound::Excluded(after),
            _ => Bound::Included(prefix),
        };
        let mut written: Vec<_> = self
            .rows
            .of(tree)
            .range::<[u8], _>((start, Bound::Unbounded))
            .take_while(|(key, _)| key.starts_with(prefix))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        if written.is_empty() {
            return self.below.range(tree, range);
        }
        // Each row of the layer may hide one of the store, so that many more are fetched.
        let wanted = limit.saturating_add(written.len());
        let below = self.below.range(tree, Range { limit: wanted, ..range })?;
        let complete = below.len() < wanted;
        let last_below = below.last().map(|(key, _)| key.clone());
        let mut merged: BTreeMap<Box<[u8]>, Box<[u8]>> = below.into_iter().collect();
        if !complete {
            // The rows beyond the fetched part are not known yet, so no row of the layer from there can be
            // placed.
            written.retain(|(key, _)| last_below.as_ref().is_some_and(|last| key <= last));
        }
        for (key, value) in written {
            match value {
                Some(value) => merged.insert(key, value),
                None => merged.remove(&key),
            };
        }
        Ok(merged.into_iter().take(limit).collect())
    }
}
