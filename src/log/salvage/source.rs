//! What can still be read of a log that no longer opens, as the source of a salvage.
//!
//! The manifest is not trusted. Snapshots are authenticated by header, chain and footer; frames by
//! their MAC, anywhere in a segment, even if the segment's header is unreadable. Each frame carries the
//! digest of the rows after it, and the caller compares it.
//!
//! Reading changes nothing. [`SalvageSource::replace`] keeps every old file until the new manifest is
//! durable, so that after a crash on the way everything can be read again.

use super::manifest::best;
use crate::env::{Env, OpenMode};
use crate::log::authenticator::Authenticator;
use crate::log::error::LogError;
use crate::log::files;
use crate::log::files::{FileKind, LogContext};
use crate::log::format::frame;
use crate::log::format::frame::{ALIGN, FramePosition};
use crate::log::format::manifest::Manifest;
use crate::log::format::rows::{RowVisitor, Rows};
use crate::log::format::segment::{FRAMES_AT, SEGMENT_BYTES_MAX, Segment};
use crate::log::format::snapshot::{SnapshotReader, SnapshotRecord};
use crate::log::format::tail::Tail;
use crate::log::options::LogOptions;
use crate::log::read::read_back;
use crate::log::types::{End, Frame, RowFormat};
use crate::log::write::{Before, Log, unused_snapshot, write_anew};
use crate::model::Lsn;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// The readable parts of one log.
pub struct SalvageSource {
    context: LogContext,
    /// The newest manifest that authenticates.
    manifest: Option<Manifest>,
    /// The highest generation that a readable copy of the manifest has.
    generation: u64,
    /// Snapshots that read back whole, newest first.
    snapshots: Vec<SnapshotRecord>,
    /// Frames that authenticate, by their first LSN.
    frames: Vec<Found>,
    /// Every point in the log that something authenticated names.
    ends: Vec<End>,
    /// The end, if something proves that it is the last.
    proven: Option<End>,
}

/// Where a frame stands.
struct Found {
    header: frame::Header,
    segment: u64,
    position: FramePosition,
}

impl Log {
    /// Collects what can be read of the log in `dir`.
    ///
    /// # Errors
    /// Only those of the file system: damage is expected here.
    pub fn salvage_source(
        env: &Env,
        dir: &Path,
        vault: [u8; 16],
        auth: Arc<dyn Authenticator>,
        options: LogOptions,
    ) -> Result<SalvageSource, LogError> {
        let context = LogContext::new(env, dir, vault, Arc::clone(&auth), &options);
        let proven = match Self::open(env, dir, vault, auth, options) {
            Ok(found) => Some(found.end().clone()),
            Err(LogError::Damaged(damage)) => damage.proven_end,
            Err(error) => return Err(error),
        };
        let copies = Manifest::twin(&context).copies()?;
        let generation = copies.iter().map(|copy| copy.generation).max().unwrap_or(0);
        let manifest = best(&context, &copies).map(|(_, manifest)| manifest);
        let mut source = SalvageSource {
            context,
            proven: proven.or_else(|| manifest.as_ref().and_then(Manifest::proven_end)),
            manifest,
            generation,
            snapshots: Vec::new(),
            frames: Vec::new(),
            ends: Vec::new(),
        };
        source.ends.extend(source.proven.clone());
        source.find_snapshots()?;
        source.find_frames()?;
        Ok(source)
    }
}

impl SalvageSource {
    /// The snapshots that read back whole, newest first: where each stands.
    pub fn snapshots(&self) -> impl Iterator<Item = &End> {
        self.snapshots.iter().map(|record| &record.tail.end)
    }

    /// Visits the rows of the snapshot at `lsn`.
    pub fn read_snapshot(&self, lsn: Lsn, visit: &mut RowVisitor<'_>) -> Result<(), LogError> {
        let at = |record: &&SnapshotRecord| record.tail.end.lsn == lsn;
        let Some(record) = self.snapshots.iter().find(at) else {
            return Err(LogError::Refused { what: "no snapshot stands there" });
        };
        let mut reader = SnapshotReader::open(&self.context, record)?;
        while let Some(row) = reader.next()? {
            visit(row.tree, reader.key(&row), reader.value(&row))?;
        }
        Ok(())
    }

    /// Visits all frames that authenticate and end after `after`, in order of their LSNs, each with
    /// what is known after it. There may be holes between them.
    pub fn frames(
        &self,
        after: Lsn,
        visit: &mut dyn FnMut(End, Frame) -> Result<(), LogError>,
    ) -> Result<(), LogError> {
        for found in self.frames.iter().filter(|found| found.header.last > after) {
            let name = FileKind::Segment.name(found.segment);
            let file = self.context.open_existing(
                FileKind::Segment,
                found.segment,
                OpenMode::Read,
                "LOG-3",
            )?;
            let bytes =
                files::read_up_to(file.as_ref(), &name, found.header.len, found.position.offset)?;
            let header = frame::authenticate(&self.context, &bytes, found.position)
                .map_err(|rule| LogError::damaged(&name, found.position.offset, rule))?;
            let frame = frame::decode(&bytes, &header)
                .map_err(|fault| fault.at(&name, found.position.offset))?;
            visit(header.end(), frame)?;
        }
        Ok(())
    }

    /// The point in the log with this LSN and digest, if something authenticated names it.
    pub fn known(&self, lsn: Lsn, digest: &[u8; 32]) -> Option<&End> {
        self.ends.iter().find(|end| end.lsn == lsn && end.digest == *digest)
    }

    /// The end, where something proves that it is the last.
    pub fn proven_end(&self) -> Option<&End> {
        self.proven.as_ref()
    }

    /// The highest point that anything authenticated names.
    pub fn last_known(&self) -> Option<&End> {
        self.ends.iter().max_by_key(|end| end.lsn)
    }

    /// Makes a new log of `rows` at `end`: writes the snapshot, reads it back, and writes a manifest
    /// that names nothing older. The old files stay in place but are no longer part of the log. The
    /// caller has copied what should be kept. `format` is that of the rows.
    pub fn replace(
        &self,
        end: End,
        format: RowFormat,
        rows: &mut Rows<'_>,
    ) -> Result<(), LogError> {
        let context = &self.context;
        let (last, next) =
            self.manifest.as_ref().map_or((0, 0), |old| (old.last, old.next_snapshot));
        let snapshot = unused_snapshot(context, next)?;
        let before = Before { generation: self.generation, last, snapshot };
        let mut manifest = write_anew(context, &before, format, end, rows)?;
        manifest.mark = Some(manifest.snapshot.tail.clone());
        let twin = Manifest::twin(context);
        match manifest.write(context, &twin) {
            // Neither copy is readable. The caller has kept the old files.
            Err(LogError::Damaged(_)) => manifest.create(context, &twin),
            written => written,
        }
    }

    /// After [`Self::replace`]: renames a damaged file of the log, so that nobody takes it for one of
    /// ours again.
    pub fn move_aside(&self, file: &str) -> Result<(), LogError> {
        if file.starts_with(files::FOLDER) { self.context.move_aside(file) } else { Ok(()) }
    }

    fn find_snapshots(&mut self) -> Result<(), LogError> {
        for number in self.context.numbers(FileKind::Snapshot)?.into_iter().rev() {
            // One that a manifest does not name may be what an interrupted repair left.
            let named = |manifest: &Manifest| {
                let previous = manifest.previous.as_ref().map(|previous| previous.number);
                number == manifest.snapshot.number || previous == Some(number)
            };
            if !self.manifest.as_ref().is_none_or(named) {
                continue;
            }
            let whole = SnapshotReader::describe(&self.context, number)
                .and_then(|record| read_back(&self.context, &record).map(|()| record));
            match whole {
                Ok(record) => {
                    self.ends.push(record.tail.end.clone());
                    self.snapshots.push(record);
                }
                Err(LogError::Damaged(_) | LogError::NewerFormat { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        self.snapshots.sort_by_key(|record| std::cmp::Reverse(record.tail.end.lsn));
        Ok(())
    }

    fn find_frames(&mut self) -> Result<(), LogError> {
        let numbers = self.context.numbers(FileKind::Segment)?;
        let mut ids = BTreeMap::new();
        let mut limits: BTreeMap<[u8; 16], u64> = BTreeMap::new();
        let mut name_end = |tail: &Tail, ends: &mut Vec<End>| {
            limits.insert(tail.id, tail.offset);
            ends.push(tail.end.clone());
        };
        for number in &numbers {
            if let Ok(segment) = Segment::open(&self.context, *number, OpenMode::Read) {
                ids.insert(*number, segment.header.id);
                name_end(&segment.header.previous, &mut self.ends);
            }
        }
        if let Some(mark) = self.manifest.as_ref().and_then(|manifest| manifest.mark.as_ref()) {
            name_end(mark, &mut self.ends);
        }
        for number in numbers {
            self.scan(number, ids.get(&number).copied(), &limits)?;
        }
        self.ends.extend(self.frames.iter().map(|found| found.header.end()));
        self.frames.sort_by_key(|found| (found.header.first, found.segment));
        Ok(())
    }

    /// Looks for frames at every place of a segment where one can begin. Without a readable header
    /// the frames say themselves which segment they are of.
    fn scan(
        &mut self,
        number: u64,
        id: Option<[u8; 16]>,
        limits: &BTreeMap<[u8; 16], u64>,
    ) -> Result<(), LogError> {
        let name = FileKind::Segment.name(number);
        let file =
            self.context.open_existing(FileKind::Segment, number, OpenMode::Read, "LOG-3")?;
        let bytes_max = usize::try_from(SEGMENT_BYTES_MAX).unwrap_or(usize::MAX);
        let bytes = files::read_up_to(file.as_ref(), &name, bytes_max, 0)?;
        let mut at = usize::try_from(FRAMES_AT).unwrap_or(usize::MAX);
        // The budget bounds the work that forged lengths can cause.
        let mut budget = bytes.len().saturating_mul(8);
        while let Some(front) = bytes.get(at..).filter(|front| front.len() > ALIGN) {
            let named = front.get(8..24).and_then(|id| id.first_chunk::<16>().copied());
            let step = (|| {
                let position = FramePosition { segment: id.or(named)?, offset: at as u64 };
                let len = frame::claimed_len(front, position)?;
                budget = budget.checked_sub(len)?;
                let limit = limits.get(&position.segment).copied().unwrap_or(u64::MAX);
                let header =
                    frame::authenticate(&self.context, front.get(..len)?, position).ok()?;
                (position.offset < limit).then_some((header, position))
            })();
            at += step.as_ref().map_or(ALIGN, |(header, _)| header.len);
            if let Some((header, position)) = step {
                self.frames.push(Found { header, segment: number, position });
            }
        }
        Ok(())
    }
}
