//! Compaction: merges the snapshot and the ended segments into the next snapshot, without the store
//! (I6).
//!
//! It takes two passes. The first authenticates every frame and records the position of the newest
//! value of each changed row. The second streams the old snapshot and merges the changes. Memory holds
//! the keys and positions of changed rows, one block and one value.
//!
//! - **CO1** The new snapshot is synced and then read back whole, with every MAC and the set digest,
//!   which must equal that of the last frame. Only then may the manifest name it.
//! - **CO2** Compaction itself frees nothing.

use crate::env::OpenMode;
use crate::env::faults::Fault;
use crate::log::error::LogError;
use crate::log::files;
use crate::log::files::{FileKind, LogContext};
use crate::log::format::frame;
use crate::log::format::frame::Part;
use crate::log::format::segment::Segment;
use crate::log::format::snapshot::{SnapshotReader, SnapshotRecord, SnapshotRow, SnapshotWriter};
use crate::log::format::tail::Tail;
use crate::log::read::{SegmentInfo, read_back, walk_named};
use crate::log::types::RowFormat;
use crate::log::write::{CompactionToken, Log};
use crate::model::{Lsn, Tree};
use std::collections::BTreeMap;
use std::collections::btree_map::{Entry, IntoIter};
use std::iter::Peekable;
use std::sync::Arc;

const VALUE_DOMAIN: &str = "strongroom/log/compaction-value/v1";
/// Progress is reported once per this many rows.
const PROGRESS_ROWS: u64 = 1024;

/// A compaction that can run on any thread while the log is appended to.
pub struct Compaction {
    context: LogContext,
    base: SnapshotRecord,
    segments: Vec<SegmentInfo>,
    tail: Tail,
    number: u64,
    format: RowFormat,
    skip_read_back: bool,
    token: Arc<CompactionToken>,
}

/// A snapshot that is whole on disk and has been read back, for [`Log::finish_compaction`].
#[must_use]
pub struct Compacted {
    record: SnapshotRecord,
    token: Arc<CompactionToken>,
}

impl Compacted {
    /// The last operation in the snapshot.
    #[must_use]
    pub fn lsn(&self) -> Lsn {
        self.record.tail.end.lsn
    }
}

impl Log {
    /// Ends the current segment and hands out the work of merging everything ended; `None` if the
    /// snapshot is up to date or a compaction is under way.
    pub fn begin_compaction(&mut self) -> Result<Option<Compaction>, LogError> {
        self.check_not_poisoned()?;
        if self.compacting.strong_count() > 0
            || self.tail.end.lsn == self.manifest.snapshot.tail.end.lsn
        {
            return Ok(None);
        }
        self.sync()?;
        self.end_current();
        let token = Arc::new(CompactionToken);
        self.compacting = Arc::downgrade(&token);
        Ok(Some(Compaction {
            context: self.context.clone(),
            base: self.manifest.snapshot.clone(),
            segments: self.ended.clone(),
            tail: self.tail.clone(),
            number: self.manifest.next_snapshot,
            format: self.manifest.format,
            skip_read_back: self.options.faults.active(Fault::FreeBeforeReadBack),
            token,
        }))
    }

    /// Makes the new snapshot the one that the next open reads, durable in both copies of the
    /// manifest. The old one and its segments stay until [`Log::free`].
    pub fn finish_compaction(&mut self, done: Compacted) -> Result<(), LogError> {
        self.check_not_poisoned()?;
        if !std::ptr::eq(self.compacting.as_ptr(), Arc::as_ptr(&done.token)) {
            return Err(LogError::Refused { what: "not this log's compaction" });
        }
        let covered = done.record.tail.segment;
        self.manifest.next_snapshot = done.record.number.saturating_add(1);
        let old = std::mem::replace(&mut self.manifest.snapshot, done.record);
        self.manifest.previous = Some(old);
        self.ended.retain(|info| info.number > covered);
        self.flush_manifest()
    }
}

impl Compaction {
    /// Merges, writes, syncs and reads back. After any error the unfinished file is removed and the
    /// log is as before.
    pub fn run(self) -> Result<Compacted, LogError> {
        self.run_with(&mut |_| true)
    }

    /// The same. `progress` gets the number of rows merged so far and returns whether to go on; `false`
    /// gives [`LogError::Stopped`].
    pub fn run_with(self, progress: &mut dyn FnMut(u64) -> bool) -> Result<Compacted, LogError> {
        match self.write(progress) {
            Ok(record) => Ok(Compacted { record, token: self.token }),
            Err(error) => {
                // The number was never named; the next compaction overwrites what is left.
                let _ = self.context.remove(FileKind::Snapshot, self.number);
                Err(error.proven(Some(self.tail.end.clone())))
            }
        }
    }

    fn write(&self, progress: &mut dyn FnMut(u64) -> bool) -> Result<SnapshotRecord, LogError> {
        let mut changes = self.changes()?.into_iter().peekable();
        let mut old = SnapshotReader::open(&self.context, &self.base)?;
        let mut new =
            SnapshotWriter::create(&self.context, self.number, self.tail.clone(), self.format)?;
        let mut values = Values { context: &self.context, open: BTreeMap::new() };
        let mut merged = 0;
        let mut old_row = old.next()?;
        loop {
            let take_change = match (&old_row, changes.peek()) {
                (None, None) => break,
                (None, Some(_)) => true,
                (Some(_), None) => false,
                (Some(row), Some((key, _))) => (key.0, key.1.as_ref()) <= (row.tree, old.key(row)),
            };
            if take_change {
                take(&mut changes, &mut values, &old, &mut old_row, &mut new)?;
                if old_row.is_none() {
                    old_row = old.next()?;
                }
            } else if let Some(row) = old_row.take() {
                new.push(row.tree, old.key(&row), old.value(&row))?;
                old_row = old.next()?;
            }
            merged += 1;
            if merged % PROGRESS_ROWS == 0 && !progress(merged) {
                return Err(LogError::Stopped);
            }
        }
        let record = new.finish()?;
        if !self.skip_read_back {
            read_back(&self.context, &record)?;
        }
        Ok(record)
    }

    /// Pass one: the position of the newest value of each changed row.
    fn changes(&self) -> Result<Changes, LogError> {
        let mut changes = Changes::new();
        for info in &self.segments {
            walk_named(&self.context, info, &mut |segment, step| {
                let mut has_all = true;
                frame::visit_rows(&step.bytes, &mut |part| {
                    let Part::Row(row) = part else { return Ok(()) };
                    has_all &= self.format.has(row.tree);
                    let position = row.value.map(|value| ValuePosition {
                        segment: info.number,
                        offset: step.offset + row.value_at as u64,
                        len: value.len(),
                        check: check(&self.context, value),
                    });
                    changes.insert((row.tree, row.key.into()), position);
                    Ok(())
                })
                .map_err(|fault| fault.at(&segment.name, step.offset))?;
                if has_all {
                    Ok(())
                } else {
                    Err(LogError::damaged(&segment.name, step.offset, "MAN-8"))
                }
            })?;
        }
        Ok(changes)
    }
}

type RowKey = (Tree, Box<[u8]>);
type Changes = BTreeMap<RowKey, Option<ValuePosition>>;

/// The position of an authenticated value, and a check that it is the same when read again.
struct ValuePosition {
    segment: u64,
    offset: u64,
    len: usize,
    check: [u8; 16],
}

fn check(context: &LogContext, value: &[u8]) -> [u8; 16] {
    let tag = context.tag(VALUE_DOMAIN, &[value]);
    tag.first_chunk().copied().unwrap_or_default()
}

/// Writes one change to the new snapshot, and drops the old row of the same key if that is next.
fn take(
    changes: &mut Peekable<IntoIter<RowKey, Option<ValuePosition>>>,
    values: &mut Values<'_>,
    old: &SnapshotReader,
    old_row: &mut Option<SnapshotRow>,
    new: &mut SnapshotWriter,
) -> Result<(), LogError> {
    let Some(((tree, key), position)) = changes.next() else { return Ok(()) };
    let replaced =
        old_row.as_ref().is_some_and(|row| row.tree == tree && old.key(row) == key.as_ref());
    if replaced {
        *old_row = None;
    }
    match position {
        Some(position) => new.push(tree, &key, &values.read(&position)?),
        None => Ok(()),
    }
}

/// Most segments that are held open to read values from.
const OPEN_SEGMENTS_MAX: usize = 32;

/// Reads values by position. Keys come in order, positions do not.
struct Values<'a> {
    context: &'a LogContext,
    open: BTreeMap<u64, Segment>,
}

impl Values<'_> {
    fn read(&mut self, position: &ValuePosition) -> Result<Vec<u8>, LogError> {
        if self.open.len() >= OPEN_SEGMENTS_MAX && !self.open.contains_key(&position.segment) {
            self.open.clear();
        }
        let segment = match self.open.entry(position.segment) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                entry.insert(Segment::open(self.context, position.segment, OpenMode::Read)?)
            }
        };
        let name = &segment.name;
        let value = files::read_up_to(segment.file.as_ref(), name, position.len, position.offset)?;
        if value.len() == position.len && check(self.context, &value) == position.check {
            Ok(value)
        } else {
            Err(LogError::damaged(name, position.offset, "LOG-12"))
        }
    }
}
