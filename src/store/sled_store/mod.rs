//! The state on disk: sled 0.34.7, contained.
//!
//! ```text
//! tree per model::Tree    key -> sealed value
//! tree `applied`          "lsn" -> LSN of the last change set, live bytes; 8 bytes each, big-endian
//! tree `tidy`             one row that means nothing, see `tidy`
//! ```
//!
//! Every transaction writes the LSN together with the rows: a change set is in the state exactly if the
//! LSN says so (ST1). `docs/STORE.md` lists the defects of sled and how each is avoided. The code cites
//! these rules:
//!
//! - **SL1** In the whole process a transaction and a flush never overlap. sled's lock is global, and a
//!   reader of another vault would wait for the disk of this one.
//! - **SL2** Nothing is read through sled inside a transaction; closures only put and delete.
//! - **SL3** Every call into sled is contained. After its first error or panic sled is not called again.
//! - **SL4** `flush_async` and sled's flusher thread are not used: both deadlock or hide errors.
//! - **SL5** The amount of unwritten data is bounded here, because sled has no back-pressure.
//! - **SL6** At most six segments are unwritten at any time. With more, sled can deadlock: all its I/O
//!   threads wait for the lock of the segment allocator, whose holder waits for a truncation that only
//!   those threads can do.
//!
//! ```text
//! contain.rs   calls into sled, with errors and panics contained
//! files.rs     the state folder as files: syncing, permissions, sizes
//! load.rs      the fast way to fill an empty state from a snapshot
//! open.rs      opening and closing sled
//! tidy.rs      keeps sled's file from growing without bound
//! ```

mod contain;
pub(in crate::store) mod files;
mod load;
mod open;
mod tidy;

use super::per_tree::PerTree;
use super::{Range, Row, Store, StoreError, TRANSACTION_BYTES_MAX};
use crate::env::real::KeptFolder;
use crate::env::{File, Fs};
use crate::model::limits::OPERATION_ROWS_MAX;
use crate::model::{ChangeSet, Lsn, RowChange, Tree};
use contain::Contained;
use files::Descriptors;
use sled::transaction::{ConflictableTransactionError, TransactionError, Transactional};
use std::cell::Cell;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tidy::{Tidier, Waker};

pub use load::Loader;
pub(in crate::store) use open::wait_until_free;

/// Rows that `scan` takes from sled before it calls out.
const SCAN_ROWS: usize = 256;
/// How many changes to rows may be unwritten before a flush (SL6), including those of `tidy`. The limit
/// keeps the unwritten data below six segments of 1 MiB: each change writes its row, and every tenth
/// also writes two pages of up to 17 rows, the changed one and one that sled moves. With chunks of
/// 4 KiB that is 18 KiB per change, 6 MiB in all. Pages over a quarter of a segment have files of their
/// own and do not count.
const UNFLUSHED_CHANGES_MAX: u64 = 320;
/// Bytes of a segment of sled's file. Larger than sled's default, because of SL6.
const SEGMENT_BYTES: usize = 1 << 20;
const APPLIED_TREE: &str = "applied";
const APPLIED_KEY: &[u8] = b"lsn";

/// One per process (SL1). Readers never take it.
static WRITER: Mutex<()> = Mutex::new(());

/// The lock protects no data, so a poisoned one is ignored.
fn writer() -> MutexGuard<'static, ()> {
    WRITER.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How sled is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SledOptions {
    /// Serialized bytes of pages that sled keeps in memory. Resident memory is more: see
    /// `docs/STORE.md` for figures.
    pub cache_bytes: u64,
}

impl Default for SledOptions {
    fn default() -> Self {
        Self { cache_bytes: 16 << 20 }
    }
}

/// sled's handles. Dropping them closes it.
struct Handles {
    trees: PerTree<sled::Tree>,
    applied: sled::Tree,
    tidy: sled::Tree,
    db: sled::Db,
}

/// The state on disk. Shared between threads; made by [`SledStore::open`] or
/// [`SledStore::open_guarded`].
pub struct SledStore {
    shared: Arc<Shared>,
    /// `None` once closed.
    tidier: Mutex<Option<Tidier>>,
    /// One `apply` at a time, whatever the callers do.
    applying: Mutex<()>,
}

/// Shared by the store and its thread.
struct Shared {
    fs: Arc<dyn Fs>,
    dir: PathBuf,
    sled: Contained<Handles>,
    /// What sled's paths lead through. Kept until sled has let its files go.
    folder: Mutex<Option<KeptFolder>>,
    /// `db` through a descriptor of our own, kept from the opening on: the kernel reports every
    /// write-back error since then to it.
    db_file: Arc<dyn File>,
    applied: AtomicU64,
    /// Bytes of keys and values of all rows.
    live_bytes: AtomicU64,
    unflushed_bytes: AtomicU64,
    unflushed_changes: AtomicU64,
    tidied: AtomicU64,
    waker: Waker,
    /// A sync has failed: the kernel dropped the pages, and the next sync would succeed without them.
    sync_failed: AtomicBool,
}

impl Shared {
    /// Flushes sled into its files. The caller holds the writer's lock (SL1).
    fn flush(&self, _writer: &MutexGuard<'_, ()>) -> Result<(), StoreError> {
        self.sled.call("sled failed to flush", |handles| handles.db.flush())?;
        self.unflushed_bytes.store(0, Ordering::Relaxed);
        self.unflushed_changes.store(0, Ordering::Relaxed);
        Ok(())
    }

    /// Flushes if `changes` more would exceed the limit (SL6). They come in one transaction, which
    /// cannot be interrupted by a flush.
    fn make_room(&self, changes: u64, writer: &MutexGuard<'_, ()>) -> Result<(), StoreError> {
        let before = self.unflushed_changes.load(Ordering::Relaxed);
        if before > 0 && before.saturating_add(changes) > UNFLUSHED_CHANGES_MAX {
            self.flush(writer)?;
        }
        Ok(())
    }

    /// Counts unwritten data and flushes when there is too much (SL5, SL6).
    fn account(
        &self,
        changes: u64,
        bytes: u64,
        writer: &MutexGuard<'_, ()>,
    ) -> Result<(), StoreError> {
        let more =
            |counter: &AtomicU64, by| counter.fetch_add(by, Ordering::Relaxed).saturating_add(by);
        let bytes = more(&self.unflushed_bytes, bytes);
        let changes = more(&self.unflushed_changes, changes);
        if bytes >= TRANSACTION_BYTES_MAX || changes >= UNFLUSHED_CHANGES_MAX {
            self.flush(writer)?;
        }
        Ok(())
    }

    fn applied(&self) -> Result<Lsn, StoreError> {
        self.sled.check()?;
        Ok(Lsn(self.applied.load(Ordering::Acquire)))
    }

    /// One transaction: all rows of `sets`, and the last one's LSN.
    fn transact(&self, sets: &[&ChangeSet]) -> Result<(), StoreError> {
        let Some(lsn) = sets.last().map(|set| set.lsn) else { return Ok(()) };
        // Copied here and not in the closure, because sled may run the closure again.
        let mut puts: Vec<(Tree, Vec<Put>)> = Vec::new();
        let (mut rows, mut bytes) = (0, 0);
        for row in sets.iter().flat_map(|set| &set.rows) {
            let value = row.value.as_deref();
            rows += 1;
            bytes += row_bytes(&row.key, value.unwrap_or_default());
            let put = (sled::IVec::from(&*row.key), value.map(sled::IVec::from));
            match puts.iter_mut().find(|(tree, _)| *tree == row.tree) {
                Some((_, rows)) => rows.push(put),
                None => puts.push((row.tree, vec![put])),
            }
        }
        let live_before = self.live_bytes.load(Ordering::Relaxed);
        let live = Cell::new(0_u64);

        let writer = writer();
        self.make_room(rows, &writer)?;
        self.sled.call_alone("sled failed to apply a change set", |handles| {
            let mut trees: Vec<&sled::Tree> =
                puts.iter().map(|(tree, _)| handles.trees.of(*tree)).collect();
            trees.push(&handles.applied);
            let done: Result<(), TransactionError<()>> = trees.as_slice().transaction(|views| {
                live.set(live_before);
                for (view, (_, rows)) in views.iter().zip(&puts) {
                    for (key, value) in rows {
                        let old = match value {
                            Some(value) => {
                                live.set(live.get().saturating_add(row_bytes(key, value)));
                                view.insert(key.clone(), value.clone())?
                            }
                            None => view.remove(key.clone())?,
                        };
                        let freed = old.map_or(0, |old| row_bytes(key, &old));
                        live.set(live.get().saturating_sub(freed));
                    }
                }
                if let Some(view) = views.last() {
                    view.insert(APPLIED_KEY, encode_applied(lsn, live.get()))?;
                }
                Ok::<(), ConflictableTransactionError<()>>(())
            });
            done.map_err(|error| match error {
                TransactionError::Storage(error) => error,
                TransactionError::Abort(()) => {
                    sled::Error::ReportableBug("a transaction aborted by itself".into())
                }
            })
        })?;
        self.live_bytes.store(live.get(), Ordering::Relaxed);
        self.applied.store(lsn.0, Ordering::Release);
        self.account(rows, bytes, &writer)?;
        drop(writer);
        self.tidy_after(rows)
    }
}

/// A row as sled takes it: key, and value unless it is to be removed.
type Put = (sled::IVec, Option<sled::IVec>);

fn row_bytes(key: &[u8], value: &[u8]) -> u64 {
    u64::try_from(key.len() + value.len()).unwrap_or(u64::MAX)
}

fn encode_applied(lsn: Lsn, live_bytes: u64) -> sled::IVec {
    sled::IVec::from([lsn.0.to_be_bytes(), live_bytes.to_be_bytes()].concat())
}

/// Decodes the output of `encode_applied`; `None` for anything else.
fn decode_applied(bytes: &[u8]) -> Option<(Lsn, u64)> {
    let (lsn, rest) = bytes.split_first_chunk()?;
    let live_bytes = rest.try_into().ok()?;
    Some((Lsn(u64::from_be_bytes(*lsn)), u64::from_be_bytes(live_bytes)))
}

fn to_row((key, value): (sled::IVec, sled::IVec)) -> Row {
    (key.as_ref().into(), value.as_ref().into())
}

impl SledStore {
    /// Bytes of keys and values of all rows.
    pub fn live_bytes(&self) -> u64 {
        self.shared.live_bytes.load(Ordering::Relaxed)
    }
}

impl Store for SledStore {
    fn applied(&self) -> Result<Lsn, StoreError> {
        self.shared.applied()
    }

    fn get(&self, tree: Tree, key: &[u8]) -> Result<Option<Box<[u8]>>, StoreError> {
        let value = self
            .shared
            .sled
            .call("sled failed to read a row", |handles| handles.trees.of(tree).get(key))?;
        Ok(value.map(|value| value.as_ref().into()))
    }

    fn range(&self, tree: Tree, range: Range<'_>) -> Result<Vec<Row>, StoreError> {
        let Some(bounds) = range.bounds() else { return Ok(Vec::new()) };
        self.shared.sled.call("sled failed to read a range", |handles| {
            let rows = handles.trees.of(tree).range::<Box<[u8]>, _>(bounds);
            rows.take(range.limit).map(|row| row.map(to_row)).collect()
        })
    }

    fn scan(&self, tree: Tree, visit: &mut dyn FnMut(&[u8], &[u8])) -> Result<(), StoreError> {
        let what = "sled failed to scan a tree";
        let mut iter = self.shared.sled.call(what, |handles| Ok(handles.trees.of(tree).iter()))?;
        let mut rows = Vec::with_capacity(SCAN_ROWS);
        loop {
            // The visitor runs outside of the containment, because its panics are not sled's.
            self.shared.sled.call(what, |_| {
                for row in iter.by_ref().take(SCAN_ROWS) {
                    rows.push(row?);
                }
                Ok(())
            })?;
            if rows.is_empty() {
                return Ok(());
            }
            for (key, value) in rows.drain(..) {
                visit(&key, &value);
            }
        }
    }

    fn apply(&self, sets: &[ChangeSet]) -> Result<(), StoreError> {
        let _applying = self.applying.lock().unwrap_or_else(PoisonError::into_inner);
        let mut last = self.applied()?;
        let mut packed: Vec<&ChangeSet> = Vec::new();
        let (mut rows, mut bytes) = (0, 0);
        for set in sets {
            if set.lsn <= last {
                continue;
            }
            // Few rows can be many bytes: a secret's is up to 200 KiB.
            if rows + set.rows.len() > OPERATION_ROWS_MAX || bytes >= TRANSACTION_BYTES_MAX {
                self.shared.transact(&packed)?;
                packed.clear();
                (rows, bytes) = (0, 0);
            }
            last = set.lsn;
            rows += set.rows.len();
            bytes += set.rows.iter().map(RowChange::bytes).sum::<u64>();
            packed.push(set);
        }
        self.shared.transact(&packed)
    }

    fn checkpoint(&self) -> Result<Lsn, StoreError> {
        let shared = &*self.shared;
        let failed = |source| StoreError::Io { op: "sync the state", source };
        if shared.sync_failed.load(Ordering::Acquire) {
            return Err(failed(std::io::Error::other("an earlier sync of the state failed")));
        }
        files::make_private(&*shared.fs, &shared.dir).map_err(failed)?;
        let descriptors = Descriptors::open(&*shared.fs, &shared.dir).map_err(failed)?;
        let lsn = {
            let writer = writer();
            let lsn = shared.applied()?;
            shared.flush(&writer)?;
            lsn
        };
        let synced = shared
            .db_file
            .sync_all()
            .and_then(|()| descriptors.sync(&*shared.fs, &shared.dir))
            .and_then(|()| files::make_private(&*shared.fs, &shared.dir));
        synced.map_err(|error| {
            shared.sync_failed.store(true, Ordering::Release);
            failed(error)
        })?;
        Ok(lsn)
    }

    fn disk_bytes(&self) -> u64 {
        files::disk_bytes(&*self.shared.fs, &self.shared.dir)
    }
}
