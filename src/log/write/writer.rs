//! The open log: append, sync, close, and the step from one segment to the next.
//!
//! - **W1** One batch is one frame; a frame is synced before the next one is written, so only the
//!   last can be unsynced.
//! - **W2** A failed sync poisons for ever: no retry, what reached the disk is unknown (I4).
//! - **W3** A write refused for want of space is undone by ending the segment before it (I4, I5).
//! - **W4** Order of a new segment: file real and synced; header synced; manifest with the number
//!   and without the end mark durable in both copies; first frame.

#[cfg(feature = "testkit")]
use crate::env::Env;
use crate::env::faults::Fault;
use crate::env::{File, OpenMode, is_no_space};
use crate::log::compact::Token;
use crate::log::files::Twin;
use crate::log::files::{self, Kind, Place};
use crate::log::format::frame::{self, Spot};
use crate::log::format::manifest::Manifest;
use crate::log::format::segment::{FRAMES_AT, SEGMENT_BYTES_MAX, Segment, SegmentHeader, Tail};
use crate::log::recover::open::SegmentInfo;
use crate::log::write::prepare::{self, Board};
use crate::log::{ClockNote, End, Frame, LogError, LogOptions, Preparation, Prepared};
use std::sync::{Arc, Weak};

/// Frame bytes of ended segments that are compacted at the latest: bounds what an open reads.
const ENDED_BYTES_MAX: u64 = 64 << 20;
/// Ended segments that are compacted at the latest: each reopen leaves one, however empty.
const ENDED_SEGMENTS_MAX: usize = 8;
/// An end mark is written again on a close without writes when the clock has moved by this much.
const CLOCK_MOVED_MILLIS: i64 = 60 * 60 * 1000;

/// The log of an open vault. One thread appends and syncs; see [`Preparation`] and
/// [`crate::log::Compaction`] for what may run beside it.
pub struct Log {
    pub(in crate::log) place: Place,
    pub(in crate::log) options: LogOptions,
    twin: Twin,
    pub(in crate::log) manifest: Manifest,
    /// Whether both copies on disk hold `manifest`.
    pub(in crate::log) manifest_durable: bool,
    /// The segment that takes frames; `None`: the next append begins one.
    current: Option<Segment>,
    pub(in crate::log) tail: Tail,
    /// A frame was written and not yet synced.
    dirty: bool,
    poisoned: bool,
    next_capacity: u64,
    /// Ended segments that the snapshot does not cover.
    pub(in crate::log) ended: Vec<SegmentInfo>,
    pub(in crate::log) board: Arc<Board>,
    pub(in crate::log) compacting: Weak<Token>,
}

impl Log {
    /// Where the first frame of a segment begins: before it is the header, behind it nothing but
    /// zeros in a log that was never written to.
    pub const FIRST_FRAME_OFFSET: u64 = FRAMES_AT;

    pub(in crate::log) fn assemble(
        place: Place,
        options: LogOptions,
        twin: Twin,
        manifest: Manifest,
        tail: Tail,
    ) -> Self {
        let next_capacity = options.segment_bytes_first;
        let board = Arc::new(Board::default());
        board.lock().last = manifest.last;
        Self {
            place,
            options,
            twin,
            manifest,
            manifest_durable: true,
            current: None,
            tail,
            dirty: false,
            poisoned: false,
            next_capacity,
            ended: Vec::new(),
            board,
            compacting: Weak::new(),
        }
    }

    /// The same log in a copy of its files, independent from now on. Refused while a compaction or
    /// a preparation of this one runs: their files are half made.
    #[cfg(feature = "testkit")]
    pub fn fork(&self, env: &Env) -> Result<Self, LogError> {
        let board = self.board.fork();
        let board = board.filter(|_| self.compacting.strong_count() == 0);
        let board = board.ok_or(LogError::Refused { what: "the log is busy" })?;
        let place = Place { env: env.clone(), ..self.place.clone() };
        let current = self.current.as_ref().map(|segment| {
            let path = place.path(Kind::Segment, segment.header.number);
            let file = place.fs().open(&path, OpenMode::Existing);
            let file = file.map_err(|error| LogError::io("open", &segment.name, error))?;
            Ok(Segment { header: segment.header.clone(), file, name: segment.name.clone() })
        });
        Ok(Self {
            twin: self.twin.fork(&env.fs),
            place,
            options: self.options.clone(),
            manifest: self.manifest.clone(),
            manifest_durable: self.manifest_durable,
            current: current.transpose()?,
            tail: self.tail.clone(),
            dirty: self.dirty,
            poisoned: self.poisoned,
            next_capacity: self.next_capacity,
            ended: self.ended.clone(),
            board: Arc::new(board),
            compacting: Weak::new(),
        })
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

    /// Bytes of the current snapshot.
    pub fn snapshot_bytes(&self) -> u64 {
        self.manifest.snapshot.bytes
    }

    /// Bytes of all files of the log, its manifest included; files that cannot be asked count 0.
    pub fn disk_bytes(&self) -> u64 {
        let entries = self.place.fs().read_dir(&self.place.folder()).unwrap_or_default();
        let len = |path: &std::path::Path| {
            self.place.fs().metadata(path).ok().flatten().map_or(0, |metadata| metadata.len)
        };
        let folder: u64 =
            entries.iter().map(|entry| len(&self.place.folder().join(&entry.name))).sum();
        let twins: u64 = self.twin.names().iter().map(|name| len(&self.place.dir.join(name))).sum();
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
        let spot = Spot { segment: self.tail.id, offset: self.tail.offset };
        let (mut bytes, mut tag) = frame::encode(&self.place, frame, spot, &self.tail.tag)?;
        if !self.fits(bytes.len() as u64) {
            self.begin_segment(bytes.len() as u64)?;
            let spot = Spot { segment: self.tail.id, offset: self.tail.offset };
            (bytes, tag) = frame::encode(&self.place, frame, spot, &self.tail.tag)?;
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

    /// Work that makes the next segment ready off the put path; `Some` when the current one is
    /// half full or has ended, or a compaction is about to end it. Asking changes nothing, and of
    /// several only the first that runs does something.
    pub fn preparation(&self) -> Option<Preparation> {
        let wanted = match &self.current {
            Some(segment) => {
                self.tail.offset.saturating_mul(2) >= segment.header.capacity
                    || self.compaction_due()
            }
            // Nothing is made ready in a log that was only opened to be read.
            None => self.manifest.mark.is_none(),
        };
        if wanted { self.preparation_ahead() } else { None }
    }

    /// The same whatever the current segment holds: for a vault that is going to be written to.
    pub fn preparation_ahead(&self) -> Option<Preparation> {
        let number = self.manifest.last.checked_add(1)?;
        (self.board.lock().is_open() && !self.poisoned).then(|| {
            let board = Arc::clone(&self.board);
            Preparation::new(self.place.clone(), board, number, self.wanted_capacity())
        })
    }

    /// Ends what prepares segments for this log, which another is about to replace: a file made for
    /// it must never take the place of a segment of the other's.
    pub fn retire(&self) {
        self.board.retire();
    }

    /// Takes note of a finished preparation.
    #[allow(clippy::needless_pass_by_value)] // Used up: it is the proof of one run.
    pub fn prepared(&mut self, prepared: Prepared) {
        // The board that both share already says so; the value is the proof that it ran.
        let Prepared { .. } = prepared;
    }

    /// Whether ended segments are large or many enough to be merged into a new snapshot: more than
    /// eight times the first segment and half the snapshot, 64 MiB, or 8 segments.
    pub fn compaction_due(&self) -> bool {
        let bytes: u64 = self.ended.iter().map(SegmentInfo::frame_bytes).sum();
        let relative = (self.options.segment_bytes_first * 8).max(self.manifest.snapshot.bytes / 2);
        let large = bytes > relative.min(ENDED_BYTES_MAX);
        let many = self.ended.len() >= ENDED_SEGMENTS_MAX;
        (large || many)
            && self.tail.end.lsn > self.manifest.snapshot.tail.end.lsn
            && self.compacting.strong_count() == 0
    }

    pub(in crate::log) fn check_not_poisoned(&self) -> Result<(), LogError> {
        if self.poisoned { Err(LogError::Poisoned) } else { Ok(()) }
    }

    /// Passes an error on. One of a write or a sync leaves the medium in doubt; one of an open or a
    /// rename (too many open files, say) changed nothing that is named.
    pub(in crate::log) fn poison_unless_undone<T>(
        &mut self,
        result: Result<T, LogError>,
    ) -> Result<T, LogError> {
        self.poisoned |=
            matches!(result, Err(LogError::Io { op: "sync" | "write", .. } | LogError::Damaged(_)));
        result
    }

    /// Writes the manifest as it is in memory under the next generation, both copies.
    pub(in crate::log) fn flush_manifest(&mut self) -> Result<(), LogError> {
        self.manifest_durable = false;
        // The number goes up even if the write fails: one copy may have got it.
        self.manifest.generation += 1;
        let body = self.manifest.encode(&self.place);
        let written = self.twin.write(self.manifest.generation, &body);
        self.poison_unless_undone(written)?;
        self.manifest_durable = true;
        Ok(())
    }

    /// No more frames go into the current segment.
    pub(in crate::log) fn end_current(&mut self) {
        if let Some(segment) = self.current.take() {
            let SegmentHeader { number, id, .. } = segment.header;
            let start = segment.header.start();
            self.ended.push(SegmentInfo { number, id, start, end: self.tail.clone() });
        }
    }

    /// The size of the next segment: doubling, but never large against the snapshot.
    pub(in crate::log) fn wanted_capacity(&self) -> u64 {
        let quarter = (self.manifest.snapshot.bytes / 4).max(1);
        let bound = self
            .options
            .segment_bytes_first
            .max(quarter.checked_next_power_of_two().unwrap_or(u64::MAX))
            .min(self.options.segment_bytes_max);
        let doubled = match &self.current {
            Some(segment) => segment.header.capacity.saturating_mul(2),
            None => self.next_capacity,
        };
        doubled.clamp(self.options.segment_bytes_first.min(bound), bound)
    }

    fn fits(&self, len: u64) -> bool {
        self.current
            .as_ref()
            .is_some_and(|segment| self.tail.offset + len <= segment.header.capacity)
    }

    /// The first segment of a new vault, live before its first frame.
    pub(in crate::log) fn begin_first_segment(&mut self) -> Result<(), LogError> {
        self.begin_segment(0)?;
        self.flush_manifest()
    }

    fn begin_segment(&mut self, frame_bytes: u64) -> Result<(), LogError> {
        // At most one segment is ahead of the manifest on disk: of a second nobody would know after a
        // crash, and its header would one day seem to name an end that is not there (MAN-7).
        if !self.manifest_durable {
            self.flush_manifest()?;
        }
        let begun = self.write_new_segment(frame_bytes);
        if begun.is_err() {
            // The number was not used after all, and may be prepared again.
            self.board.lock().last = self.manifest.last;
        }
        let (segment, next_capacity) = self.poison_unless_undone(begun)?;
        self.end_current();
        self.next_capacity = next_capacity;
        self.manifest.last = segment.header.number;
        self.manifest.mark = None;
        self.manifest_durable = false;
        self.tail = segment.header.start();
        self.current = Some(segment);
        Ok(())
    }

    /// Makes the next segment's file real and its header durable. Nothing in memory changes: the
    /// number is not used until the manifest names it.
    fn write_new_segment(&mut self, frame_bytes: u64) -> Result<(Segment, u64), LogError> {
        let number = self.manifest.last.saturating_add(1);
        let wanted = self.wanted_capacity();
        let needed = (FRAMES_AT + frame_bytes).next_multiple_of(FRAMES_AT).min(SEGMENT_BYTES_MAX);
        let prepared = self.board.take(number).filter(|ready| *ready >= needed);
        let capacity = match prepared {
            Some(ready) => ready,
            None => self.make_segment(number, wanted, needed)?,
        };
        let name = Kind::Segment.name(number);
        let file = self
            .place
            .fs()
            .open(&self.place.path(Kind::Segment, number), OpenMode::Existing)
            .map_err(|error| LogError::io("open", &name, error))?;
        let header = SegmentHeader {
            number,
            id: self.place.random()?,
            capacity,
            previous: self.tail.clone(),
        };
        let segment = Segment { header, file, name };
        let bytes = segment.header.encode(&self.place);
        if let Err(error) = segment.file.write_all_at(&bytes, 0) {
            return Err(write_failed(&segment, &bytes, 0, error));
        }
        let synced = segment.file.sync_all();
        synced.map_err(|error| LogError::io("sync", &segment.name, error))?;
        Ok((segment, wanted))
    }

    /// Makes the file of segment `number` and says how large it is. A disk that does not hold one of
    /// the size that is wanted may hold a small one: what frees space must still be written (I4).
    fn make_segment(&self, number: u64, wanted: u64, needed: u64) -> Result<u64, LogError> {
        let mut capacity = wanted.max(needed);
        loop {
            match prepare::make_now(&self.place, number, capacity) {
                Err(LogError::NoSpace) if capacity > needed => {
                    let small = self.options.segment_bytes_first.max(needed);
                    capacity = if capacity > small { small } else { needed };
                }
                made => return made.map(|()| capacity),
            }
        }
    }

    /// A write of a frame failed. Where it is undone the segment ends before it (W3).
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

/// What a failed write means. A full disk is undone where the bytes are not whole on the file, which
/// is what such an error says; everything else leaves the medium in doubt, and poisons. A header that
/// is whole all the same would name an end that the log then passes (LOG-9).
fn write_failed(segment: &Segment, bytes: &[u8], offset: u64, error: std::io::Error) -> LogError {
    let Segment { file, name, .. } = segment;
    let partial = files::read_up_to(file.as_ref(), name, bytes.len(), offset)
        .is_ok_and(|found| found != bytes);
    if is_no_space(&error) && partial {
        LogError::NoSpace
    } else {
        LogError::io("write", name, error)
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
