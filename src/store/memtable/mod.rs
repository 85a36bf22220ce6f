//! The memtable: acknowledged change sets in memory, over a state that follows them.
//!
//! ```text
//! publish -> table (skip list) -> readers: the newest version up to the published operation
//!                  |
//!                  +-> flusher: whole change sets, secret by secret, in transactions -> the state below
//! ```
//!
//! - **MT1** A change set is shown whole or not at all: its rows are in the table before its LSN is
//!   published.
//! - **MT2** The state below has every operation up to the last flush that ended, and only published ones
//!   beyond. Only a load from a snapshot gets it ahead of what was published.
//! - **MT3** A row leaves the table only after the state below has it, and readers ask the table first. All
//!   rows of a flush leave it together.
//! - **MT4** The table is bounded. Beyond the bound writers wait for the flusher, before they write their
//!   frame.
//! - **MT5** Table, flusher and state are one object. A state that is replaced takes its flusher with it, so
//!   none writes into a state that it does not belong to.
//!
//! ```text
//! table.rs   the versions of rows, newest first
//! plan.rs    the order in which change sets go down
//! flush.rs   what waits, the transactions, the thread
//! ```

mod flush;
mod plan;
mod table;

use super::{Loader, OrderedStore, Range, Row, SledStore, Span, Store, StoreError};
use crate::env::threads::sync::{Arc, Mutex, PoisonError};
use crate::env::threads::thread::{self, JoinHandle};
use crate::model::{ChangeSet, Lsn, RowChange, Tree};
pub use flush::MemtableBytes;
use flush::Shared;
use std::cmp::Ordering;
use table::{Looked, Newer};

/// The least number of rows that a range takes from the table in one go.
const PAGE_ROWS: usize = 64;
/// Rows that a scan takes in one go.
const SCAN_ROWS: usize = 256;

/// A memtable over the state `S`.
pub struct Memtable<S: Store + 'static> {
    shared: Arc<Shared<S>>,
    /// `None`: there is none, or it was stopped.
    flusher: Mutex<Option<JoinHandle<()>>>,
}

impl<S: Store + 'static> Memtable<S> {
    /// An empty table over `below`. `has_thread`: a thread flushes it, else whoever writes does.
    pub fn over(below: S, bytes: MemtableBytes, has_thread: bool) -> Result<Self, StoreError> {
        let shared = Arc::new(Shared::new(below, bytes, has_thread)?);
        let flusher = has_thread.then(|| {
            let runs = Arc::clone(&shared);
            let named = thread::Builder::new().name("strongroom-flush".to_owned());
            named
                .spawn(move || runs.run())
                .map_err(|source| StoreError::Io { op: "start a thread", source })
        });
        Ok(Self { shared, flusher: Mutex::new(flusher.transpose()?) })
    }

    /// Shows change sets to readers, all at once and without waiting for the state below.
    pub fn publish(&self, sets: Vec<ChangeSet>) -> Result<(), StoreError> {
        self.shared.publish(sets)
    }

    /// Waits until the table is within its bound (MT4).
    pub fn make_room(&self) -> Result<(), StoreError> {
        self.shared.make_room()
    }

    /// Brings the state below up to `lsn`, if that was published.
    pub fn flush_to(&self, lsn: Lsn) -> Result<(), StoreError> {
        self.shared.flush_to(lsn)
    }

    /// Brings the state below up to everything that was published.
    pub fn flush(&self) -> Result<(), StoreError> {
        self.shared.flush()
    }

    /// Bytes of rows that wait to be flushed.
    pub fn waiting_bytes(&self) -> u64 {
        self.shared.waiting_bytes()
    }

    /// The state below.
    pub fn below(&self) -> &S {
        &self.shared.below
    }

    fn stop(&self) {
        self.shared.stop();
        let flusher = self.flusher.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(flusher) = flusher {
            // It contains the panics of sled, and has none of its own.
            let _ = flusher.join();
        }
    }
}

impl Memtable<SledStore> {
    /// Stops the flusher, flushes the rest, and closes sled: see [`SledStore::close`].
    pub fn close(&self) -> Result<Lsn, StoreError> {
        self.stop();
        // A state that has failed takes no more rows, and is closed all the same.
        let flushed = self.flush();
        let closed = self.below().close();
        flushed.and(closed)
    }

    /// The same without the flush: nobody will read what is in there.
    pub fn discard(&self) -> Result<Lsn, StoreError> {
        self.stop();
        self.below().close()
    }

    /// Fills an empty state below from a snapshot: see [`SledStore::load`].
    pub fn load(&self) -> Result<Loader<'_>, StoreError> {
        self.below().load()
    }
}

#[cfg(feature = "testkit")]
impl Memtable<OrderedStore> {
    /// A second state with the same rows, independent from now on and without a thread.
    pub fn fork(&self) -> Result<Self, StoreError> {
        self.flush()?;
        Self::over(self.below().fork(), self.shared.bytes(), false)
    }
}

impl<S: Store + 'static> Drop for Memtable<S> {
    /// What was not flushed is in the log.
    fn drop(&mut self) {
        self.stop();
    }
}

impl<S: Store> Store for Memtable<S> {
    fn span(&self) -> Result<Span, StoreError> {
        self.shared.span()
    }

    fn get(&self, tree: Tree, key: &[u8]) -> Result<Option<Box<[u8]>>, StoreError> {
        let at = self.shared.published();
        let looked = self.shared.tables().get(tree, key, at);
        match looked {
            Looked::Row(row) => Ok(Some(row)),
            Looked::Removed => Ok(None),
            Looked::Unknown => self.below().get(tree, key),
        }
    }

    fn range(&self, tree: Tree, range: Range<'_>) -> Result<Vec<Row>, StoreError> {
        let at = self.shared.published();
        let (rows, last) = (Vec::new(), range.after.map(Into::into));
        let mut merged = Merged { rows, limit: range.limit, last };
        loop {
            let limit = range.limit.saturating_sub(merged.rows.len());
            let rest = Range { after: merged.last.as_deref(), limit, ..range };
            let Some(bounds) = rest.bounds().filter(|_| limit > 0) else { break };
            // The table before the state (MT3).
            let newer = self.shared.tables().page(tree, &bounds, at, limit.max(PAGE_ROWS));
            let below = self.below().range(tree, rest)?;
            let below_ends = below.len() < limit;
            if merged.add(newer, (below, below_ends)) {
                break;
            }
        }
        Ok(merged.rows)
    }

    fn scan(&self, tree: Tree, visit: &mut dyn FnMut(&[u8], &[u8])) -> Result<(), StoreError> {
        if self.shared.tables().is_empty() {
            return self.below().scan(tree, visit);
        }
        let mut after: Option<Box<[u8]>> = None;
        loop {
            let rows =
                self.range(tree, Range { prefix: &[], after: after.as_deref(), limit: SCAN_ROWS })?;
            for (key, value) in &rows {
                visit(key, value);
            }
            let is_last = rows.len() < SCAN_ROWS;
            after = rows.into_iter().next_back().map(|(key, _)| key);
            if is_last {
                return Ok(());
            }
        }
    }

    fn apply(&self, sets: &[ChangeSet]) -> Result<(), StoreError> {
        self.make_room()?;
        self.publish(sets.to_vec())
    }

    /// Nothing waits below rows that are written past the table.
    fn apply_part(&self, rows: &[RowChange], span: Span) -> Result<(), StoreError> {
        self.flush()?;
        self.below().apply_part(rows, span)
    }

    fn checkpoint(&self) -> Result<Lsn, StoreError> {
        self.below().checkpoint()
    }

    fn disk_bytes(&self) -> u64 {
        self.below().disk_bytes()
    }
}

/// A range while it is merged from pages of table and state.
struct Merged {
    rows: Vec<Row>,
    limit: usize,
    /// The last key that was looked at.
    last: Option<Box<[u8]>>,
}

impl Merged {
    /// Adds a page of each, up to where both are known. Each comes with whether it is the last. `true`: the
    /// range is complete.
    fn add(
        &mut self,
        (newer, newer_ends): (Vec<Newer>, bool),
        (below, below_ends): (Vec<Row>, bool),
    ) -> bool {
        let (mut newer, mut below) = (newer.into_iter().peekable(), below.into_iter().peekable());
        while self.rows.len() < self.limit {
            let order = match (newer.peek(), below.peek()) {
                (Some((newer, _)), Some((below, _))) => newer.cmp(below),
                (Some(_), None) if below_ends => Ordering::Less,
                (None, Some(_)) if newer_ends => Ordering::Greater,
                (None, None) => return newer_ends && below_ends,
                _ => return false,
            };
            if order.is_gt() {
                let Some((key, value)) = below.next() else { return true };
                self.last = Some(key.clone());
                self.rows.push((key, value));
                continue;
            }
            if order.is_eq() {
                below.next();
            }
            let Some((key, value)) = newer.next() else { return true };
            self.last = Some(key.clone());
            self.rows.extend(value.map(|value| (key, value)));
        }
        true
    }
}
