//! One segment file: its header, and walking its frames.
//!
//! ```text
//! 0     header block 4096:  magic "SRSEGMT\n" 8 | format u32 | zero u32 | vault 16 | number u64
//!                           | id 16 | capacity u64 | tail of the chain before it 144
//!                           | zeros | MAC 32
//! 4096  frames, each on a multiple of 16, then anything
//! ```
//!
//! Implements LOG-1 to LOG-9. The header is synced before the manifest names the segment, and the
//! manifest names it durably in both copies before its first frame. A segment that the manifest names
//! therefore *always* has its header, whenever a crash happens (LOG-6).

use crate::codec::{CodecError, Reader};
use crate::env::{File, OpenMode};
use crate::log::error::LogError;
use crate::log::files;
use crate::log::files::{FileKind, LogContext};
use crate::log::format::frame;
use crate::log::format::frame::{ALIGN, FramePosition};
use crate::log::format::header_block::{HEADER_BYTES, SEGMENT_FORMAT, open_block, seal_block};
use crate::log::format::tail::Tail;
use crate::model::Lsn;
use std::sync::Arc;

/// The same, as an offset.
pub(crate) const FRAMES_AT: u64 = HEADER_BYTES as u64;
/// No segment is longer: one frame of the longest kind and its header.
pub(crate) const SEGMENT_BYTES_MAX: u64 = (frame::FRAME_BYTES_MAX as u64) + FRAMES_AT;
const MAGIC: [u8; 8] = *b"SRSEGMT\n";
pub(crate) const DOMAIN: &str = "strongroom/log/segment/v1";

/// What a segment's header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SegmentHeader {
    pub(crate) number: u64,
    /// Random: ties frames to this use of the file.
    pub(crate) id: [u8; 16],
    /// Bytes of the file, all of them allocated.
    pub(crate) capacity: u64,
    /// The named end of what came before.
    pub(crate) previous: Tail,
}

impl SegmentHeader {
    pub(crate) fn encode(&self, context: &LogContext) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER_BYTES);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&SEGMENT_FORMAT.to_le_bytes());
        bytes.extend_from_slice(&[0; 4]);
        bytes.extend_from_slice(&context.vault);
        bytes.extend_from_slice(&self.number.to_le_bytes());
        bytes.extend_from_slice(&self.id);
        bytes.extend_from_slice(&self.capacity.to_le_bytes());
        self.previous.encode(&mut bytes);
        seal_block(context, DOMAIN, bytes, HEADER_BYTES)
    }

    /// The chain just before this segment's first frame.
    pub(crate) fn start(&self) -> Tail {
        Tail { segment: self.number, id: self.id, offset: FRAMES_AT, ..self.previous.clone() }
    }
}

/// A segment whose header has been checked.
pub(crate) struct Segment {
    pub(crate) header: SegmentHeader,
    pub(crate) file: Arc<dyn File>,
    pub(crate) name: String,
}

/// A frame that follows the chain.
pub(crate) struct Step {
    pub(crate) header: frame::Header,
    pub(crate) offset: u64,
    pub(crate) bytes: Vec<u8>,
}

impl Segment {
    /// Opens segment `number` and checks its header and length.
    pub(crate) fn open(
        context: &LogContext,
        number: u64,
        mode: OpenMode,
    ) -> Result<Self, LogError> {
        let name = FileKind::Segment.name(number);
        let file = context.open_existing(FileKind::Segment, number, mode, "LOG-3")?;
        let bytes = files::read_up_to(file.as_ref(), &name, HEADER_BYTES, 0)?;
        let len = file.len().map_err(|error| LogError::io("stat", &name, error))?;
        if bytes.len() < HEADER_BYTES {
            return Err(LogError::damaged(name, len, "LOG-3"));
        }
        let rules = ["LOG-4", "LOG-5"];
        let (_, mut reader) =
            open_block(context, DOMAIN, MAGIC, SEGMENT_FORMAT, &bytes, &name, rules)?;
        let header = decode_fields(&mut reader)
            .map_err(|CodecError| LogError::damaged(&name, 0, "LOG-4"))?;
        if header.number != number || reader.rest().iter().any(|byte| *byte != 0) {
            return Err(LogError::damaged(name, 0, "LOG-4"));
        }
        if len < header.capacity {
            return Err(LogError::damaged(name, len, "LOG-3"));
        }
        Ok(Self { header, file, name })
    }

    /// The frame at `tail`, if a good one that follows the chain stands there.
    ///
    /// `Ok(Err(rule))`: the bytes are not a frame. A frame with a good MAC that does not follow the
    /// chain is damage: it was written here, but after another frame.
    pub(crate) fn step(
        &self,
        context: &LogContext,
        tail: &Tail,
        limit: u64,
    ) -> Result<Result<Step, &'static str>, LogError> {
        let (header, bytes) = match self.frame_at(context, tail.offset, limit)? {
            Ok(found) => found,
            Err(rule) => return Ok(Err(rule)),
        };
        let follows = header.previous == tail.tag && header.first == tail.end.lsn.next();
        if !follows {
            return Err(LogError::damaged(&self.name, tail.offset, "LOG-13"));
        }
        if frame::visit_rows(&bytes, &mut |_| Ok(())).is_err() {
            return Err(LogError::damaged(&self.name, tail.offset, "LOG-14"));
        }
        Ok(Ok(Step { header, offset: tail.offset, bytes }))
    }

    /// The chain after `step`.
    pub(crate) fn tail_after(&self, step: &Step) -> Tail {
        Tail {
            segment: self.header.number,
            id: self.header.id,
            offset: step.offset.saturating_add(step.header.len as u64),
            end: step.header.end(),
            tag: step.header.tag,
        }
    }

    /// Whether the front of one of this segment's own frames stands at `offset`.
    pub(crate) fn holds_something_at(&self, offset: u64) -> Result<bool, LogError> {
        let front = files::read_up_to(self.file.as_ref(), &self.name, ALIGN * 2, offset)?;
        Ok(frame::claimed_len(&front, FramePosition { segment: self.header.id, offset }).is_some())
    }

    fn frame_at(
        &self,
        context: &LogContext,
        offset: u64,
        limit: u64,
    ) -> Result<Result<(frame::Header, Vec<u8>), &'static str>, LogError> {
        let position = FramePosition { segment: self.header.id, offset };
        let room = limit.min(self.header.capacity).saturating_sub(offset);
        let room = usize::try_from(room).unwrap_or(usize::MAX);
        let front = files::read_up_to(
            self.file.as_ref(),
            &self.name,
            frame::HEADER_BYTES.min(room),
            offset,
        )?;
        let Some(len) = frame::claimed_len(&front, position).filter(|len| *len <= room) else {
            return Ok(Err("LOG-11"));
        };
        let bytes = files::read_up_to(self.file.as_ref(), &self.name, len, offset)?;
        Ok(frame::authenticate(context, &bytes, position).map(|header| (header, bytes)))
    }

    /// Looks for a good frame of this segment anywhere after `offset` (LOG-8).
    pub(crate) fn scan(
        &self,
        context: &LogContext,
        offset: u64,
    ) -> Result<Option<(u64, Lsn)>, LogError> {
        const WINDOW: usize = 64 * 1024;
        // Without tampering there are no false candidates. The budget bounds the work that forged bytes
        // can cause.
        let mut budget = self.header.capacity.saturating_mul(4);
        let mut at = offset.saturating_add(ALIGN as u64);
        while at < self.header.capacity {
            let window = files::read_up_to(self.file.as_ref(), &self.name, WINDOW + 32, at)?;
            let starts = window.len().min(WINDOW);
            for start in (0..starts).step_by(ALIGN) {
                let position = FramePosition { segment: self.header.id, offset: at + start as u64 };
                let front = window.get(start..).unwrap_or_default();
                let Some(len) = frame::claimed_len(front, position) else { continue };
                if let Ok((header, _)) = self.frame_at(context, position.offset, u64::MAX)? {
                    return Ok(Some((position.offset, header.last)));
                }
                budget = budget.saturating_sub(len as u64);
                if budget == 0 {
                    return Err(LogError::damaged(&self.name, position.offset, "LOG-8"));
                }
            }
            if window.len() < WINDOW {
                break;
            }
            at += WINDOW as u64;
        }
        Ok(None)
    }
}

fn decode_fields(reader: &mut Reader<'_>) -> Result<SegmentHeader, CodecError> {
    let header = SegmentHeader {
        number: reader.u64()?,
        id: reader.array()?,
        capacity: reader.u64()?,
        previous: Tail::decode(reader)?,
    };
    let capacity = FRAMES_AT..=SEGMENT_BYTES_MAX;
    let possible = header.previous.segment < header.number && capacity.contains(&header.capacity);
    if possible { Ok(header) } else { Err(CodecError) }
}
