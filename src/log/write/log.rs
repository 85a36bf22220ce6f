//! The open log: append, sync, close, and the step from one segment to the next.
//!
//! - **W1** One batch is one frame. A frame is synced before the next one is written, so only the last
//!   frame can be unsynced.
//! - **W2** A failed sync poisons the log until it is reopened. There is no retry, because what reached
//!   the disk is unknown (I4).
//! - **W3** A write that fails because the disk is full is undone: the segment ends before it (I4, I5).
//! - **W4** A new segment is made in this order: allocate and sync the file; sync the header; make the
//!   manifest durable in both copies, with the number and without the end mark; write the first frame.

use super::segments::write_failed;
use crate::env::File;
use crate::env::faults::Fault;
use crate::log::error::LogError;
use crate::log::files::{LogContext, Twin};
use crate::log::format::frame;
use crate::log::format::frame::FramePosition;
use crate::log::format::manifest::Manifest;
use crate::log::format::segment::{FRAMES_AT, Segment};
use crate::log::format::tail::Tail;
use crate::log::options::LogOptions;
use crate::log::read::SegmentInfo;
use crate::log::types::{ClockNote, End, Frame};
use crate::log::write::prepare::PreparationState;
use crate::log::write::{Preparation, Prepared};
use std::sync::{Arc, Weak};

/// With this many frame bytes in ended segments a compaction is due. Bounds what an open reads.
const ENDED_BYTES_MAX: u64 = 128 << 20;
/// The least number of first segments whose bytes are merged.
const FIRST_SEGMENTS: u64 = 8;
/// With this many ended segments a compaction is due. Each reopen leaves one, even an empty one.
const ENDED_SEGMENTS_MAX: usize = 8;
/// An end mark is written again on a close without writes when the clock has moved by this much.
const CLOCK_MOVED_MILLIS: i64 = 60 * 60 * 1000;

/// Lives as long as a compaction. There is at most one.
pub(crate) struct CompactionToken;

/// The log of an open vault. One thread appends and syncs; see [`Preparation`] and
/// [`crate::log::Compaction`] for what may run beside it.
pub struct Log {
    pub(crate) context: LogContext,
    pub(crate) options: LogOptions,
    pub(super) twin: Twin,
    pub(crate) manifest: Manifest,
    /// Whether both copies on disk hold `manifest`.
    pub(crate) manifest_durable: bool,
    /// The segment that takes frames; `None`: the next append begins one.
    pub(super) current: Option<Segment>,
    pub(crate) tail: Tail,
    /// A frame was written and not yet synced.
    pub(super) dirty: bool,
    pub(super) poisoned: bool,
    pub(super) next_capacity: u64,
    /// Bytes appended since it was opened.
    pub(crate) appended: u64,
    /// Ended segments that the snapshot does not cover.
    pub(crate) ended: Vec<SegmentInfo>,
    pub(crate) preparing: Arc<PreparationState>,
    pub(crate) compacting: Weak<CompactionToken>,
}

impl Log {
    /// The offset of a segment's first frame, after the header. In a log that was never written to only
    /// zeros follow.
    pub const FIRST_FRAME_OFFSET: u64 = FRAMES_AT;

    pub(crate) fn assemble(
        context: LogContext,
        options: LogOptions,
        twin: Twin,
        manifest: Manifest,
        tail: Tail,
    ) -> Self {
        let next_capacity = options.segment_bytes_first;
        let preparing = Arc::new(PreparationState::default());
        preparing.lock().last = manifest.last;
        Self {
            context,
            options,
            twin,
            manifest,
            manifest_durable: true,
            current: None,
            tail,
            dirty: false,
            poisoned: false,
            next_capacity,
            appended: 0,
            ended: Vec::new(),
            preparing,
            compacting: Weak::new(),
        }
    }

    /// The last operation appended, and what is known there.
    pub fn end(&self) -> &End {
        &self.tail.end
    }

    /// Whether a sync failed since the log was opened.
    pub fn poisoned(&self) -> bool {
        self.poisoned
    }

    /// Size that the next segment will have, in bytes.
    pub fn segment_bytes(&self) -> u64 {
        self.wanted_capacity()
    }

    /// Bytes of the largest frame that the segment after this one will hold.
    pub fn frame_room(&self) -> usize {
        usize::try_from(self.wanted_capacity().saturating_sub(FRAMES_AT)).unwrap_or(usize::MAX)
    }

    /// The operation at which the current snapshot stands.
    pub fn snapshot_lsn(&self) -> crate::model::Lsn {
        self.manifest.snapshot.tail.end.lsn
    }

    /// Bytes of the current snapshot.
    pub fn snapshot_bytes(&self) -> u64 {
        self.manifest.snapshot.bytes
    }

    /// Bytes of all files of the log, its manifest included; files that cannot be asked count 0.
    pub fn disk_bytes(&self) -> u64 {
        let entries = self.context.fs().read_dir(&self.context.folder()).unwrap_or_default();
        let len = |path: &std::path::Path| {
            self.context.fs().metadata(path).ok().flatten().map_or(0, |metadata| metadata.len)
        };
        let folder: u64 =
            entries.iter().map(|entry| len(&self.context.folder().join(&entry.name))).sum();
        let twins: u64 =
            self.twin.names().iter().map(|name| len(&self.context.dir.join(name))).sum();
        folder + twins
    }

    /// Notes a new generation of the keystore for the next header, snapshot or end mark; frames
    /// carry their own.
    pub fn set_keystore_generation(&mut self, generation: u64) {
        self.tail.end.keystore_generation = generation;
    }

    /// Writes one frame, which must begin at the next LSN. It is durable after [`Self::sync`].
    ///
    /// # Errors
    /// [`LogError::NoSpace`]: undone, nothing changed. [`LogError::Refused`]: the frame breaks a
    /// limit or the order, nothing changed. Else ask [`Self::poisoned`]: if it says yes the outcome
    /// is unknown, if not nothing changed (no file handle to be had, say).
    pub fn append(&mut self, frame: &Frame) -> Result<(), LogError> {
        self.check_not_poisoned()?;
        if self.dirty {
            self.sync()?;
        }
        if frame.sets.first().map(|set| set.lsn) != Some(self.tail.end.lsn.next()) {
            return Err(LogError::Refused { what: "frame does not begin at the next LSN" });
        }
        let position = FramePosition { segment: self.tail.id, offset: self.tail.offset };
        let (mut bytes, mut tag) = frame::encode(&self.context, frame, position, &self.tail.tag)?;
        if !self.fits(bytes.len() as u64) {
            self.begin_segment(bytes.len() as u64)?;
            let position = FramePosition { segment: self.tail.id, offset: self.tail.offset };
            (bytes, tag) = frame::encode(&self.context, frame, position, &self.tail.tag)?;
        }
        if !self.manifest_durable {
            self.flush_manifest()?;
        }
        let Some(segment) = &self.current else {
            return Err(LogError::Refused { what: "no segment" });
        };
        let offset = self.tail.offset;
        if let Err(error) = segment.file.write_all_at(&bytes, offset) {
            return Err(self.undo_or_poison(&bytes, offset, error));
        }
        self.dirty = true;
        self.tail.offset += bytes.len() as u64;
        self.appended += bytes.len() as u64;
        self.tail.tag = tag;
        self.tail.end = End {
            lsn: frame.sets.last().map_or(self.tail.end.lsn, |set| set.lsn),
            digest: frame.digest,
            keystore_generation: frame.keystore_generation,
            clock: frame.clock,
        };
        Ok(())
    }

    /// Makes the frame appended last durable: one `fdatasync`, none if nothing was appended since
    /// the last. **Any** error poisons.
    pub fn sync(&mut self) -> Result<(), LogError> {
        self.check_not_poisoned()?;
        let Some(segment) = self.current.as_ref().filter(|_| self.dirty) else { return Ok(()) };
        let mut synced = segment.file.sync_data();
        if synced.is_err() && self.options.faults.active(Fault::RetryFailedSync) {
            synced = segment.file.sync_data();
        }
        // A frame in a file that has lost its name is lost, too, whatever the sync says (I11).
        let synced = synced.and_then(|()| match segment.file.metadata()?.links {
            0 => self.context.fs().check_place(),
            _ => Ok(()),
        });
        let synced = synced.map_err(|error| LogError::io("sync", &segment.name, error));
        self.poisoned = synced.is_err();
        self.dirty = false;
        synced
    }

    /// Writes the end mark, durable in both copies when this returns: the caller has drained and
    /// synced everything else. Nothing is written if the mark already stands and `clock` has not
    /// moved by an hour. A later append is allowed and takes the mark away first.
    pub fn close(&mut self, clock: ClockNote) -> Result<(), LogError> {
        self.check_not_poisoned()?;
        self.sync()?;
        self.end_current();
        self.tail.end.clock = clock;
        let stands = self.manifest.mark.as_ref().is_some_and(|mark| {
            mark.same_place(&self.tail)
                && mark.end.keystore_generation == self.tail.end.keystore_generation
                && !clock_moved(&mark.end.clock, &clock)
        });
        if stands && self.manifest_durable {
            return Ok(());
        }
        self.manifest.mark = Some(self.tail.clone());
        self.flush_manifest()
    }

    /// Work that makes the next segment's file ahead of need. `Some` if the current segment is half full
    /// or has ended, or a compaction is about to end it. The call changes nothing; of several
    /// preparations only the first to run has an effect.
    pub fn preparation(&self) -> Option<Preparation> {
        let wanted = match &self.current {
            Some(segment) => {
                self.tail.offset.saturating_mul(2) >= segment.header.capacity
                    || self.compaction_due()
            }
            // A log that was only opened to be read prepares nothing.
            None => self.manifest.mark.is_none(),
        };
        if wanted { self.preparation_ahead() } else { None }
    }

    /// The same, however full the current segment is: for a vault that is about to be written to.
    pub fn preparation_ahead(&self) -> Option<Preparation> {
        let number = self.manifest.last.checked_add(1)?;
        (self.preparing.lock().is_open() && !self.poisoned).then(|| {
            let preparing = Arc::clone(&self.preparing);
            Preparation::new(self.context.clone(), preparing, number, self.wanted_capacity())
        })
    }

    /// Stops preparations for this log before another log replaces it. A file made for this one must
    /// never overwrite a segment of the other.
    pub fn retire(&self) {
        self.preparing.retire();
    }

    /// Takes note of a finished preparation.
    #[allow(clippy::needless_pass_by_value, clippy::unused_self)] // Used up: it is the proof of one run.
    pub fn prepared(&mut self, prepared: Prepared) {
        // The shared state already knows it; the value only proves that the preparation ran.
        let Prepared { .. } = prepared;
    }

    /// Bytes that the next snapshot takes at most, also if its compaction begins late.
    pub fn next_snapshot_bytes(&self) -> u64 {
        let bytes = self.manifest.snapshot.bytes;
        let late = bytes.min(ENDED_BYTES_MAX).saturating_mul(2);
        bytes.saturating_add(late.max(self.ended_bytes().saturating_add(self.tail.offset)))
    }

    /// Bytes in frames of ended segments.
    pub(crate) fn ended_bytes(&self) -> u64 {
        self.ended.iter().map(SegmentInfo::frame_bytes).sum()
    }

    /// Whether ended segments are large or many enough to be merged into a new snapshot: more bytes than
    /// the snapshot and than eight first segments, or than 128 MiB; or 8 segments. If it were due sooner,
    /// each put would be rewritten several times.
    pub fn compaction_due(&self) -> bool {
        self.has_ended(FIRST_SEGMENTS, ENDED_SEGMENTS_MAX)
    }

    /// The same for a vault under load, once it has appended eight first segments since it was opened: 128 of
    /// them, or 32 segments. A compaction has the memtable flushed, so a small vault that takes many puts
    /// would hardly have one. A process that puts little leaves a small log to the next.
    pub fn compaction_overdue(&self) -> bool {
        let is_loaded = self.appended > self.options.segment_bytes_first * FIRST_SEGMENTS;
        let more = if is_loaded { 16 } else { 1 };
        let many = if is_loaded { ENDED_SEGMENTS_MAX * 4 } else { ENDED_SEGMENTS_MAX };
        self.has_ended(FIRST_SEGMENTS * more, many)
    }

    /// Whether ended segments have more bytes than the snapshot and than so many first segments, or are
    /// `many`, and none of them is being merged.
    fn has_ended(&self, first_segments: u64, many: usize) -> bool {
        let first = self.options.segment_bytes_first.saturating_mul(first_segments);
        let most = first.max(self.manifest.snapshot.bytes).min(ENDED_BYTES_MAX);
        (self.ended_bytes() > most || self.ended.len() >= many)
            && self.tail.end.lsn > self.manifest.snapshot.tail.end.lsn
            && self.compacting.strong_count() == 0
    }

    pub(crate) fn check_not_poisoned(&self) -> Result<(), LogError> {
        if self.poisoned { Err(LogError::Poisoned) } else { Ok(()) }
    }

    /// Passes an error on. After a failed write or sync the content of the disk is unknown, so the log
    /// is poisoned. A failed open or rename (too many open files, say) changed nothing that matters.
    pub(crate) fn poison_unless_undone<T>(
        &mut self,
        result: Result<T, LogError>,
    ) -> Result<T, LogError> {
        self.poisoned |=
            matches!(result, Err(LogError::Io { op: "sync" | "write", .. } | LogError::Damaged(_)));
        result
    }

    /// Writes the manifest as it is in memory under the next generation, both copies.
    pub(crate) fn flush_manifest(&mut self) -> Result<(), LogError> {
        self.manifest_durable = false;
        // The generation rises even if the write fails, because one copy may have been written.
        self.manifest.generation += 1;
        let written = self.manifest.write(&self.context, &self.twin);
        self.poison_unless_undone(written)?;
        self.manifest_durable = true;
        Ok(())
    }

    /// Handles a failed write of a frame: undoes it by ending the segment before it (W3), or poisons.
    fn undo_or_poison(&mut self, frame: &[u8], offset: u64, error: std::io::Error) -> LogError {
        let Some(segment) = &self.current else { return LogError::Poisoned };
        let error = write_failed(segment, frame, offset, error);
        if matches!(error, LogError::NoSpace) {
            self.end_current();
        } else {
            self.poisoned = true;
        }
        error
    }
}

fn clock_moved(from: &ClockNote, to: &ClockNote) -> bool {
    let far = |from: crate::env::UnixMillis, to: crate::env::UnixMillis| {
        to.since(from).saturating_abs() >= CLOCK_MOVED_MILLIS
    };
    far(from.wall, to.wall)
        || far(from.age, to.age)
        || from.held_millis != to.held_millis
        || from.held_since != to.held_since
}

/// Kept so that a handle is `Send` and can move into the commit thread.
const _: fn() = || {
    fn is_send<T: Send>() {}
    is_send::<Log>();
    is_send::<Preparation>();
    is_send::<Box<dyn File>>();
};
