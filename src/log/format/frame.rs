//! One frame: a batch of change sets, its MAC, and nothing else.
//!
//! ```text
//!   0  magic "SRf1"            4     112  keystore generation  u64 8
//!   4  frame length        u32 4     120  clock            4 x i64 32
//!   8  segment id             16     152  set count            u32 4
//!  24  offset in the file  u64 8     156  audit records: 0     u32 4
//!  32  first LSN           u64 8     160  sets, then audit records
//!  40  last LSN            u64 8       .  zeros to a multiple of 16
//!  48  previous frame's MAC   32     -32  MAC over vault and all bytes before it
//!  80  set digest after it    32
//!
//! set = row count u16, rows          row = tree u8, live u8, key length u16, value length u32,
//!                                          key, value
//! ```
//!
//! The exact table is in `docs/FORMAT.md` (LOG-10 to LOG-17). The MAC covers the vault and the
//! position (segment id, offset). A frame of another vault, of an earlier use of a recycled file, or
//! moved within its file is therefore not accepted (I5).

use crate::codec::{CodecError, Reader};
use crate::log::error::LogError;
use crate::log::files;
use crate::log::format::rows::{encode_row, row_bytes, row_front};
use crate::log::types::{ClockNote, End, Frame, decode_clock, encode_clock};
use crate::model::{ChangeSet, Lsn, RowChange, Tree};

pub(crate) const MAGIC: [u8; 4] = *b"SRf1";
/// Bytes before the sets.
pub(crate) const HEADER_BYTES: usize = 160;
/// Bytes of a MAC.
pub(crate) const TAG_BYTES: usize = 32;
/// Frames begin and end on multiples of this, so that a scan can find them.
pub(crate) const ALIGN: usize = 16;
/// A frame is never longer: 64 MiB.
pub const FRAME_BYTES_MAX: usize = 64 << 20;
/// Audit records beside the change sets. The count is reserved: nothing writes any yet.
const AUDIT_RECORDS: u32 = 0;
/// Most change sets in a frame (I2).
pub const FRAME_SETS_MAX: usize = 256;
/// Most rows in a change set (I2).
pub const SET_ROWS_MAX: usize = 256;
pub(crate) const DOMAIN: &str = "strongroom/log/frame/v1";

const _: () = assert!(HEADER_BYTES.is_multiple_of(ALIGN), "LOG-11 is frozen in format 1");

/// The position that a frame must have, known before the frame is read.
#[derive(Clone, Copy)]
pub(crate) struct FramePosition {
    pub(crate) segment: [u8; 16],
    pub(crate) offset: u64,
}

/// The fixed part of a frame whose MAC has been checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) len: usize,
    pub(crate) first: Lsn,
    pub(crate) last: Lsn,
    pub(crate) previous: [u8; 32],
    pub(crate) digest: [u8; 32],
    pub(crate) keystore_generation: u64,
    pub(crate) clock: ClockNote,
    /// How many audit records follow the change sets.
    pub(crate) audit_records: u32,
    pub(crate) tag: [u8; 32],
}

impl Header {
    /// The end of the log if this is the last frame.
    pub(crate) fn end(&self) -> End {
        End {
            lsn: self.last,
            digest: self.digest,
            keystore_generation: self.keystore_generation,
            clock: self.clock,
        }
    }
}

/// The length that the front of a frame at `spot` claims, if magic, place and length are possible.
/// Reads only the first 32 bytes: a cheap test before any MAC.
pub(crate) fn claimed_len(front: &[u8], position: FramePosition) -> Option<usize> {
    let mut reader = Reader::new(front);
    let magic: [u8; 4] = reader.array().ok()?;
    let len = usize::try_from(reader.u32().ok()?).ok()?;
    let segment: [u8; 16] = reader.array().ok()?;
    let offset = reader.u64().ok()?;
    let possible = magic == MAGIC
        && segment == position.segment
        && offset == position.offset
        && len.is_multiple_of(ALIGN)
        && (HEADER_BYTES + TAG_BYTES..=FRAME_BYTES_MAX).contains(&len);
    possible.then_some(len)
}

/// Checks the MAC of a whole frame, then reads its fixed part. Total.
pub(crate) fn authenticate(
    context: &files::LogContext,
    bytes: &[u8],
    position: FramePosition,
) -> Result<Header, &'static str> {
    let len = claimed_len(bytes, position).filter(|len| *len == bytes.len()).ok_or("LOG-11")?;
    let (signed, tag) = bytes.split_last_chunk::<TAG_BYTES>().ok_or("LOG-11")?;
    if context.check_frames && !files::same_tag(&context.tag(DOMAIN, &[signed]), tag) {
        return Err("LOG-12");
    }
    header(signed, len, *tag).map_err(|CodecError| "LOG-11").and_then(|(header, sets, _)| {
        let span = header.last.0.checked_sub(header.first.0).and_then(|span| span.checked_add(1));
        let counted = span == Some(sets as u64) && (1..=FRAME_SETS_MAX).contains(&sets);
        if counted && header.first.0 > 0 { Ok(header) } else { Err("LOG-14") }
    })
}

fn header(
    signed: &[u8],
    len: usize,
    tag: [u8; 32],
) -> Result<(Header, usize, Reader<'_>), CodecError> {
    let mut reader = Reader::new(signed);
    reader.take(32)?;
    let first = Lsn(reader.u64()?);
    let last = Lsn(reader.u64()?);
    let previous = reader.array()?;
    let digest = reader.array()?;
    let keystore_generation = reader.u64()?;
    let clock = decode_clock(&mut reader)?;
    let sets = usize::try_from(reader.u32()?).map_err(|_| CodecError)?;
    let audit_records = reader.u32()?;
    let header = Header {
        len,
        first,
        last,
        previous,
        digest,
        keystore_generation,
        clock,
        audit_records,
        tag,
    };
    Ok((header, sets, reader))
}

/// A row inside an authenticated frame, with where its value starts.
pub(crate) struct RawRow<'a> {
    pub(crate) tree: Tree,
    pub(crate) key: &'a [u8],
    pub(crate) value: Option<&'a [u8]>,
    /// Offset of the value from the front of the frame.
    pub(crate) value_at: usize,
}

/// One item of a walk over the rows of a frame.
pub(crate) enum Part<'a> {
    /// A change set begins.
    Set(Lsn),
    /// A row of the set that began last.
    Row(RawRow<'a>),
}

/// Visits the sets and rows of an authenticated frame without copying them.
pub(crate) fn visit_rows(
    bytes: &[u8],
    visit: &mut dyn FnMut(Part<'_>) -> Result<(), LogError>,
) -> Result<(), FrameError> {
    let signed = bytes.get(..bytes.len().saturating_sub(TAG_BYTES)).unwrap_or_default();
    let (header, sets, mut reader) = header(signed, bytes.len(), [0; 32])?;
    // Such a frame authenticates. It is damage and never taken for torn (LOG-14).
    if header.audit_records != AUDIT_RECORDS {
        return Err(FrameError::Format);
    }
    for index in 0..sets {
        let lsn = Lsn(header.first.0.saturating_add(index as u64));
        visit(Part::Set(lsn)).map_err(FrameError::Visitor)?;
        let rows = usize::from(reader.u16()?);
        if rows > SET_ROWS_MAX {
            return Err(FrameError::Format);
        }
        for _ in 0..rows {
            let (tree, key, len) = row_front(&mut reader)?;
            let value_at = signed.len() - reader.rest().len();
            let value = len.map(|len| reader.take(len)).transpose()?;
            visit(Part::Row(RawRow { tree, key, value, value_at })).map_err(FrameError::Visitor)?;
        }
    }
    let padding = reader.rest();
    let canonical = padding.len() < ALIGN && padding.iter().all(|byte| *byte == 0);
    if canonical { Ok(()) } else { Err(FrameError::Format) }
}

/// Why the rows of a frame could not be visited to the end.
pub(crate) enum FrameError {
    Format,
    Visitor(LogError),
}

impl From<CodecError> for FrameError {
    fn from(_: CodecError) -> Self {
        Self::Format
    }
}

impl FrameError {
    /// As an error of the log, with file and offset.
    pub(crate) fn at(self, file: &str, offset: u64) -> LogError {
        match self {
            Self::Format => LogError::damaged(file, offset, "LOG-14"),
            Self::Visitor(error) => error,
        }
    }
}

/// Decodes the rows of an authenticated frame.
pub(crate) fn decode(bytes: &[u8], header: &Header) -> Result<Frame, FrameError> {
    let mut sets: Vec<ChangeSet> = Vec::new();
    visit_rows(bytes, &mut |part| {
        match (part, sets.last_mut()) {
            (Part::Set(lsn), _) => sets.push(ChangeSet { lsn, rows: Vec::new() }),
            (Part::Row(row), Some(set)) => set.rows.push(RowChange {
                tree: row.tree,
                key: row.key.into(),
                value: row.value.map(Into::into),
            }),
            (Part::Row(_), None) => (),
        }
        Ok(())
    })?;
    Ok(Frame {
        keystore_generation: header.keystore_generation,
        clock: header.clock,
        digest: header.digest,
        sets,
    })
}

/// Bytes that a frame with these sets takes at most.
fn encoded_len(sets: &[ChangeSet]) -> usize {
    let rows: usize = sets.iter().flat_map(|set| &set.rows).map(row_bytes).sum();
    HEADER_BYTES + rows + sets.len() * size_of::<u16>() + ALIGN + TAG_BYTES
}

/// Encodes `frame` for its position. Refuses what [`authenticate`] and [`visit_rows`] would reject.
pub(crate) fn encode(
    context: &files::LogContext,
    frame: &Frame,
    position: FramePosition,
    previous: &[u8; 32],
) -> Result<(Vec<u8>, [u8; 32]), LogError> {
    let refused = || LogError::Refused { what: "frame is outside the format's limits" };
    let (Some(first), Some(last)) = (frame.sets.first(), frame.sets.last()) else {
        return Err(refused());
    };
    let consecutive =
        frame.sets.iter().zip(first.lsn.0..).all(|(set, lsn)| set.lsn.0 == lsn && lsn > 0);
    if frame.sets.len() > FRAME_SETS_MAX || !consecutive {
        return Err(refused());
    }
    let mut bytes = Vec::with_capacity(encoded_len(&frame.sets));
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&[0; 4]);
    bytes.extend_from_slice(&position.segment);
    bytes.extend_from_slice(&position.offset.to_le_bytes());
    bytes.extend_from_slice(&first.lsn.0.to_le_bytes());
    bytes.extend_from_slice(&last.lsn.0.to_le_bytes());
    bytes.extend_from_slice(previous);
    bytes.extend_from_slice(&frame.digest);
    bytes.extend_from_slice(&frame.keystore_generation.to_le_bytes());
    encode_clock(&frame.clock, &mut bytes);
    bytes.extend_from_slice(&u32::try_from(frame.sets.len()).unwrap_or(u32::MAX).to_le_bytes());
    bytes.extend_from_slice(&AUDIT_RECORDS.to_le_bytes());
    for set in &frame.sets {
        let rows = u16::try_from(set.rows.len()).unwrap_or(u16::MAX);
        if usize::from(rows) > SET_ROWS_MAX {
            return Err(refused());
        }
        bytes.extend_from_slice(&rows.to_le_bytes());
        for row in &set.rows {
            if !encode_row(row.tree, &row.key, row.value.as_deref(), &mut bytes) {
                return Err(refused());
            }
        }
    }
    bytes.resize(bytes.len().next_multiple_of(ALIGN), 0);
    let len = bytes.len() + TAG_BYTES;
    let field = u32::try_from(len).ok().filter(|_| len <= FRAME_BYTES_MAX).ok_or_else(refused)?;
    if let Some(slot) = bytes.get_mut(4..8) {
        slot.copy_from_slice(&field.to_le_bytes());
    }
    let tag = context.tag(DOMAIN, &[&bytes]);
    bytes.extend_from_slice(&tag);
    Ok((bytes, tag))
}
