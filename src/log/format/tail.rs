//! Where the chain of frames stands.

use crate::codec::{CodecError, Reader};
use crate::log::types::End;

/// Where the chain of frames stands: the end of a segment, named by the next one's header, by a
/// snapshot or by the end mark. Bytes past a named end are not frames (I5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tail {
    /// The segment that ends here; 0 before the first.
    pub(crate) segment: u64,
    /// That segment's id.
    pub(crate) id: [u8; 16],
    /// The offset in it.
    pub(crate) offset: u64,
    /// The last LSN, the digest after it, clock and keystore generation.
    pub(crate) end: End,
    /// The MAC of the last frame, which the next frame must repeat.
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
