//! Keeps sled's file from growing to many times the live bytes.
//!
//! sled frees a segment of its file once every page in it has been rewritten elsewhere, and it rewrites
//! one such page whenever a page is replaced. With small rows one segment holds fragments of hundreds
//! of pages, and freeing falls behind: under constant overwriting the file grows to 7.6 times the live
//! bytes. No call makes sled rewrite more, but replacing any page does, and every tenth change to a
//! page replaces it. A thread therefore changes one tiny row of a tree that nobody reads, four times
//! per written block. The file then stays at about twice the live bytes; `docs/STORE.md` has the figures.
//!
//! It uses plain inserts, so readers and transactions wait for one page at most.

use super::{Shared, writer};
use crate::store::StoreError;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

/// The tree whose one row is changed, and its key.
pub(super) const TIDY_TREE: &str = "tidy";
const TIDY_KEY: &[u8] = b"t";
/// Changes to the tiny row per block written. Fewer, and sled falls behind for good: a file of which
/// most is free makes it move pages about that have only just been written.
const CHANGES_PER_BLOCK: u64 = 4;
/// Changes in one contained call: a transaction waits for it.
const CHANGES_PER_CALL: u64 = 16;
/// How far the thread may be behind, about one transaction. The applying thread does the rest itself.
const DEBT_MAX: u64 = 1 << 10;
/// A file of up to 1.25 times the live bytes plus this many needs no tidying.
const SLACK_BYTES: u64 = 1 << 20;

/// How many changes are due, and whether to stop.
#[derive(Default)]
struct Work {
    debt: u64,
    stop: bool,
}

/// Wakes the thread. Shared by it and the store.
#[derive(Default)]
pub(super) struct Waker {
    work: Mutex<Work>,
    rung: Condvar,
}

impl Waker {
    fn work(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds `changes` to those due; returns how many exceed the thread's limit.
    fn owe(&self, changes: u64) -> u64 {
        let mut work = self.work();
        let debt = work.debt.saturating_add(changes);
        work.debt = debt.min(DEBT_MAX);
        self.rung.notify_one();
        debt.saturating_sub(DEBT_MAX)
    }

    fn stop(&self) {
        self.work().stop = true;
        self.rung.notify_one();
    }

    /// Waits until changes are due and takes some; `None`: stop.
    fn take(&self) -> Option<u64> {
        let mut work = self.work();
        while work.debt == 0 && !work.stop {
            work = self.rung.wait(work).unwrap_or_else(PoisonError::into_inner);
        }
        if work.stop {
            return None;
        }
        let taken = work.debt.min(CHANGES_PER_CALL);
        work.debt -= taken;
        Some(taken)
    }
}

/// The thread. Stopped and joined when dropped.
pub(super) struct Tidier {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Tidier {
    pub(super) fn start(shared: Arc<Shared>) -> std::io::Result<Self> {
        let worker = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("strongroom-tidy".into())
            .spawn(move || work_off(&worker))?;
        Ok(Self { shared, thread: Some(thread) })
    }
}

impl Drop for Tidier {
    fn drop(&mut self) {
        self.shared.waker.stop();
        if let Some(thread) = self.thread.take() {
            // The call contains sled's panics, and this thread cannot panic itself.
            let _ = thread.join();
        }
    }
}

fn work_off(shared: &Shared) {
    while let Some(changes) = shared.waker.take() {
        if shared.tidy(changes, &writer()).is_err() {
            return;
        }
    }
}

impl Shared {
    /// Schedules the changes that are due after `blocks` were written.
    pub(super) fn tidy_after(&self, blocks: u64) -> Result<(), StoreError> {
        let live = self.live_bytes.load(Ordering::Relaxed);
        let fair = live.saturating_add(live / 4).saturating_add(SLACK_BYTES);
        // If the file cannot be inspected, the next checkpoint fails.
        if self.db_file.len().is_ok_and(|len| len <= fair) {
            return Ok(());
        }
        match self.waker.owe(blocks.saturating_mul(CHANGES_PER_BLOCK)) {
            0 => Ok(()),
            changes => self.tidy(changes, &writer()),
        }
    }

    /// Changes the tiny row `changes` times.
    pub(super) fn tidy(&self, changes: u64, writer: &MutexGuard<'_, ()>) -> Result<(), StoreError> {
        let mut left = changes;
        while left > 0 {
            let now = left.min(CHANGES_PER_CALL);
            self.sled.call("sled failed to rewrite pages", |handles| {
                for _ in 0..now {
                    // sled skips a value that does not change.
                    let value = self.tidied.fetch_add(1, Ordering::Relaxed).to_le_bytes();
                    handles.tidy.insert(TIDY_KEY, &value)?;
                }
                Ok(())
            })?;
            self.account(now, 0, writer)?;
            left -= now;
        }
        Ok(())
    }
}
