//! Moves change sets from the table into the state below, in the background.
//!
//! A flush takes the change sets that wait, and moves them secret by secret (`plan.rs`), in transactions of
//! whole sets: of rows that several of them wrote only the newest goes down. The state below names the last
//! set up to which it has all of them, and the last that the flush may have brought (ST1).

use super::plan::Plan;
use super::table::Tables;
use crate::env::faults::{self, Fault};
use crate::env::threads::sync::RwLockWriteGuard;
use crate::env::threads::sync::atomic::{AtomicU64, Ordering};
use crate::env::threads::sync::{Condvar, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};
use crate::model::{ChangeSet, Lsn, RowChange};
use crate::store::{Span, Store, StoreError, TRANSACTION_ROWS};
use std::sync::Arc;

/// What a row in the table takes besides its key and value.
const ROW_OVERHEAD: u64 = 192;

/// How many bytes the table may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemtableBytes {
    /// Writers wait for the flusher beyond this. 0: there is no table, rows go straight to the state below.
    pub max: u64,
    /// The flusher begins at this many. The more there are, the more of them are about the same rows and
    /// blocks.
    pub flush_from: u64,
    /// Rows in a transaction of a flush, unless one change set alone has more.
    pub transaction_rows: usize,
}

impl MemtableBytes {
    /// Bounds for a table of at most `max` bytes.
    #[must_use]
    pub const fn of(max: u64) -> Self {
        // At least one byte, so that an empty table has nothing to flush.
        Self { max, flush_from: max - max / 8 + 1, transaction_rows: TRANSACTION_ROWS }
    }
}

/// What the flusher has to do.
#[derive(Default)]
pub(super) struct Waiting {
    /// Published, and not taken by a flush, in order.
    sets: Vec<Arc<ChangeSet>>,
    /// Bytes of all rows in the tables: those in `sets`, and those of the flush under way.
    bytes: u64,
    is_stopping: bool,
    has_failed: bool,
}

/// Shared by a memtable and its flusher.
pub(super) struct Shared<S> {
    pub(super) below: S,
    tables: RwLock<Tables>,
    /// The last operation that readers see.
    published: AtomicU64,
    waiting: Mutex<Waiting>,
    changed: Condvar,
    /// The flush that is under way. Held during a transaction: one at a time, in order.
    flushing: Mutex<Option<Plan>>,
    bytes: MemtableBytes,
    has_thread: bool,
}

impl<S: Store> Shared<S> {
    pub(super) fn new(
        below: S,
        bytes: MemtableBytes,
        has_thread: bool,
    ) -> Result<Self, StoreError> {
        Ok(Self {
            published: AtomicU64::new(below.applied()?.0),
            below,
            tables: RwLock::default(),
            waiting: Mutex::default(),
            changed: Condvar::new(),
            flushing: Mutex::default(),
            bytes,
            has_thread,
        })
    }

    /// A poisoned lock is ignored: no code under it can panic halfway through a change.
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, waiting: MutexGuard<'a, Waiting>) -> MutexGuard<'a, Waiting> {
        self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(feature = "testkit")]
    pub(super) fn bytes(&self) -> MemtableBytes {
        self.bytes
    }

    /// The operation at which a reader reads now.
    pub(super) fn published(&self) -> Lsn {
        Lsn(self.published.load(Ordering::Acquire))
    }

    /// How far table and state are together. Only a load gets the state ahead of the table.
    pub(super) fn span(&self) -> Result<Span, StoreError> {
        let (below, published) = (self.below.span()?, self.published());
        let reaches = below.reaches.max(published);
        Ok(Span { applied: below.applied.max(published), reaches })
    }

    /// Bytes of rows that wait to be flushed.
    pub(super) fn waiting_bytes(&self) -> u64 {
        self.waiting().bytes
    }

    /// Shows change sets to readers, all at once. Sets that were applied before are skipped.
    pub(super) fn publish(&self, sets: Vec<ChangeSet>) -> Result<(), StoreError> {
        if self.bytes.max == 0 {
            return self.below.apply(&sets);
        }
        let applied = self.span()?.applied;
        let sets: Vec<Arc<ChangeSet>> =
            sets.into_iter().filter(|set| set.lsn > applied).map(Arc::new).collect();
        let Some(last) = sets.last().map(|set| set.lsn) else { return Ok(()) };
        let bytes: u64 = sets.iter().map(|set| bytes_of(set)).sum();
        // Held from here on, so that a flush takes a set exactly if it takes the table with its rows.
        let mut waiting = self.waiting();
        let tables = self.tables();
        for set in &sets {
            tables.insert(set);
        }
        drop(tables);
        self.published.store(last.0, Ordering::Release);
        waiting.sets.extend(sets);
        waiting.bytes += bytes;
        if waiting.bytes >= self.bytes.flush_from {
            self.changed.notify_all();
        }
        Ok(())
    }

    /// Waits until the table may grow. Fails if the flusher has failed, because then it never will.
    pub(super) fn make_room(&self) -> Result<(), StoreError> {
        if !self.has_thread {
            // A step of the thread that there would be.
            if self.goes_on() {
                self.flush_some()?;
            }
            while self.waiting().bytes >= self.bytes.max && self.flush_some()? {}
            return Ok(());
        }
        let mut waiting = self.waiting();
        while waiting.bytes >= self.bytes.max && !waiting.has_failed && !waiting.is_stopping {
            waiting = self.wait(waiting);
        }
        let has_failed = waiting.has_failed;
        drop(waiting);
        if has_failed { Err(StoreError::Broken { what: "the flusher failed" }) } else { Ok(()) }
    }

    /// Flushes until the state below has `lsn`.
    pub(super) fn flush_to(&self, lsn: Lsn) -> Result<(), StoreError> {
        while self.below.applied()? < lsn && self.flush_some()? {}
        Ok(())
    }

    /// Flushes everything that was published.
    pub(super) fn flush(&self) -> Result<(), StoreError> {
        while self.flush_some()? {}
        Ok(())
    }

    /// One transaction. `false`: nothing waits.
    fn flush_some(&self) -> Result<bool, StoreError> {
        let mut flushing = self.flushing.lock().unwrap_or_else(PoisonError::into_inner);
        if flushing.is_none() {
            // Writers need the lock, so nothing is ordered under it.
            let sets = self.take_waiting();
            *flushing = Plan::of(&sets);
        }
        let Some(plan) = flushing.as_mut() else { return Ok(false) };
        let (count, rows) = plan.next(self.bytes.transaction_rows);
        let (to, is_done) = (plan.to, plan.has_only(count));
        let is_named = is_done || faults::active(Fault::FlushNamesItsEnd);
        let below = self.below.span()?;
        // A flush that was cut short may have brought more than this one will.
        let reaches = to.max(below.reaches);
        let applied = if is_named { to } else { below.applied };
        self.below.apply_part(&rows, Span { applied, reaches })?;
        // Not before: after an error the change sets still wait.
        plan.pass(count);
        if let Some(plan) = flushing.take_if(|_| is_done) {
            // A reader asks the tables first and the state after that, so it finds each row in one of them.
            let frozen = self.tables_mut().forget_frozen();
            self.waiting().bytes -= plan.bytes;
            drop(frozen);
        }
        drop(flushing);
        self.changed.notify_all();
        Ok(true)
    }

    /// The change sets that wait, and nothing that is published from now on. Their table is frozen.
    fn take_waiting(&self) -> Vec<Arc<ChangeSet>> {
        let mut waiting = self.waiting();
        let sets = std::mem::take(&mut waiting.sets);
        if !sets.is_empty() {
            self.tables_mut().freeze();
        }
        drop(waiting);
        sets
    }

    /// The rows that the state below may lack. A poisoned lock is ignored, as above.
    pub(super) fn tables(&self) -> RwLockReadGuard<'_, Tables> {
        self.tables.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn tables_mut(&self) -> RwLockWriteGuard<'_, Tables> {
        self.tables.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The life of the thread: it flushes when there is enough to do, until it is stopped.
    pub(super) fn run(&self) {
        // However it ends before that, nobody waits for it any more.
        let _failing = Failing(self);
        loop {
            let mut waiting = self.waiting();
            while waiting.bytes < self.bytes.flush_from && !waiting.is_stopping {
                waiting = self.wait(waiting);
            }
            drop(waiting);
            // Ends the flush, and begins another if enough was published meanwhile.
            while self.goes_on() {
                if self.flush_some().is_err() {
                    return;
                }
            }
            if self.waiting().is_stopping {
                return;
            }
        }
    }

    fn goes_on(&self) -> bool {
        let is_under_way = self.flushing.lock().unwrap_or_else(PoisonError::into_inner).is_some();
        let waiting = self.waiting();
        (is_under_way || waiting.bytes >= self.bytes.flush_from) && !waiting.is_stopping
    }

    /// Asks the thread to stop after its current transaction.
    pub(super) fn stop(&self) {
        self.waiting().is_stopping = true;
        self.changed.notify_all();
    }
}

/// Tells writers, when it is dropped, that nobody flushes any more.
struct Failing<'a, S: Store>(&'a Shared<S>);

impl<S: Store> Drop for Failing<'_, S> {
    fn drop(&mut self) {
        let mut waiting = self.0.waiting();
        waiting.has_failed = !waiting.is_stopping;
        drop(waiting);
        self.0.changed.notify_all();
    }
}

pub(super) fn bytes_of(set: &ChangeSet) -> u64 {
    set.rows.iter().map(row_bytes).sum()
}

pub(super) fn row_bytes(row: &RowChange) -> u64 {
    ROW_OVERHEAD + row.bytes()
}
