//! Opening: what the truth is, found without changing a byte.
//!
//! Implements LOG-6 to LOG-9 and MAN-5 to MAN-7. Every live segment before the last has a named
//! end (the next header's); after a clean close the last one has too (the end mark). Before a named
//! end every frame must be good. In a last segment without one, the first bytes that are not a
//! frame end it, unless a good frame stands behind them: then they were a frame once.

use crate::env::{Env, OpenMode};
use crate::log::files::Twin;
use crate::log::files::{Kind, Place};
use crate::log::format::frame;
use crate::log::format::manifest::{Manifest, SnapshotRecord};
use crate::log::format::segment::{FRAMES_AT, Segment, Tail};
use crate::log::format::snapshot::SnapshotReader;
use crate::log::{Authenticator, End, Frame, Log, LogError, LogOptions, RowVisitor};
use crate::model::Lsn;
use std::path::Path;
use std::sync::Arc;

/// The truth as it was found: authenticated from the snapshot to the last frame, read by as many
/// passes as the caller likes, nothing changed on disk yet.
pub struct Recovered {
    pub(in crate::log) place: Place,
    pub(in crate::log) options: LogOptions,
    pub(in crate::log) twin: Twin,
    pub(in crate::log) manifest: Manifest,
    /// The manifest is to be written again before anything is built upon it.
    pub(in crate::log) unsettled: bool,
    /// No file can be left over from what a crash interrupted.
    pub(in crate::log) swept: bool,
    pub(in crate::log) segments: Vec<SegmentInfo>,
    pub(in crate::log) tail: Tail,
    /// The last accepted frame, if it is in the last segment and no end mark vouches for it.
    pub(in crate::log) last_frame: Option<u64>,
    notes: Vec<String>,
}

/// A live segment that has been read through.
#[derive(Clone)]
pub(in crate::log) struct SegmentInfo {
    pub(in crate::log) number: u64,
    pub(in crate::log) id: [u8; 16],
    /// The chain before its first frame.
    pub(in crate::log) start: Tail,
    /// Its end.
    pub(in crate::log) end: Tail,
}

impl SegmentInfo {
    /// Bytes of its frames.
    pub(in crate::log) fn frame_bytes(&self) -> u64 {
        self.end.offset.saturating_sub(FRAMES_AT)
    }
}

impl Log {
    /// Reads the truth of the vault in `dir`. Nothing is changed on disk.
    ///
    /// # Errors
    /// [`LogError::Damaged`] where something that exists once does not read back, with the proven
    /// end where there is one; [`LogError::NewerFormat`]; [`LogError::Io`].
    pub fn open(
        env: &Env,
        dir: &Path,
        vault: [u8; 16],
        auth: Arc<dyn Authenticator>,
        options: LogOptions,
    ) -> Result<Recovered, LogError> {
        let place = Place::new(env, dir, vault, auth, &options);
        let twin = Manifest::twin(&place);
        let content = twin.read()?;
        let manifest = Manifest::decode(&place, &content.body, content.generation)?;
        let mut notes = Vec::new();
        if content.needs_repair {
            notes.push("one copy of the manifest is rewritten from the other".to_owned());
        }
        let walk = match read_truth(&place, &manifest, &manifest.snapshot) {
            Ok(walk) => (walk, false),
            Err(fault) => match fall_back(&place, &manifest, &fault) {
                Some(walk) => {
                    notes.push(format!("an older snapshot is used: {}", fault.error));
                    (walk, true)
                }
                None => return Err(fault.with_proof(&place, &manifest)),
            },
        };
        let (walk, fell_back) = walk;
        if walk.torn {
            notes.push("an unfinished write after the last frame is passed over".to_owned());
        }
        Ok(Recovered {
            place,
            options,
            twin,
            unsettled: content.needs_repair || fell_back || manifest.mark.is_none(),
            swept: true,
            last_frame: walk.last_frame.filter(|_| manifest.mark.is_none()),
            manifest: if fell_back { without_current(manifest) } else { manifest },
            segments: walk.segments,
            tail: walk.tail,
            notes,
        })
    }
}

impl Recovered {
    /// The last operation of the truth and what is known there.
    pub fn end(&self) -> &End {
        &self.tail.end
    }

    /// Whether the vault was closed cleanly: the end mark is there and the log ends at it.
    pub fn clean(&self) -> bool {
        self.manifest.mark.is_some()
    }

    /// The last operation that the snapshot holds.
    pub fn snapshot_lsn(&self) -> Lsn {
        self.manifest.snapshot.tail.end.lsn
    }

    /// Rows in the snapshot.
    pub fn snapshot_rows(&self) -> u64 {
        self.manifest.snapshot.rows
    }

    /// The set digest of the snapshot's rows.
    pub fn snapshot_digest(&self) -> [u8; 32] {
        self.manifest.snapshot.tail.end.digest
    }

    /// What [`Self::start`] passes over or writes anew, for people.
    pub fn repair_notes(&self) -> Vec<String> {
        self.notes.clone()
    }

    /// Visits all rows of the snapshot in order of tree and key, each block authenticated before
    /// it is used, one block in memory. After an error the rows visited so far are not all.
    pub fn read_snapshot(&self, visit: &mut RowVisitor<'_>) -> Result<(), LogError> {
        let mut read = || -> Result<(), LogError> {
            let mut reader = SnapshotReader::open(&self.place, &self.manifest.snapshot)?;
            while let Some(row) = reader.next()? {
                visit(row.tree, reader.key(&row), reader.value(&row))?;
            }
            Ok(())
        };
        read().map_err(|error| error.proven(Some(self.tail.end.clone())))
    }

    /// Visits, in order, the frames whose last LSN is above `after`; the first may begin at or
    /// below it. One frame in memory. `after` below the snapshot's LSN is refused: those frames
    /// may be gone.
    pub fn replay(
        &self,
        after: Lsn,
        visit: &mut dyn FnMut(Frame) -> Result<(), LogError>,
    ) -> Result<(), LogError> {
        if after < self.snapshot_lsn() {
            return Err(LogError::Refused { what: "replay from before the snapshot" });
        }
        for info in self.segments.iter().filter(|info| info.end.end.lsn > after) {
            walk_named(&self.place, info, &mut |segment, step| {
                if step.header.last <= after {
                    return Ok(());
                }
                let frame = frame::decode(&step.bytes, &step.header)
                    .map_err(|fault| fault.at(&segment.name, step.offset))?;
                visit(frame)
            })
            .map_err(|error| error.proven(Some(self.tail.end.clone())))?;
        }
        Ok(())
    }

    /// The same truth read from the snapshot before this one, if that is still kept: for a caller
    /// whose [`Self::read_snapshot`] found damage inside.
    ///
    /// # Errors
    /// The damage, if there is no older snapshot or it does not read back either.
    pub fn fall_back(self) -> Result<Self, LogError> {
        let file = Kind::Snapshot.name(self.manifest.snapshot.number);
        let error = LogError::damaged(file, 0, "SNAP-4");
        let fault = Fault::in_snapshot(error);
        let Some(walk) = fall_back(&self.place, &self.manifest, &fault) else {
            return Err(fault.error.proven(Some(self.tail.end.clone())));
        };
        let mut notes = self.notes;
        notes.push(format!("an older snapshot is used: {}", fault.error));
        // The end is the same place; the newer snapshot may have noted a later clock there.
        Ok(Self {
            manifest: without_current(self.manifest),
            segments: walk.segments,
            unsettled: true,
            notes,
            ..self
        })
    }
}

/// The manifest with the older snapshot in place of the damaged one. Its number stays used.
fn without_current(mut manifest: Manifest) -> Manifest {
    if let Some(previous) = manifest.previous.take() {
        manifest.snapshot = previous;
    }
    manifest
}

/// Damage, and where a readable end may be looked for.
pub(in crate::log) struct Fault {
    /// The segment it is in; `None`: in the snapshot.
    segment: Option<u64>,
    pub(in crate::log) error: LogError,
    /// What can be said about the end has been said: two things contradict each other.
    settled: bool,
}

impl Fault {
    fn in_snapshot(error: LogError) -> Self {
        Self { segment: None, error, settled: false }
    }

    fn in_segment(number: u64, error: LogError) -> Self {
        Self { segment: Some(number), error, settled: false }
    }
}

impl Fault {
    /// Adds the end of the truth where it is known in spite of the damage (MAN-6).
    fn with_proof(self, place: &Place, manifest: &Manifest) -> LogError {
        if self.settled || !matches!(self.error, LogError::Damaged(_)) {
            return self.error;
        }
        let from = match self.segment {
            Some(number) => number.saturating_add(1),
            None => manifest.snapshot.tail.segment.saturating_add(1),
        };
        let proven = manifest.proven_end().or_else(|| readable_end(place, manifest, from));
        self.error.proven(proven)
    }
}

/// The end of the chain from the first readable header at or after `from`, if everything behind
/// that header is whole.
fn readable_end(place: &Place, manifest: &Manifest, from: u64) -> Option<End> {
    (from..=manifest.last).find_map(|number| {
        let start = Segment::open(place, number, OpenMode::Read).ok()?.header.previous;
        let walk = walk(place, manifest, &start, number).ok()?;
        Some(walk.tail.end)
    })
}

/// The truth from the snapshot before the current one, if the damage is in the current one and the
/// older chain is whole.
fn fall_back(place: &Place, manifest: &Manifest, fault: &Fault) -> Option<Walk> {
    let in_snapshot = fault.segment.is_none() && matches!(fault.error, LogError::Damaged(_));
    let previous = manifest.previous.as_ref().filter(|_| in_snapshot)?;
    read_truth(place, manifest, previous).ok()
}

/// What a walk over the live segments found.
pub(in crate::log) struct Walk {
    segments: Vec<SegmentInfo>,
    tail: Tail,
    /// Offset of the last frame, if the last segment has one.
    last_frame: Option<u64>,
    /// Whether something other than zeros stands behind the last frame.
    torn: bool,
}

/// Checks snapshot `base` (its header and footer) and every frame after it.
pub(in crate::log) fn read_truth(
    place: &Place,
    manifest: &Manifest,
    base: &SnapshotRecord,
) -> Result<Walk, Fault> {
    SnapshotReader::open(place, base).map_err(Fault::in_snapshot)?;
    let walk = walk(place, manifest, &base.tail, base.tail.segment.saturating_add(1))?;
    check_behind(place, manifest, &walk.tail).map_err(|error| Fault {
        segment: Some(manifest.last),
        error,
        settled: true,
    })?;
    Ok(walk)
}

/// Walks segments `first` to the manifest's last; the first must continue from `from`.
fn walk(place: &Place, manifest: &Manifest, from: &Tail, first: u64) -> Result<Walk, Fault> {
    let mut walk = Walk { segments: Vec::new(), tail: from.clone(), last_frame: None, torn: false };
    let open = |number| {
        Segment::open(place, number, OpenMode::Read)
            .map_err(|error| Fault::in_segment(number, error))
    };
    let mut next = (first <= manifest.last).then(|| open(first)).transpose()?;
    for number in first..=manifest.last {
        let fault = |error| Fault::in_segment(number, error);
        let Some(segment) = next.take() else { break };
        if !segment.header.previous.same_place(&walk.tail) {
            return Err(fault(LogError::damaged(&segment.name, 0, "LOG-7")));
        }
        next = (number < manifest.last).then(|| open(number + 1)).transpose()?;
        let named = next.as_ref().map(|next| &next.header.previous).or(manifest.mark.as_ref());
        walk_segment(place, &segment, named, &mut walk).map_err(fault)?;
    }
    match &manifest.mark {
        Some(mark) if !mark.same_place(&walk.tail) => {
            Err(Fault::in_snapshot(LogError::damaged("manifest.a", 0, "MAN-5")))
        }
        Some(mark) => {
            walk.tail = mark.clone();
            Ok(walk)
        }
        None => Ok(walk),
    }
}

fn walk_segment(
    place: &Place,
    segment: &Segment,
    named: Option<&Tail>,
    walk: &mut Walk,
) -> Result<(), LogError> {
    let start = segment.header.start();
    let mut tail = start.clone();
    let limit = named.map_or(u64::MAX, |named| named.offset);
    walk.last_frame = None;
    while tail.offset < limit {
        match segment.step(place, &tail, limit)? {
            Ok(step) => {
                walk.last_frame = Some(step.offset);
                tail = segment.tail_after(&step);
            }
            Err(rule) => {
                let was_a_frame = named.is_some() || segment.scan(place, tail.offset)?.is_some();
                if was_a_frame {
                    return Err(LogError::damaged(&segment.name, tail.offset, rule));
                }
                walk.torn = segment.holds_something_at(tail.offset)?;
                break;
            }
        }
    }
    if let Some(named) = named {
        if !named.same_place(&tail) {
            return Err(LogError::damaged(&segment.name, tail.offset, "LOG-7"));
        }
        tail = named.clone();
    }
    walk.tail = tail.clone();
    walk.segments.push(SegmentInfo {
        number: segment.header.number,
        id: segment.header.id,
        start,
        end: tail,
    });
    Ok(())
}

/// MAN-7: a segment behind the last one may have its header (a crash came before the manifest named
/// it). Then that names the same end, and no frame follows: else the manifest or the last segment's
/// end is older than the log.
fn check_behind(place: &Place, manifest: &Manifest, tail: &Tail) -> Result<(), LogError> {
    let Some(number) = manifest.last.checked_add(1) else { return Ok(()) };
    let behind = match Segment::open(place, number, OpenMode::Read) {
        Ok(behind) => behind,
        Err(LogError::Damaged(_)) => return Ok(()),
        Err(error) => return Err(error),
    };
    let followed = behind.step(place, &behind.header.start(), u64::MAX)?.is_ok();
    let named = &behind.header.previous;
    if followed {
        return Err(LogError::damaged("manifest.a", 0, "MAN-7"));
    }
    if named.same_place(tail) {
        return Ok(());
    }
    // Its header was synced after that end was, and it has no frame: that end is the last.
    let proven = (manifest.mark.is_none() && named.end.lsn > tail.end.lsn).then_some(&named.end);
    let file = Kind::Segment.name(tail.segment);
    Err(LogError::damaged(file, tail.offset, "LOG-9").proven(proven.cloned()))
}

/// Walks a segment whose end is known, frame by frame.
pub(in crate::log) fn walk_named(
    place: &Place,
    info: &SegmentInfo,
    visit: &mut dyn FnMut(&Segment, crate::log::format::segment::Step) -> Result<(), LogError>,
) -> Result<(), LogError> {
    let segment = Segment::open(place, info.number, OpenMode::Read)?;
    if segment.header.id != info.id || !segment.header.start().same_place(&info.start) {
        return Err(LogError::damaged(&segment.name, 0, "LOG-7"));
    }
    let mut tail = info.start.clone();
    while tail.offset < info.end.offset {
        let step = segment
            .step(place, &tail, info.end.offset)?
            .map_err(|rule| LogError::damaged(&segment.name, tail.offset, rule))?;
        tail = segment.tail_after(&step);
        visit(&segment, step)?;
    }
    if tail.same_place(&info.end) {
        Ok(())
    } else {
        Err(LogError::damaged(&segment.name, tail.offset, "LOG-7"))
    }
}
