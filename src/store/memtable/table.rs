//! The rows of acknowledged change sets, ordered by tree, key and operation.
//!
//! A row is never overwritten: each operation adds a version of its own, newest first. A reader looks at the
//! newest version that is not newer than the operation at which it reads. So it sees whole change sets,
//! however far a writer has come with the next.

use crate::model::{ChangeSet, Lsn, Tree};
use crate::store::range::Bounds;
use crossbeam_skiplist::SkipMap;
use std::cmp::Ordering;
use std::ops::Bound;
use std::sync::Arc;

/// The longest key of a row (FORMAT, rows).
const KEY_BYTES_MAX: usize = 64;

/// Where a version of a row stands. The key lies inside, so that a comparison follows no pointer.
#[derive(Clone, Copy)]
struct Place {
    tree: u8,
    len: u8,
    key: [u8; KEY_BYTES_MAX],
    lsn: Lsn,
}

impl Place {
    /// A key that is too long for a row stands where the longest row does that it begins with.
    fn new(tree: Tree, key: &[u8], lsn: Lsn) -> Self {
        let mut place = Self { tree: tree as u8, len: 0, key: [0; KEY_BYTES_MAX], lsn };
        let len = key.len().min(KEY_BYTES_MAX);
        if let (Some(to), Some(from)) = (place.key.get_mut(..len), key.get(..len)) {
            to.copy_from_slice(from);
        }
        place.len = u8::try_from(len).unwrap_or(u8::MAX);
        place
    }

    /// Before all versions of a row.
    fn before(tree: Tree, key: &[u8]) -> Self {
        Self::new(tree, key, Lsn(u64::MAX))
    }

    /// After all versions of a row but one that no row has.
    fn after(tree: Tree, key: &[u8]) -> Self {
        Self::new(tree, key, Lsn(0))
    }

    fn key(&self) -> &[u8] {
        self.key.get(..usize::from(self.len)).unwrap_or_default()
    }

    fn is_of(&self, tree: Tree, key: &[u8]) -> bool {
        self.tree == tree as u8 && self.key() == key
    }
}

impl Ord for Place {
    fn cmp(&self, other: &Self) -> Ordering {
        self.tree
            .cmp(&other.tree)
            .then_with(|| self.key().cmp(other.key()))
            .then_with(|| other.lsn.cmp(&self.lsn))
    }
}

impl PartialOrd for Place {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Eq for Place {}

impl PartialEq for Place {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

/// A version of a row: the change set that wrote it, shared with the flusher, and its place in there.
struct Version {
    set: Arc<ChangeSet>,
    row: usize,
}

impl Version {
    /// `None` is a tombstone.
    fn value(&self) -> Option<&[u8]> {
        self.set.rows.get(self.row).and_then(|row| row.value.as_deref())
    }
}

/// What the table knows of a row.
pub(super) enum Looked {
    Row(Box<[u8]>),
    Removed,
    /// The state below decides.
    Unknown,
}

/// A row as the table has it: its key, and its sealed value or a tombstone.
pub(super) type Newer = (Box<[u8]>, Option<Box<[u8]>>);

/// All versions that the state below may still lack.
#[derive(Default)]
pub(super) struct Table(SkipMap<Place, Version>);

impl Table {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds the rows of a change set. Nobody sees them before its LSN is published.
    pub(super) fn insert(&self, set: &Arc<ChangeSet>) {
        for (row, change) in set.rows.iter().enumerate() {
            let place = Place::new(change.tree, &change.key, set.lsn);
            self.0.insert(place, Version { set: Arc::clone(set), row });
        }
    }

    /// Removes the rows of a change set that the state below has. Sets are removed in order, so a reader
    /// never finds an older version of a row after a newer one is gone.
    pub(super) fn remove(&self, set: &ChangeSet) {
        for change in &set.rows {
            self.0.remove(&Place::new(change.tree, &change.key, set.lsn));
        }
    }

    /// The row at `at`.
    pub(super) fn get(&self, tree: Tree, key: &[u8], at: Lsn) -> Looked {
        let found = self.0.lower_bound(Bound::Included(&Place::new(tree, key, at)));
        match found.filter(|found| found.key().is_of(tree, key)) {
            None => Looked::Unknown,
            Some(found) => {
                found.value().value().map_or(Looked::Removed, |value| Looked::Row(value.into()))
            }
        }
    }

    /// Up to `limit` rows at `at` within `bounds`, in order. `true`: there are no more.
    pub(super) fn page(
        &self,
        tree: Tree,
        bounds: &Bounds,
        at: Lsn,
        limit: usize,
    ) -> (Vec<Newer>, bool) {
        let (low, high) = places(tree, bounds);
        let mut rows: Vec<Newer> = Vec::new();
        for entry in self.0.range::<Place, _>((low.as_ref(), high.as_ref())) {
            let key = entry.key().key();
            // The newest version comes first; the others of the row are older.
            if entry.key().lsn > at || rows.last().is_some_and(|(last, _)| **last == *key) {
                continue;
            }
            if rows.len() == limit {
                return (rows, false);
            }
            rows.push((key.into(), entry.value().value().map(Into::into)));
        }
        (rows, true)
    }
}

/// The same bounds among the places of a tree.
fn places(tree: Tree, (low, high): &Bounds) -> (Bound<Place>, Bound<Place>) {
    let low = match low {
        Bound::Included(key) => Bound::Included(Place::before(tree, key)),
        Bound::Excluded(key) => Bound::Excluded(Place::after(tree, key)),
        Bound::Unbounded => Bound::Included(Place::before(tree, &[])),
    };
    let high = match high {
        Bound::Excluded(key) => Bound::Excluded(Place::before(tree, key)),
        Bound::Included(key) => Bound::Included(Place::after(tree, key)),
        Bound::Unbounded => Bound::Included(Place::after(tree, &[u8::MAX; KEY_BYTES_MAX])),
    };
    (low, high)
}
