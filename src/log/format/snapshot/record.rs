//! A snapshot as the manifest names it.

use crate::codec::{CodecError, Reader};
use crate::log::format::tail::Tail;

/// A snapshot as the manifest names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SnapshotRecord {
    pub(crate) number: u64,
    pub(crate) id: [u8; 16],
    pub(crate) rows: u64,
    /// Length of the file.
    pub(crate) bytes: u64,
    /// MAC of the footer, which chains every block and the header.
    pub(crate) tag: [u8; 32],
    /// Where the chain of frames stands at the snapshot. It covers all segments up to and
    /// including `tail.segment`.
    pub(crate) tail: Tail,
}

impl SnapshotRecord {
    pub(crate) const BYTES: usize = 72 + Tail::BYTES;

    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.number.to_le_bytes());
        out.extend_from_slice(&self.id);
        out.extend_from_slice(&self.rows.to_le_bytes());
        out.extend_from_slice(&self.bytes.to_le_bytes());
        out.extend_from_slice(&self.tag);
        self.tail.encode(out);
    }

    pub(crate) fn decode(reader: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self {
            number: reader.u64()?,
            id: reader.array()?,
            rows: reader.u64()?,
            bytes: reader.u64()?,
            tag: reader.array()?,
            tail: Tail::decode(reader)?,
        })
    }
}
