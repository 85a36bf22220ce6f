//! Where rows are read from. Readers use the state alone. The commit pipeline uses the state under a layer of
//! rows that earlier operations of the batch have written (I1).

use super::opened::{Known, KnownRow, Opened, OpenedRows};
use crate::crypto::{RowShare, ValueKey};
use crate::model::{ChangeSet, Lsn, RowChange, Tree};
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
    /// What is known of a row that is about to be replaced.
    fn before(&self, _tree: Tree, _key: &[u8]) -> Before {
        Before::Unknown
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

/// A row that is about to be replaced.
pub(crate) enum Before {
    /// There is none.
    Absent,
    /// What it has added to the sum over the rows.
    Share(RowShare),
    /// It must be looked for.
    Unknown,
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

    fn before(&self, tree: Tree, key: &[u8]) -> Before {
        self.opened.share(tree, key).map_or(Before::Unknown, Before::Share)
    }

    fn keep(&self, tree: Tree, key: &[u8], opened: Opened) {
        self.opened.keep(tree, key, Known { opened, share: None }, self.at);
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

/// A row that a batch has written.
struct Written {
    /// Its change set, and its place there.
    at: (usize, usize),
    /// What it holds, if whoever wrote it says so.
    known: Option<Known>,
}

/// The rows that a batch has written so far, over those of a state.
pub(crate) struct Layer<B> {
    below: B,
    sets: Vec<ChangeSet>,
    /// Where the newest version of each row is.
    rows: PerTree<BTreeMap<Box<[u8]>, Written>>,
}

/// A row that is written, and what it holds, for the operations that follow.
pub(crate) type NewRow = (RowChange, Option<Known>);

impl<B: RowSource> Layer<B> {
    /// An empty layer.
    pub(crate) fn over(below: B) -> Self {
        Self { below, sets: Vec::new(), rows: PerTree::default() }
    }

    /// Adds a change set, for the operations that follow.
    pub(crate) fn write(&mut self, lsn: Lsn, rows: Vec<NewRow>) {
        let set = self.sets.len();
        let mut changes = Vec::with_capacity(rows.len());
        for (change, known) in rows {
            let written = Written { at: (set, changes.len()), known };
            self.rows.of_mut(change.tree).insert(change.key.clone(), written);
            changes.push(change);
        }
        self.sets.push(ChangeSet { lsn, rows: changes });
    }

    /// How many change sets there are.
    pub(crate) fn sets(&self) -> usize {
        self.sets.len()
    }

    /// The change sets, and what the rows hold that are the newest.
    pub(crate) fn into_parts(mut self) -> (Vec<ChangeSet>, Vec<KnownRow>) {
        let mut known = Vec::new();
        for tree in Tree::ALL {
            let rows = std::mem::take(self.rows.of_mut(tree));
            known.extend(rows.into_iter().filter_map(|(key, row)| Some((tree, key, row.known?))));
        }
        (self.sets, known)
    }
}

impl<B> Layer<B> {
    fn written(&self, tree: Tree, key: &[u8]) -> Option<&Written> {
        self.rows.of(tree).get(key)
    }

    /// A row of the layer. `None` is a tombstone.
    fn value(&self, written: &Written) -> Option<&[u8]> {
        let (set, row) = written.at;
        self.sets.get(set)?.rows.get(row)?.value.as_deref()
    }
}

/// What the layer has is known to this batch only, which may still be dropped. So nothing of it is kept.
impl<B: RowSource> RowSource for Layer<B> {
    fn opened(&self, tree: Tree, key: &[u8]) -> Option<Opened> {
        match self.written(tree, key) {
            Some(written) => written.known.as_ref().map(|known| known.opened.clone()),
            None => self.below.opened(tree, key),
        }
    }

    fn before(&self, tree: Tree, key: &[u8]) -> Before {
        let Some(written) = self.written(tree, key) else { return self.below.before(tree, key) };
        match &written.known {
            _ if self.value(written).is_none() => Before::Absent,
            Some(Known { share: Some(share), .. }) => Before::Share(share.clone()),
            _ => Before::Unknown,
        }
    }

    fn keep(&self, tree: Tree, key: &[u8], opened: Opened) {
        if self.written(tree, key).is_none() {
            self.below.keep(tree, key, opened);
        }
    }

    fn data_key(&self, version: &[u8]) -> Option<Arc<ValueKey>> {
        match self.written(Tree::Versions, version) {
            Some(_) => None,
            None => self.below.data_key(version),
        }
    }

    fn keep_data_key(&self, version: &[u8], key: Arc<ValueKey>) {
        if self.written(Tree::Versions, version).is_none() {
            self.below.keep_data_key(version, key);
        }
    }

    fn get(&self, tree: Tree, key: &[u8]) -> Result<Option<Box<[u8]>>, RowError> {
        match self.written(tree, key) {
            Some(written) => Ok(self.value(written).map(Into::into)),
            None => self.below.get(tree, key),
        }
    }

    fn range(&self, tree: Tree, range: Range<'_>) -> Result<Vec<Row>, RowError> {
        let Range { prefix, after, limit } = range;
        let start = match after {
            Some(after) if after >= prefix => Bound::Excluded(after),
            _ => Bound::Included(prefix),
        };
        let mut written: Vec<(_, Option<Box<[u8]>>)> = self
            .rows
            .of(tree)
            .range::<[u8], _>((start, Bound::Unbounded))
            .take_while(|(key, _)| key.starts_with(prefix))
            .map(|(key, written)| (key.clone(), self.value(written).map(Box::from)))
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
