//! The step from one segment to the next.

use crate::env::{OpenMode, is_no_space};
use crate::log::error::LogError;
use crate::log::files;
use crate::log::files::FileKind;
use crate::log::format::segment::{FRAMES_AT, SEGMENT_BYTES_MAX, Segment, SegmentHeader};
use crate::log::read::SegmentInfo;
use crate::log::write::{Log, prepare};

impl Log {
    /// Ends the current segment: no more frames go into it.
    pub(crate) fn end_current(&mut self) {
        if let Some(segment) = self.current.take() {
            let path = self.context.path(FileKind::Segment, segment.header.number);
            self.context.fs().unwatch(&path);
            let SegmentHeader { number, id, .. } = segment.header;
            let start = segment.header.start();
            self.ended.push(SegmentInfo { number, id, start, end: self.tail.clone() });
        }
    }

    /// The size of the next segment: doubling, but never large against the snapshot, or against the segments
    /// that have ended if those have more.
    pub(crate) fn wanted_capacity(&self) -> u64 {
        let whole = self.manifest.snapshot.bytes.max(self.ended_bytes());
        let quarter = (whole / 4).max(1);
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

    pub(super) fn fits(&self, len: u64) -> bool {
        self.current
            .as_ref()
            .is_some_and(|segment| self.tail.offset + len <= segment.header.capacity)
    }

    /// The first segment of a new vault, live before its first frame.
    pub(crate) fn begin_first_segment(&mut self) -> Result<(), LogError> {
        self.begin_segment(0)?;
        self.flush_manifest()
    }

    pub(super) fn begin_segment(&mut self, frame_bytes: u64) -> Result<(), LogError> {
        // At most one segment may be ahead of the manifest on disk. After a crash a second one would be
        // unknown, and later its header would seem to name an end that does not exist (MAN-7).
        if !self.manifest_durable {
            self.flush_manifest()?;
        }
        let begun = self.write_new_segment(frame_bytes);
        if begun.is_err() {
            // The number was not used and may be prepared again.
            self.preparing.lock().last = self.manifest.last;
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

    /// Allocates the next segment's file and makes its header durable. Changes nothing in memory: the
    /// number counts as used once the manifest names it.
    fn write_new_segment(&mut self, frame_bytes: u64) -> Result<(Segment, u64), LogError> {
        let number = self.manifest.last.saturating_add(1);
        let wanted = self.wanted_capacity();
        let needed = (FRAMES_AT + frame_bytes).next_multiple_of(FRAMES_AT).min(SEGMENT_BYTES_MAX);
        let prepared = self.preparing.take(number).filter(|ready| *ready >= needed);
        let capacity = match prepared {
            Some(ready) => ready,
            None => self.make_segment(number, wanted, needed)?,
        };
        let name = FileKind::Segment.name(number);
        let path = self.context.path(FileKind::Segment, number);
        let file = self
            .context
            .fs()
            .open(&path, OpenMode::Existing)
            .map_err(|error| LogError::io("open", &name, error))?;
        self.context.fs().watch(&path, &file);
        let header = SegmentHeader {
            number,
            id: self.context.random()?,
            capacity,
            previous: self.tail.clone(),
        };
        let segment = Segment { header, file, name };
        let bytes = segment.header.encode(&self.context);
        if let Err(error) = segment.file.write_all_at(&bytes, 0) {
            return Err(write_failed(&segment, &bytes, 0, error));
        }
        let synced = segment.file.sync_all();
        synced.map_err(|error| LogError::io("sync", &segment.name, error))?;
        Ok((segment, wanted))
    }

    /// Makes the file of segment `number` and returns its size. If the disk has no room for the wanted
    /// size, tries a smaller one: deletions, which free space, must still be possible (I4).
    fn make_segment(&self, number: u64, wanted: u64, needed: u64) -> Result<u64, LogError> {
        let mut capacity = wanted.max(needed);
        loop {
            match prepare::make_now(&self.context, number, capacity) {
                Err(LogError::NoSpace) if capacity > needed => {
                    let small = self.options.segment_bytes_first.max(needed);
                    capacity = if capacity > small { small } else { needed };
                }
                made => return made.map(|()| capacity),
            }
        }
    }
}

/// Sorts a failed write. If the disk is full and the bytes are not all in the file, the write can be
/// undone. Otherwise the content of the disk is unknown, and the log is poisoned. In particular, a
/// header that was written whole in spite of the error would name an end that the log goes past (LOG-9).
pub(super) fn write_failed(
    segment: &Segment,
    bytes: &[u8],
    offset: u64,
    error: std::io::Error,
) -> LogError {
    let Segment { file, name, .. } = segment;
    let partial = files::read_up_to(file.as_ref(), name, bytes.len(), offset)
        .is_ok_and(|found| found != bytes);
    if is_no_space(&error) && partial {
        LogError::NoSpace
    } else {
        LogError::io("write", name, error)
    }
}
