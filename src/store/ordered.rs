//! The state in memory: an ordered map per tree. For vaults in memory and for simulation; the shared
//! tests compare sled with it.

use super::per_tree::PerTree;
use super::{Range, Row, Span, Store, StoreError};
use crate::env::faults::{self, Fault};
use crate::env::threads::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use crate::model::{ChangeSet, Lsn, RowChange, Tree};
use std::collections::BTreeMap;
use std::ops::Bound;

/// Rows that `scan` copies before it calls out with the lock released.
const SCAN_ROWS: usize = 256;

/// One tree. The bytes are shared, so that copying a row only increments a counter.
type Map = BTreeMap<Arc<[u8]>, Arc<[u8]>>;

#[derive(Clone, Default)]
struct State {
    /// Each shared with forks until one side writes to it.
    trees: PerTree<Arc<Map>>,
    span: Span,
    /// What a power cut would leave, if this were on a disk.
    #[cfg(feature = "testkit")]
    durable: Lsn,
}

impl State {
    fn write(&mut self, row: &RowChange) {
        let map = Arc::make_mut(self.trees.of_mut(row.tree));
        match &row.value {
            Some(value) => map.insert((&*row.key).into(), (&**value).into()),
            None => map.remove(&*row.key),
        };
    }
}

/// The state in memory. Gone when dropped.
#[derive(Default)]
pub struct OrderedStore {
    state: RwLock<State>,
}

impl std::fmt::Debug for OrderedStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OrderedStore").finish_non_exhaustive()
    }
}

impl OrderedStore {
    /// An empty state.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A second state with the same rows, independent from now on.
    #[must_use]
    pub fn fork(&self) -> Self {
        Self { state: RwLock::new(self.read().clone()) }
    }

    /// Whether nothing was written to either since one was forked from the other.
    #[cfg(feature = "testkit")]
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let (state, other) = (self.read(), other.read());
        Tree::ALL.into_iter().all(|tree| Arc::ptr_eq(state.trees.of(tree), other.trees.of(tree)))
            && state.span == other.span
    }

    /// The operation of the last checkpoint. 0: there was none. A store on a disk comes back from a power cut
    /// as it was then, or later.
    #[cfg(feature = "testkit")]
    #[must_use]
    pub fn durable(&self) -> Lsn {
        self.read().durable
    }

    /// A poisoned lock is ignored: no code under the lock can panic, so the data is whole.
    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for OrderedStore {
    fn span(&self) -> Result<Span, StoreError> {
        Ok(self.read().span)
    }

    fn get(&self, tree: Tree, key: &[u8]) -> Result<Option<Box<[u8]>>, StoreError> {
        Ok(self.read().trees.of(tree).get(key).map(|value| (&**value).into()))
    }

    fn range(&self, tree: Tree, range: Range<'_>) -> Result<Vec<Row>, StoreError> {
        let Some((low, high)) = range.bounds() else { return Ok(Vec::new()) };
        let state = self.read();
        let (low, high) = (low.as_ref().map(|key| &**key), high.as_ref().map(|key| &**key));
        let rows = state.trees.of(tree).range::<[u8], _>((low, high));
        let copy = |(key, value): (&Arc<[u8]>, &Arc<[u8]>)| ((&**key).into(), (&**value).into());
        Ok(rows.take(range.limit).map(copy).collect())
    }

    fn scan(&self, tree: Tree, visit: &mut dyn FnMut(&[u8], &[u8])) -> Result<(), StoreError> {
        let mut last: Option<Arc<[u8]>> = None;
        loop {
            let low = last.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
            let rows: Vec<_> = self
                .read()
                .trees
                .of(tree)
                .range::<[u8], _>((low, Bound::Unbounded))
                .take(SCAN_ROWS)
                .map(|(key, value)| (Arc::clone(key), Arc::clone(value)))
                .collect();
            for (key, value) in &rows {
                visit(key, value);
            }
            match rows.into_iter().next_back() {
                Some((key, _)) => last = Some(key),
                None => return Ok(()),
            }
        }
    }

    fn apply(&self, sets: &[ChangeSet]) -> Result<(), StoreError> {
        let lost = lost_row(sets);
        for set in sets {
            let mut state = self.write();
            if set.lsn <= state.span.applied {
                continue;
            }
            for row in &set.rows {
                if lost.is_some_and(|lost| std::ptr::eq(lost, row)) {
                    continue;
                }
                state.write(row);
            }
            let reaches = state.span.reaches.max(set.lsn);
            state.span = Span { applied: set.lsn, reaches };
        }
        Ok(())
    }

    fn apply_part(&self, rows: &[RowChange], span: Span) -> Result<(), StoreError> {
        let mut state = self.write();
        for row in rows {
            state.write(row);
        }
        state.span = span;
        Ok(())
    }

    fn checkpoint(&self) -> Result<Lsn, StoreError> {
        #[cfg(feature = "testkit")]
        {
            let mut state = self.write();
            state.durable = state.span.applied;
        }
        self.applied()
    }

    fn disk_bytes(&self) -> u64 {
        0
    }
}

/// The row that a batch of several writers loses, if that fault is active.
fn lost_row(sets: &[ChangeSet]) -> Option<&RowChange> {
    sets.first().filter(|_| sets.len() > 1 && faults::active(Fault::BatchLosesRow))?.rows.last()
}
