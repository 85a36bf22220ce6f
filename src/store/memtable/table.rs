//! The rows of acknowledged change sets, ordered by tree, key and operation.
//!
//! There are two tables at most: what is published goes into one, while a flush moves the other down. The
//! other is dropped as a whole, once the state below has all of it.
//!
//! A row is never overwritten: each operation adds a version of its own, newest first. A reader looks at the
//! newest version that is not newer than the operation at which it reads. So it sees whole change sets,
//! however far a writer has come with the next.

use crate::model::{ChangeSet, Lsn, Tree};
use crate::store::range::Bounds;
use crossbeam_skiplist::SkipMap;
use crossbeam_skiplist::map::Entry;
use std::cmp::Ordering;
use std::ops::Bound;
use std::sync::Arc;

/// The longest key of a row (FORMAT, rows).
const KEY_BYTES_MAX: usize = 64;

/// The first bytes of a key, which mostly decide a comparison.
const HEAD_BYTES: usize = 16;
const TAIL_BYTES: usize = KEY_BYTES_MAX - HEAD_BYTES;

/// Where a version of a row stands. The key lies inside, so that a comparison follows no pointer.
#[derive(Clone, Copy)]
struct Place {
    tree: u8,
    len: u8,
    /// The first bytes, filled up with zeroes.
    head: u128,
    tail: [u8; TAIL_BYTES],
    lsn: Lsn,
}

impl Place {
    /// A key that is too long for a row stands where the longest row does that it begins with.
    fn new(tree: Tree, key: &[u8], lsn: Lsn) -> Self {
        let len = key.len().min(KEY_BYTES_MAX);
        let (mut head, mut tail) = ([0; HEAD_BYTES], [0; TAIL_BYTES]);
        let bytes = head.iter_mut().chain(&mut tail);
        bytes.zip(key).for_each(|(to, from)| *to = *from);
        let len = u8::try_from(len).unwrap_or(u8::MAX);
        Self { tree: tree as u8, len, head: u128::from_be_bytes(head), tail, lsn }
    }

    /// Before all versions of a row.
    fn before(tree: Tree, key: &[u8]) -> Self {
        Self::new(tree, key, Lsn(u64::MAX))
    }

    /// After all versions of a row but one that no row has.
    fn after(tree: Tree, key: &[u8]) -> Self {
        Self::new(tree, key, Lsn(0))
    }

    fn key(&self) -> Box<[u8]> {
        let head = self.head.to_be_bytes();
        head.into_iter().chain(self.tail).take(usize::from(self.len)).collect()
    }

    fn is_same_row(&self, other: &Self) -> bool {
        (self.tree, self.len, self.head) == (other.tree, other.len, other.head)
            && self.tail == other.tail
    }
}

/// Of two keys that differ in nothing but zeroes at their end, the shorter one comes first.
impl Ord for Place {
    fn cmp(&self, other: &Self) -> Ordering {
        self.tree
            .cmp(&other.tree)
            .then_with(|| self.head.cmp(&other.head))
            .then_with(|| self.tail.cmp(&other.tail))
            .then_with(|| self.len.cmp(&other.len))
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

/// All versions that were published within some time.
#[derive(Default)]
pub(super) struct Table(SkipMap<Place, Version>);

impl Table {
    /// The newest version of a row at `at`.
    fn get(&self, place: &Place) -> Option<Entry<'_, Place, Version>> {
        let found = self.0.lower_bound(Bound::Included(place));
        found.filter(|found| found.key().is_same_row(place))
    }

    fn range(&self, within: Places) -> impl Iterator<Item = Entry<'_, Place, Version>> {
        self.0.range::<Place, _>(within)
    }
}

/// All versions that the state below may still lack.
#[derive(Default)]
pub(super) struct Tables {
    /// What is published goes in here.
    active: Table,
    /// What a flush is moving down.
    frozen: Option<Table>,
}

impl Tables {
    pub(super) fn is_empty(&self) -> bool {
        self.active.0.is_empty() && self.frozen.is_none()
    }

    /// Adds the rows of a change set. Nobody sees them before its LSN is published.
    pub(super) fn insert(&self, set: &Arc<ChangeSet>) {
        for (row, change) in set.rows.iter().enumerate() {
            let place = Place::new(change.tree, &change.key, set.lsn);
            self.active.0.insert(place, Version { set: Arc::clone(set), row });
        }
    }

    /// What is published from now on goes into a table of its own.
    pub(super) fn freeze(&mut self) {
        self.frozen = Some(std::mem::take(&mut self.active));
    }

    /// Forgets the frozen table: the state below has all of it. The caller drops it without a lock.
    pub(super) fn forget_frozen(&mut self) -> Option<Table> {
        self.frozen.take()
    }

    /// The row at `at`. What is in the active table is newer than what is in the frozen one.
    pub(super) fn get(&self, tree: Tree, key: &[u8], at: Lsn) -> Looked {
        let place = Place::new(tree, key, at);
        let older = || self.frozen.as_ref().and_then(|frozen| frozen.get(&place));
        match self.active.get(&place).or_else(older) {
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
        let within = places(tree, bounds);
        let mut active = self.active.range(within).peekable();
        let older = self.frozen.as_ref().map(|frozen| frozen.range(within));
        let mut frozen = older.into_iter().flatten().peekable();
        let mut rows: Vec<Newer> = Vec::new();
        let mut last: Option<Place> = None;
        loop {
            let takes_active = match (active.peek(), frozen.peek()) {
                (Some(active), Some(frozen)) => active.key() < frozen.key(),
                (active, _) => active.is_some(),
            };
            let next = if takes_active { active.next() } else { frozen.next() };
            let Some(entry) = next else { return (rows, true) };
            let place = entry.key();
            // The newest version comes first; the others of the row are older.
            if place.lsn > at || last.as_ref().is_some_and(|last| last.is_same_row(place)) {
                continue;
            }
            if rows.len() == limit {
                return (rows, false);
            }
            last = Some(*place);
            rows.push((place.key(), entry.value().value().map(Into::into)));
        }
    }
}

/// A part of a table.
type Places = (Bound<Place>, Bound<Place>);

/// The same bounds among the places of a tree.
fn places(tree: Tree, (low, high): &Bounds) -> Places {
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
