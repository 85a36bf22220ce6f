//! Header, blocks, index and footer of a snapshot.

use crate::codec::{CodecError, Reader};
use crate::log::error::LogError;
use crate::log::files::LogContext;
use crate::log::format::header_block::{HEADER_BYTES, open_block, seal_block};
use crate::log::format::rows::{KEY_BYTES_MAX, VALUE_BYTES_MAX};
use crate::log::format::snapshot::SnapshotRecord;
use crate::log::format::tail::Tail;
use crate::log::types::RowFormat;
use crate::model::Tree;

pub(super) const MAGIC: [u8; 8] = *b"SRSNAPS\n";
pub(super) const FOOTER_MAGIC: [u8; 8] = *b"SRSNEND\n";
pub(super) const BLOCK_HEADER_BYTES: usize = 16;
/// Most bytes of rows in a block that holds more than one row.
pub(super) const PAYLOAD_BYTES: usize = 64 << 10;
/// Most bytes of a block's rows: one row of the longest kind.
pub(super) const PAYLOAD_BYTES_MAX: usize = VALUE_BYTES_MAX + 1024;
pub(super) const DOMAIN: &str = "strongroom/log/snapshot/v1";
pub(super) const BLOCK_DOMAIN: &str = "strongroom/log/snapshot-block/v1";

/// Bytes of the footer.
pub(super) fn footer_bytes(format: RowFormat) -> usize {
    match format {
        RowFormat::One => 64,
        RowFormat::Two => 80,
    }
}

/// What a footer says.
#[derive(Clone, Copy)]
pub(super) struct Footer {
    pub(super) rows: u64,
    pub(super) blocks: u64,
    /// Length of the file.
    pub(super) bytes: u64,
    /// Where the index begins; format 1 has none.
    pub(super) index_at: u64,
}

impl Footer {
    /// All but the MAC.
    pub(super) fn fields(&self, format: RowFormat) -> Vec<u8> {
        let mut footer = Vec::with_capacity(footer_bytes(format));
        footer.extend_from_slice(&FOOTER_MAGIC);
        for number in [self.rows, self.blocks, self.bytes] {
            footer.extend_from_slice(&number.to_le_bytes());
        }
        if format >= RowFormat::Two {
            footer.extend_from_slice(&self.index_at.to_le_bytes());
            footer.extend_from_slice(&[0; 8]);
        }
        footer
    }

    /// Reads what [`Self::fields`] wrote.
    pub(super) fn decode(format: RowFormat, bytes: &[u8]) -> Result<Self, CodecError> {
        let mut reader = Reader::new(bytes);
        reader.take(FOOTER_MAGIC.len())?;
        let (rows, blocks, bytes) = (reader.u64()?, reader.u64()?, reader.u64()?);
        let index_at = if format >= RowFormat::Two { reader.u64()? } else { 0 };
        Ok(Self { rows, blocks, bytes, index_at })
    }

    /// The MAC of the whole file, after the last block's and with the index.
    pub(super) fn tag(
        &self,
        context: &LogContext,
        format: RowFormat,
        id: &[u8; 16],
        chain: &[u8; 32],
        index: &[u8],
    ) -> [u8; 32] {
        let fields = self.fields(format);
        match format {
            RowFormat::One => context.tag("strongroom/log/snapshot-end/v1", &[id, chain, &fields]),
            RowFormat::Two => {
                context.tag("strongroom/log/snapshot-end/v2", &[id, chain, index, &fields])
            }
        }
    }
}

/// A block as the index has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct IndexEntry {
    /// Its first row.
    pub(super) tree: Tree,
    pub(super) key: Box<[u8]>,
    pub(super) offset: u64,
    pub(super) tag: [u8; 32],
}

impl IndexEntry {
    /// Most bytes of an entry.
    pub(super) const BYTES_MAX: usize = 44 + KEY_BYTES_MAX;

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.tree as u8);
        out.push(0);
        out.extend_from_slice(&u16::try_from(self.key.len()).unwrap_or(u16::MAX).to_le_bytes());
        out.extend_from_slice(&self.offset.to_le_bytes());
        out.extend_from_slice(&self.tag);
        out.extend_from_slice(&self.key);
    }

    pub(super) fn decode(reader: &mut Reader<'_>) -> Result<Self, CodecError> {
        let tree = Tree::from_number(reader.u8()?).ok_or(CodecError)?;
        let (zero, key_len) = (reader.u8()?, usize::from(reader.u16()?));
        if zero != 0 || !(1..=KEY_BYTES_MAX).contains(&key_len) {
            return Err(CodecError);
        }
        let (offset, tag) = (reader.u64()?, reader.array()?);
        Ok(Self { tree, key: reader.take(key_len)?.into(), offset, tag })
    }
}

pub(super) fn last_tag(bytes: &[u8]) -> [u8; 32] {
    bytes.last_chunk().copied().unwrap_or_default()
}

pub(super) fn header(
    context: &LogContext,
    format: RowFormat,
    number: u64,
    id: &[u8; 16],
    tail: &Tail,
) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER_BYTES);
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&format.number().to_le_bytes());
    bytes.extend_from_slice(&[0; 4]);
    bytes.extend_from_slice(&context.vault);
    bytes.extend_from_slice(&number.to_le_bytes());
    bytes.extend_from_slice(id);
    tail.encode(&mut bytes);
    seal_block(context, DOMAIN, bytes, HEADER_BYTES)
}

/// What a header says: format, number, id and tail.
pub(super) fn open_header(
    context: &LogContext,
    bytes: &[u8],
    name: &str,
) -> Result<(RowFormat, u64, [u8; 16], Tail), LogError> {
    let newest = RowFormat::NEWEST.number();
    let rules = ["SNAP-2", "SNAP-3"];
    let damaged = || LogError::damaged(name, 0, "SNAP-2");
    let (format, mut fields) = open_block(context, DOMAIN, MAGIC, newest, bytes, name, rules)?;
    let format = RowFormat::of(format).ok_or_else(damaged)?;
    let found = (|| Ok((fields.u64()?, fields.array()?, Tail::decode(&mut fields)?)))();
    let (number, id, tail) = found.map_err(|CodecError| damaged())?;
    if fields.rest().iter().any(|byte| *byte != 0) {
        return Err(damaged());
    }
    Ok((format, number, id, tail))
}

/// Whether the front of a footer fits the record of its snapshot.
pub(super) fn fits(footer: &[u8], format: RowFormat, record: &SnapshotRecord) -> bool {
    let zeros = match format {
        RowFormat::One => true,
        RowFormat::Two => footer.get(40..48) == Some([0; 8].as_slice()),
    };
    footer.len() == footer_bytes(format)
        && footer.starts_with(&FOOTER_MAGIC)
        && footer.get(8..16) == Some(record.rows.to_le_bytes().as_slice())
        && footer.get(24..32) == Some(record.bytes.to_le_bytes().as_slice())
        && zeros
        && last_tag(footer) == record.tag
}

/// A whole file of any blocks (row count and rows) with the right MACs, and the footer's MAC, so that
/// fuzzing reaches the code behind the MACs.
#[cfg(feature = "__internals")]
pub(crate) fn sealed(
    context: &LogContext,
    number: u64,
    id: [u8; 16],
    tail: &Tail,
    blocks: &[(u32, Vec<u8>)],
    rows: u64,
) -> (Vec<u8>, [u8; 32]) {
    let format = RowFormat::NEWEST;
    let mut bytes = header(context, format, number, &id, tail);
    let mut chain = last_tag(&bytes);
    let mut entries = Vec::new();
    for (index, (count, payload)) in (0_u64..).zip(blocks) {
        let len = u32::try_from(payload.len()).unwrap_or(u32::MAX);
        let mut block = len.to_le_bytes().to_vec();
        block.extend_from_slice(&count.to_le_bytes());
        block.extend_from_slice(&index.to_le_bytes());
        block.extend_from_slice(payload);
        chain = context.tag(BLOCK_DOMAIN, &[&id, &chain, &block]);
        let front = crate::log::format::rows::row_front(&mut Reader::new(payload));
        let (tree, key) = front.map_or((Tree::Names, [0].as_slice()), |(tree, key, _)| (tree, key));
        let entry = IndexEntry { tree, key: key.into(), offset: bytes.len() as u64, tag: chain };
        entry.encode(&mut entries);
        bytes.append(&mut block);
        bytes.extend_from_slice(&chain);
    }
    let index_at = bytes.len() as u64;
    let len = (bytes.len() + entries.len() + footer_bytes(format)) as u64;
    let footer = Footer { rows, blocks: blocks.len() as u64, bytes: len, index_at };
    let tag = footer.tag(context, format, &id, &chain, &entries);
    bytes.append(&mut entries);
    bytes.extend_from_slice(&footer.fields(format));
    bytes.extend_from_slice(&tag);
    (bytes, tag)
}
