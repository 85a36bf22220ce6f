//! Where sealed rows are read from. Readers use the store alone. The commit pipeline uses the store under a
//! layer of rows that earlier operations of the batch have written (I1).

use crate::model::{RowChange, Tree};
use crate::store::{PerTree, Row, Store};
use crate::vault::error::RowError;
use std::collections::BTreeMap;
use std::ops::Bound;

/// A source of sealed rows.
pub(crate) trait RowSource {
    /// One row.
    fn get(&self, tree: Tree, key: &[u8]) -> Result<Option<Box<[u8]>>, RowError>;
    /// Up to `limit` rows whose key starts with `prefix` and is greater than `after`, in order.
    fn range(
        &self,
        tree: Tree,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Row>, RowError>;
}

impl RowSource for &dyn Store {
    fn get(&self, tree: Tree, key: &[u8]) -> Result<Option<Box<[u8]>>, RowError> {
        Ok(Store::get(*self, tree, key)?)
    }

    fn range(
        &self,
        tree: Tree,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Row>, RowError> {
        Ok(Store::range(*self, tree, prefix, after, limit, false)?)
    }
}

/// Rows of a tree by key. `None` is a tombstone.
type Written = BTreeMap<Box<[u8]>, Option<Box<[u8]>>>;

/// The rows that a batch has written so far, over the store.
pub(crate) struct Layer<'a> {
    below: &'a dyn Store,
    rows: PerTree<Written>,
}

impl<'a> Layer<'a> {
    /// An empty layer.
    pub(crate) fn over(below: &'a dyn Store) -> Self {
        Self { below, rows: PerTree::default() }
    }

    /// Adds `changes`, for the operations that follow.
    pub(crate) fn write(&mut self, changes: &[RowChange]) {
        for change in changes {
            self.rows.of_mut(change.tree).insert(change.key.clone(), change.value.clone());
        }
    }
}

impl RowSource for Layer<'_> {
    fn get(&self, tree: Tree, key: &[u8]) -> Result<Option<Box<[u8]>>, RowError> {
        match self.rows.of(tree).get(key) {
            Some(value) => Ok(value.clone()),
            None => Ok(self.below.get(tree, key)?),
        }
    }

    fn range(
        &self,
        tree: Tree,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Row>, RowError> {
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
            return Ok(self.below.range(tree, prefix, after, limit, false)?);
        }
        // Each row of the layer may hide one of the store, so that many more are fetched.
        let below =
            self.below.range(tree, prefix, after, limit.saturating_add(written.len()), false)?;
        let complete = below.len() < limit.saturating_add(written.len());
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
