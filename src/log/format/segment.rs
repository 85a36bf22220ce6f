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
//! manifest names it, durably in both copies, before its first frame: so a segment that the
//! manifest names *always* has its header, and no crash leaves one without (LOG-6).

use crate::codec::{CodecError, Reader};
use crate::env::{File, OpenMode};
use crate::log::files::{self, Kind, Place};
use crate::log::format::frame::{self, ALIGN, Spot};
use crate::log::{End, LogError};
use crate::model::Lsn;
use std::sync::Arc;

/// Bytes of the header block; the first frame begins here.
pub(crate) const HEADER_BYTES: usize = 4096;
/// The same, as an offset.
pub(crate) const FRAMES_AT: u64 = HEADER_BYTES as u64;
/// The newest format of segments and snapshots that is read, and the one written.
pub(crate) const FORMAT: u32 = 1;
/// No segment is longer: one frame of the longest kind and its header.
pub(crate) const SEGMENT_BYTES_MAX: u64 = (frame::FRAME_BYTES_MAX as u64) + FRAMES_AT;
const MAGIC: [u8; 8] = *b"SRSEGMT\n";
pub(crate) const DOMAIN: &str = "strongroom/log/segment/v1";

/// Where the chain of frames stands: the end of a segment, named by the next one's header, by a
/// snapshot or by the end mark. Bytes past a named end are not frames (I5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tail {
    /// The segment that ends here; 0 before the first.
    pub(crate) segment: u64,
    /// That segment's id.
    pub(crate) id: [u8; 16],
    /// Where in it.
    pub(crate) offset: u64,
    /// The last LSN, the digest after it, clock and keystore generation.
    pub(crate) end: End,
    /// The last frame's MAC: what the next frame must name.
    pub(crate) tag: [u8; 32],
}

impl Tail {
    pub(crate) const BYTES: usize = 64 + End::BYTES;

    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.segment.to_le_bytes());
        out.extend_from_slice(&self.id);
        out.extend_from_slice(&self.offset.to_le_bytes());
        self.end.encode(out);
        out.extend_from_slice(&self.tag);
    }

    pub(crate) fn decode(reader: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self {
            segment: reader.u64()?,
            id: reader.array()?,
            offset: reader.u64()?,
            end: End::decode(reader)?,
            tag: reader.array()?,
        })
    }

    /// Whether both name the same place in the chain; the clock and the keystore generation may
    /// have been noted later than the frame.
    pub(crate) fn same_place(&self, other: &Self) -> bool {
        self.segment == other.segment
            && self.id == other.id
            && self.offset == other.offset
            && self.end.same_point(&other.end)
            && self.tag == other.tag
    }
}

/// What a segment's header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SegmentHeader {
    pub(crate) number: u64,
    /// Random: ties frames to this life of the file.
    pub(crate) id: [u8; 16],
    /// Bytes of the file, all of them allocated.
    pub(crate) capacity: u64,
    /// The named end of what came before.
    pub(crate) previous: Tail,
}

impl SegmentHeader {
    pub(crate) fn encode(&self, place: &Place) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER_BYTES);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&FORMAT.to_le_bytes());
        bytes.extend_from_slice(&[0; 4]);
        bytes.extend_from_slice(&place.vault);
        bytes.extend_from_slice(&self.number.to_le_bytes());
        bytes.extend_from_slice(&self.id);
        bytes.extend_from_slice(&self.capacity.to_le_bytes());
        self.previous.encode(&mut bytes);
        seal_block(place, DOMAIN, bytes, HEADER_BYTES)
    }

    /// The chain just before this segment's first frame.
    pub(crate) fn start(&self) -> Tail {
        Tail { segment: self.number, id: self.id, offset: FRAMES_AT, ..self.previous.clone() }
    }
}

/// Pads a header to `len` and signs it.
pub(crate) fn seal_block(
    place: &Place,
    domain: &'static str,
    mut bytes: Vec<u8>,
    len: usize,
) -> Vec<u8> {
    bytes.resize(len - frame::TAG_BYTES, 0);
    let tag = place.tag(domain, &[&bytes]);
    bytes.extend_from_slice(&tag);
    bytes
}

/// Checks magic, MAC and format of a header block; gives a reader after the format fields.
/// `rules`: for a bad magic or length, and for a bad MAC.
pub(crate) fn open_block<'a>(
    place: &Place,
    domain: &'static str,
    magic: [u8; 8],
    bytes: &'a [u8],
    name: &str,
    rules: [&'static str; 2],
) -> Result<Reader<'a>, LogError> {
    let [shape, mac] = rules;
    let damaged = |rule| LogError::damaged(name, 0, rule);
    let (signed, tag) =
        bytes.split_last_chunk::<{ frame::TAG_BYTES }>().ok_or_else(|| damaged(shape))?;
    let mut reader = Reader::new(signed);
    if reader.array::<8>().ok() != Some(magic) {
        return Err(damaged(shape));
    }
    if !files::same_tag(&place.tag(domain, &[signed]), tag) {
        return Err(damaged(mac));
    }
    let format = reader.u32().map_err(|_| damaged(shape))?;
    // The MAC holds, so this is not a flipped bit.
    if format > FORMAT {
        return Err(LogError::NewerFormat { file: name.to_owned(), found: format, known: FORMAT });
    }
    let zero = reader.u32().map_err(|_| damaged(shape))?;
    let vault: [u8; 16] = reader.array().map_err(|_| damaged(shape))?;
    if format == FORMAT && zero == 0 && vault == place.vault {
        Ok(reader)
    } else {
        Err(damaged(shape))
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
    pub(crate) fn open(place: &Place, number: u64, mode: OpenMode) -> Result<Self, LogError> {
        let name = Kind::Segment.name(number);
        let file = place.open_existing(Kind::Segment, number, mode, "LOG-3")?;
        let bytes = files::read_up_to(file.as_ref(), &name, HEADER_BYTES, 0)?;
        let len = file.len().map_err(|error| LogError::io("stat", &name, error))?;
        if bytes.len() < HEADER_BYTES {
            return Err(LogError::damaged(name, len, "LOG-3"));
        }
        let mut reader = open_block(place, DOMAIN, MAGIC, &bytes, &name, ["LOG-4", "LOG-5"])?;
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
    /// `Ok(Err(rule))`: the bytes are not a frame. A frame with a good MAC that does not follow
    /// the chain is damage: it was written here, after something else.
    pub(crate) fn step(
        &self,
        place: &Place,
        tail: &Tail,
        limit: u64,
    ) -> Result<Result<Step, &'static str>, LogError> {
        let (header, bytes) = match self.frame_at(place, tail.offset, limit)? {
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
        Ok(frame::claimed_len(&front, Spot { segment: self.header.id, offset }).is_some())
    }

    fn frame_at(
        &self,
        place: &Place,
        offset: u64,
        limit: u64,
    ) -> Result<Result<(frame::Header, Vec<u8>), &'static str>, LogError> {
        let spot = Spot { segment: self.header.id, offset };
        let room = limit.min(self.header.capacity).saturating_sub(offset);
        let room = usize::try_from(room).unwrap_or(usize::MAX);
        let front = files::read_up_to(
            self.file.as_ref(),
            &self.name,
            frame::HEADER_BYTES.min(room),
            offset,
        )?;
        let Some(len) = frame::claimed_len(&front, spot).filter(|len| *len <= room) else {
            return Ok(Err("LOG-11"));
        };
        let bytes = files::read_up_to(self.file.as_ref(), &self.name, len, offset)?;
        Ok(frame::authenticate(place, &bytes, spot).map(|header| (header, bytes)))
    }

    /// Looks for a good frame of this segment's life anywhere after `offset` (LOG-8).
    pub(crate) fn scan(&self, place: &Place, offset: u64) -> Result<Option<(u64, Lsn)>, LogError> {
        const WINDOW: usize = 64 * 1024;
        // Honest bytes hold no false candidates at all; forged ones must not keep us for ever.
        let mut budget = self.header.capacity.saturating_mul(4);
        let mut at = offset.saturating_add(ALIGN as u64);
        while at < self.header.capacity {
            let window = files::read_up_to(self.file.as_ref(), &self.name, WINDOW + 32, at)?;
            let starts = window.len().min(WINDOW);
            for start in (0..starts).step_by(ALIGN) {
                let spot = Spot { segment: self.header.id, offset: at + start as u64 };
                let front = window.get(start..).unwrap_or_default();
                let Some(len) = frame::claimed_len(front, spot) else { continue };
                if let Ok((header, _)) = self.frame_at(place, spot.offset, u64::MAX)? {
                    return Ok(Some((spot.offset, header.last)));
                }
                budget = budget.saturating_sub(len as u64);
                if budget == 0 {
                    return Err(LogError::damaged(&self.name, spot.offset, "LOG-8"));
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
