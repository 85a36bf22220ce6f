//! Walking the chain of frames over all live segments.

use crate::env::OpenMode;
use crate::env::threads::thread;
use crate::log::error::LogError;
use crate::log::files::{FileKind, LogContext};
use crate::log::format::manifest::Manifest;
use crate::log::format::segment::{FRAMES_AT, Segment};
use crate::log::format::snapshot::{SnapshotReader, SnapshotRecord};
use crate::log::format::tail::Tail;
use crate::log::types::End;

/// A live segment that has been read through.
#[derive(Clone)]
pub(crate) struct SegmentInfo {
    pub(crate) number: u64,
    pub(crate) id: [u8; 16],
    /// The chain before its first frame.
    pub(crate) start: Tail,
    /// Its end.
    pub(crate) end: Tail,
}

impl SegmentInfo {
    /// Bytes of its frames.
    pub(crate) fn frame_bytes(&self) -> u64 {
        self.end.offset.saturating_sub(FRAMES_AT)
    }
}

/// Damage, and where to look for a readable end.
pub(crate) struct WalkError {
    /// The damaged segment; `None`: the snapshot.
    segment: Option<u64>,
    pub(crate) error: LogError,
    /// Two authenticated things contradict each other, so no other proof of the end is looked for.
    settled: bool,
}

impl WalkError {
    pub(crate) fn in_snapshot(error: LogError) -> Self {
        Self { segment: None, error, settled: false }
    }

    fn in_segment(number: u64, error: LogError) -> Self {
        Self { segment: Some(number), error, settled: false }
    }
}

impl WalkError {
    /// Adds the end of the log if it is known in spite of the damage (MAN-6).
    pub(crate) fn with_proof(self, context: &LogContext, manifest: &Manifest) -> LogError {
        if self.settled || !matches!(self.error, LogError::Damaged(_)) {
            return self.error;
        }
        let from = match self.segment {
            Some(number) => number.saturating_add(1),
            None => manifest.snapshot.tail.segment.saturating_add(1),
        };
        let proven = manifest.proven_end().or_else(|| readable_end(context, manifest, from));
        self.error.proven(proven)
    }
}

/// The end of the chain from the first readable header at or after `from`, if everything behind
/// that header is whole.
fn readable_end(context: &LogContext, manifest: &Manifest, from: u64) -> Option<End> {
    (from..=manifest.last).find_map(|number| {
        let start = Segment::open(context, number, OpenMode::Read).ok()?.header.previous;
        let walk = walk(context, manifest, &start, number).ok()?;
        Some(walk.tail.end)
    })
}

/// Reads the log from the snapshot before the current one, if the damage is in the current one and the
/// older chain is whole.
pub(crate) fn fall_back(
    context: &LogContext,
    manifest: &Manifest,
    fault: &WalkError,
) -> Option<Walk> {
    let in_snapshot = fault.segment.is_none() && matches!(fault.error, LogError::Damaged(_));
    let previous = manifest.previous.as_ref().filter(|_| in_snapshot)?;
    read_truth(context, manifest, previous).ok()
}

/// What a walk over the live segments found.
pub(crate) struct Walk {
    pub(crate) segments: Vec<SegmentInfo>,
    pub(crate) tail: Tail,
    /// Offset of the last frame, if the last segment has one.
    pub(crate) last_frame: Option<u64>,
    /// Whether the front of an unfinished frame follows the last frame.
    pub(crate) torn: bool,
}

/// Checks snapshot `base` (its header and footer) and every frame after it.
pub(crate) fn read_truth(
    context: &LogContext,
    manifest: &Manifest,
    base: &SnapshotRecord,
) -> Result<Walk, WalkError> {
    SnapshotReader::open(context, base).map_err(WalkError::in_snapshot)?;
    let walk = walk(context, manifest, &base.tail, base.tail.segment.saturating_add(1))?;
    check_next_segment(context, manifest, &walk.tail).map_err(|error| WalkError {
        segment: Some(manifest.last),
        error,
        settled: true,
    })?;
    Ok(walk)
}

/// Walks segments `first` to the manifest's last; the first must continue from `from`.
fn walk(
    context: &LogContext,
    manifest: &Manifest,
    from: &Tail,
    first: u64,
) -> Result<Walk, WalkError> {
    let mut walk = Walk { segments: Vec::new(), tail: from.clone(), last_frame: None, torn: false };
    let numbers: Vec<u64> = (first..=manifest.last).collect();
    // A segment names the end of the one before it, so each can be walked without the others.
    let walked = in_order(context, &numbers, &|number| {
        walk_segment(context, manifest, (number == first).then_some(from), number)
    });
    for each in walked {
        let Walked { info, last_frame, torn } = each?;
        walk.tail = info.end.clone();
        (walk.last_frame, walk.torn) = (last_frame, torn);
        walk.segments.push(info);
    }
    match &manifest.mark {
        Some(mark) if !mark.same_place(&walk.tail) => {
            Err(WalkError::in_snapshot(LogError::damaged("manifest.a", 0, "MAN-5")))
        }
        Some(mark) => {
            walk.tail = mark.clone();
            Ok(walk)
        }
        None => Ok(walk),
    }
}

/// What was found in one segment.
struct Walked {
    info: SegmentInfo,
    last_frame: Option<u64>,
    torn: bool,
}

/// Walks the segments by two threads, because every open reads all of them. Results come in the order of
/// the segments, up to the first error. A simulated disk is read by one thread, so that its calls keep
/// their order.
fn in_order(
    context: &LogContext,
    numbers: &[u64],
    walk: &(dyn Fn(u64) -> Result<Walked, WalkError> + Sync),
) -> Vec<Result<Walked, WalkError>> {
    let alone = |numbers: &[u64]| {
        let mut walked = Vec::with_capacity(numbers.len());
        for number in numbers {
            walked.push(walk(*number));
            if walked.last().is_some_and(Result::is_err) {
                break;
            }
        }
        walked
    };
    let (one, two) = numbers.split_at(half(context, numbers));
    if two.is_empty() || one.is_empty() || !context.fs().is_real() {
        return alone(numbers);
    }
    let (mut walked, rest) = thread::scope(|scope| {
        let rest = scope.spawn(|| alone(two));
        (alone(one), rest.join())
    });
    // Should the thread have died, its half is walked here.
    walked.extend(rest.unwrap_or_else(|_| alone(two)));
    walked
}

/// How many of the first segments have about half of the bytes of all.
fn half(context: &LogContext, numbers: &[u64]) -> usize {
    let size = |number: &u64| {
        let meta = context.fs().metadata(&context.path(FileKind::Segment, *number));
        meta.ok().flatten().map_or(0, |meta| meta.len)
    };
    let sizes: Vec<u64> = numbers.iter().map(size).collect();
    let total: u64 = sizes.iter().sum();
    let mut sum = 0;
    sizes
        .iter()
        .take_while(|size| {
            sum += **size;
            sum <= total / 2
        })
        .count()
}

fn walk_segment(
    context: &LogContext,
    manifest: &Manifest,
    from: Option<&Tail>,
    number: u64,
) -> Result<Walked, WalkError> {
    let open = |number| {
        Segment::open(context, number, OpenMode::Read)
            .map_err(|error| WalkError::in_segment(number, error))
    };
    let segment = open(number)?;
    let fault = |error| WalkError::in_segment(number, error);
    if from.is_some_and(|from| !segment.header.previous.same_place(from)) {
        return Err(fault(LogError::damaged(&segment.name, 0, "LOG-7")));
    }
    let next = (number < manifest.last).then(|| open(number.saturating_add(1))).transpose()?;
    let named = next.as_ref().map(|next| &next.header.previous).or(manifest.mark.as_ref());
    walk_frames(context, &segment, named).map_err(fault)
}

fn walk_frames(
    context: &LogContext,
    segment: &Segment,
    named: Option<&Tail>,
) -> Result<Walked, LogError> {
    let start = segment.header.start();
    let mut tail = start.clone();
    let limit = named.map_or(u64::MAX, |named| named.offset);
    let (mut last_frame, mut torn) = (None, false);
    while tail.offset < limit {
        match segment.step(context, &tail, limit)? {
            Ok(step) => {
                last_frame = Some(step.offset);
                tail = segment.tail_after(&step);
            }
            Err(rule) => {
                let was_a_frame = named.is_some() || segment.scan(context, tail.offset)?.is_some();
                if was_a_frame {
                    return Err(LogError::damaged(&segment.name, tail.offset, rule));
                }
                torn = segment.holds_something_at(tail.offset)?;
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
    let Segment { header, .. } = segment;
    let info = SegmentInfo { number: header.number, id: header.id, start, end: tail };
    Ok(Walked { info, last_frame, torn })
}

/// MAN-7: the segment after the last one may already have its header, if a crash came before the
/// manifest named it. That header must name the same end, and no frame may follow. Otherwise the
/// manifest or the last segment is older than the log.
fn check_next_segment(
    context: &LogContext,
    manifest: &Manifest,
    tail: &Tail,
) -> Result<(), LogError> {
    let Some(number) = manifest.last.checked_add(1) else { return Ok(()) };
    let behind = match Segment::open(context, number, OpenMode::Read) {
        Ok(behind) => behind,
        Err(LogError::Damaged(_)) => return Ok(()),
        Err(error) => return Err(error),
    };
    let followed = behind.step(context, &behind.header.start(), u64::MAX)?.is_ok();
    let named = &behind.header.previous;
    if followed {
        return Err(LogError::damaged("manifest.a", 0, "MAN-7"));
    }
    if named.same_place(tail) {
        return Ok(());
    }
    // The header was synced after the end that it names, and no frame follows: that end is the last.
    let proven = (manifest.mark.is_none() && named.end.lsn > tail.end.lsn).then_some(&named.end);
    let file = FileKind::Segment.name(tail.segment);
    Err(LogError::damaged(file, tail.offset, "LOG-9").proven(proven.cloned()))
}

/// Walks a segment whose end is known, frame by frame.
pub(crate) fn walk_named(
    context: &LogContext,
    info: &SegmentInfo,
    visit: &mut dyn FnMut(&Segment, crate::log::format::segment::Step) -> Result<(), LogError>,
) -> Result<(), LogError> {
    let segment = Segment::open(context, info.number, OpenMode::Read)?;
    if segment.header.id != info.id || !segment.header.start().same_place(&info.start) {
        return Err(LogError::damaged(&segment.name, 0, "LOG-7"));
    }
    let mut tail = info.start.clone();
    while tail.offset < info.end.offset {
        let step = segment
            .step(context, &tail, info.end.offset)?
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
