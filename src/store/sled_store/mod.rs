//! The state on disk: sled 0.34.7, contained.
//!
//! ```text
//! tree per model::Tree    fence -> block of rows, see `blocks`
//! tree `applied`          "lsn" -> LSN up to which it has all change sets, bytes of all rows, LSN up to
//!                         which it may have some; 8 bytes each, big-endian
//! tree `tidy`             one row that means nothing, see `tidy`
//! ```
//!
//! Every transaction writes the LSNs together with the rows (ST1). `docs/STORE.md` lists the defects of sled
//! and how each is avoided. The code cites these rules:
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
//! block.rs     rows packed into one value of sled
//! blocks.rs    the trees: finding, reading and changing blocks
//! open.rs      opening and closing sled
//! tidy.rs      keeps sled's file from growing without bound
//! ```

mod block;
mod blocks;
mod contain;
pub(in crate::store) mod files;
mod load;
mod open;
mod tidy;

use super::{Range, Row, Span, Store, StoreError, TRANSACTION_BYTES_MAX};
use crate::env::real::KeptFolder;
use crate::env::{File, Fs};
use crate::model::{Lsn, RowChange, Tree};
use blocks::{BlockPuts, Layout, Trees};
use contain::Contained;
use files::Descriptors;
use sled::transaction::{ConflictableTransactionError, TransactionError, Transactional};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tidy::{Tidier, Waker};

pub use load::Loader;
pub(in crate::store) use open::wait_until_free;

/// How many changes to blocks may be unwritten before a flush (SL6), including those of `tidy`. The limit
/// keeps the unwritten data below six segments of 1 MiB: each change writes its block, and every tenth
/// also writes two pages of up to 17 blocks, the changed one and one that sled moves. With blocks of 4
/// KiB that is 18 KiB per change, 6 MiB in all. A transaction of the memtable has up to 160 rows, and a
/// row changes two blocks at most. One change set alone may have 256, but those lie side by side. Pages
/// over a quarter of a segment have files of their own and do not count.
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
    trees: Trees,
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
    reaches: AtomicU64,
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

    fn span(&self) -> Result<Span, StoreError> {
        let reaches = Lsn(self.reaches.load(Ordering::Acquire));
        Ok(Span { applied: self.applied()?, reaches })
    }

    /// One transaction: the rows, and how far the state is with them.
    fn transact(&self, rows: &RowsByKey<'_>, span: Span) -> Result<(), StoreError> {
        let writer = writer();
        let mut puts: Vec<(Tree, BlockPuts)> = Vec::new();
        let mut live = self.live_bytes.load(Ordering::Relaxed);
        for tree in Tree::ALL {
            let of_tree = rows.range((tree, &[][..])..).take_while(|((of, _), _)| *of == tree);
            let changes: Vec<_> = of_tree.map(|((_, key), value)| (*key, *value)).collect();
            if changes.is_empty() {
                continue;
            }
            let merged = blocks::merge(&self.sled, tree, &changes)?;
            live = live.saturating_add(merged.came).saturating_sub(merged.went);
            puts.push((tree, merged));
        }
        let changes = puts.iter().map(|(_, puts)| puts.puts.len()).sum::<usize>();
        let changes = u64::try_from(changes).unwrap_or(u64::MAX);
        let bytes = puts.iter().map(|(_, puts)| puts.bytes).sum();
        self.make_room(changes, &writer)?;
        self.sled.call_alone("sled failed to apply a change set", |handles| {
            let mut trees: Vec<&sled::Tree> =
                puts.iter().map(|(tree, _)| handles.trees.trees.of(*tree)).collect();
            trees.push(&handles.applied);
            let done: Result<(), TransactionError<()>> = trees.as_slice().transaction(|views| {
                for (view, (_, puts)) in views.iter().zip(&puts) {
                    for (key, value) in &puts.puts {
                        match value {
                            Some(value) => view.insert(key.clone(), value.clone())?,
                            None => view.remove(key.clone())?,
                        };
                    }
                }
                if let Some(view) = views.last() {
                    view.insert(APPLIED_KEY, encode_applied(span, live))?;
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
        self.live_bytes.store(live, Ordering::Relaxed);
        self.reaches.store(span.reaches.0, Ordering::Release);
        self.applied.store(span.applied.0, Ordering::Release);
        self.account(changes, bytes, &writer)?;
        drop(writer);
        self.tidy_after(changes)
    }
}

/// The newest version of each row, by tree and key. `None` removes the row.
type RowsByKey<'a> = BTreeMap<(Tree, &'a [u8]), Option<&'a [u8]>>;

/// Adds a row, in place of an older version of it.
fn add<'a>(rows: &mut RowsByKey<'a>, row: &'a RowChange) {
    rows.insert((row.tree, &row.key), row.value.as_deref());
}

/// A row as sled takes it: key, and value unless it is to be removed.
type Put = (sled::IVec, Option<sled::IVec>);

fn encode_applied(span: Span, live_bytes: u64) -> sled::IVec {
    let Span { applied, reaches } = span;
    sled::IVec::from([applied.0, live_bytes, reaches.0].map(u64::to_be_bytes).concat())
}

/// Decodes the output of `encode_applied`; `None` for anything else. Before there were blocks, it ended with
/// the live bytes.
fn decode_applied(bytes: &[u8]) -> Option<(Layout, Span, u64)> {
    let (applied, rest) = bytes.split_first_chunk()?;
    let (live_bytes, rest) = rest.split_first_chunk()?;
    let (applied, live_bytes) = (u64::from_be_bytes(*applied), u64::from_be_bytes(*live_bytes));
    let (layout, reaches) = match rest {
        [] => (Layout::Rows, applied),
        rest => (Layout::Blocks, u64::from_be_bytes(rest.try_into().ok()?)),
    };
    Some((layout, Span { applied: Lsn(applied), reaches: Lsn(reaches) }, live_bytes))
}

impl SledStore {
    /// Bytes of keys and values of all rows.
    pub fn live_bytes(&self) -> u64 {
        self.shared.live_bytes.load(Ordering::Relaxed)
    }
}

impl Store for SledStore {
    fn span(&self) -> Result<Span, StoreError> {
        self.shared.span()
    }

    fn get(&self, tree: Tree, key: &[u8]) -> Result<Option<Box<[u8]>>, StoreError> {
        blocks::get(&self.shared.sled, tree, key)
    }

    fn range(&self, tree: Tree, range: Range<'_>) -> Result<Vec<Row>, StoreError> {
        let Some(bounds) = range.bounds() else { return Ok(Vec::new()) };
        blocks::range(&self.shared.sled, tree, bounds, range.limit)
    }

    fn scan(&self, tree: Tree, visit: &mut dyn FnMut(&[u8], &[u8])) -> Result<(), StoreError> {
        blocks::scan(&self.shared.sled, tree, visit)
    }

    fn apply_part(&self, rows: &[RowChange], span: Span) -> Result<(), StoreError> {
        let _applying = self.applying.lock().unwrap_or_else(PoisonError::into_inner);
        let mut by_key = RowsByKey::new();
        for row in rows {
            add(&mut by_key, row);
        }
        self.shared.transact(&by_key, span)
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
