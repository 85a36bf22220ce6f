//! Finding one row of a snapshot without reading the rest: header, footer, index, and one block.

use super::layout::{
    BLOCK_DOMAIN, BLOCK_HEADER_BYTES, Footer, IndexEntry, PAYLOAD_BYTES_MAX, fits, footer_bytes,
    last_tag, open_header,
};
use crate::codec::{CodecError, Reader};
use crate::env::{File, OpenMode};
use crate::log::error::LogError;
use crate::log::files;
use crate::log::files::{FileKind, LogContext};
use crate::log::format::frame::TAG_BYTES;
use crate::log::format::header_block::HEADER_BYTES;
use crate::log::format::rows::row_front;
use crate::log::format::snapshot::SnapshotRecord;
use crate::log::types::RowFormat;
use crate::model::Tree;
use std::sync::Arc;

/// The index of a snapshot of format 2, authenticated.
pub(crate) struct SnapshotIndex {
    context: LogContext,
    file: Arc<dyn File>,
    name: String,
    id: [u8; 16],
    /// The MAC of the header, which the first block's covers.
    start: [u8; 32],
    entries: Vec<IndexEntry>,
    /// Where the blocks end.
    end: u64,
}

impl SnapshotIndex {
    /// Reads the index of the snapshot that the manifest names. `None`: the snapshot is of format 1, which
    /// has no index.
    pub(crate) fn open(
        context: &LogContext,
        record: &SnapshotRecord,
    ) -> Result<Option<Self>, LogError> {
        let name = FileKind::Snapshot.name(record.number);
        let file =
            context.open_existing(FileKind::Snapshot, record.number, OpenMode::Read, "SNAP-1")?;
        let damaged = |offset, rule| LogError::damaged(&name, offset, rule);
        let header = files::read_up_to(file.as_ref(), &name, HEADER_BYTES, 0)?;
        let (format, number, id, tail) = open_header(context, &header, &name)?;
        if (number, id, &tail) != (record.number, record.id, &record.tail) {
            return Err(damaged(0, "SNAP-2"));
        }
        if format == RowFormat::One {
            return Ok(None);
        }
        let footer_len = footer_bytes(format);
        let footer_at = record.bytes.saturating_sub(footer_len as u64);
        let bytes = files::read_up_to(file.as_ref(), &name, footer_len, footer_at)?;
        let footer = Footer::decode(format, &bytes)
            .ok()
            .filter(|_| fits(&bytes, format, record))
            .ok_or_else(|| damaged(footer_at, "SNAP-6"))?;
        let index = read_index(file.as_ref(), &name, &footer, footer_at)?;
        let entries = decode(&index, &footer).map_err(|CodecError| damaged(footer_at, "SNAP-9"))?;
        let start = last_tag(&header);
        let chain = entries.last().map_or(start, |entry| entry.tag);
        let tag = footer.tag(context, format, &id, &chain, &index);
        if !files::same_tag(&tag, &record.tag) {
            return Err(damaged(footer.index_at, "SNAP-9"));
        }
        let end = footer.index_at;
        Ok(Some(Self { context: context.clone(), file, name, id, start, entries, end }))
    }

    /// The value of one row, from the one block that can hold it.
    pub(crate) fn row(&self, tree: Tree, key: &[u8]) -> Result<Option<Box<[u8]>>, LogError> {
        let after = self.entries.partition_point(|entry| (entry.tree, &*entry.key) <= (tree, key));
        let Some(at) = after.checked_sub(1) else { return Ok(None) };
        let block = self.block(at)?;
        let mut reader = Reader::new(block.get(BLOCK_HEADER_BYTES..).unwrap_or_default());
        while !reader.rest().is_empty() {
            let row = (|| {
                let (found, at, len) = row_front(&mut reader)?;
                Ok((found, at, reader.take(len.ok_or(CodecError)?)?))
            })();
            let (found, at, value) =
                row.map_err(|CodecError| LogError::damaged(&self.name, 0, "SNAP-5"))?;
            if (found, at) == (tree, key) {
                return Ok(Some(value.into()));
            }
        }
        Ok(None)
    }

    /// Block number `at`, authenticated, without its MAC.
    fn block(&self, at: usize) -> Result<Vec<u8>, LogError> {
        let none = || LogError::damaged(&self.name, 0, "SNAP-9");
        let entry = self.entries.get(at).ok_or_else(none)?;
        let before = at.checked_sub(1).and_then(|before| self.entries.get(before));
        let chain = before.map_or(self.start, |before| before.tag);
        let end = self.entries.get(at + 1).map_or(self.end, |next| next.offset);
        let len = usize::try_from(end.saturating_sub(entry.offset)).unwrap_or(usize::MAX);
        let damaged = || LogError::damaged(&self.name, entry.offset, "SNAP-4");
        if len > BLOCK_HEADER_BYTES + PAYLOAD_BYTES_MAX + TAG_BYTES {
            return Err(damaged());
        }
        let mut bytes = files::read_up_to(self.file.as_ref(), &self.name, len, entry.offset)?;
        let (block, _) = bytes.split_last_chunk::<TAG_BYTES>().ok_or_else(damaged)?;
        let tag = self.context.tag(BLOCK_DOMAIN, &[&self.id, &chain, block]);
        if !files::same_tag(&tag, &entry.tag) {
            return Err(damaged());
        }
        bytes.truncate(len - TAG_BYTES);
        Ok(bytes)
    }
}

/// The bytes of the index, which are bounded by the number of blocks.
pub(super) fn read_index(
    file: &dyn File,
    name: &str,
    footer: &Footer,
    footer_at: u64,
) -> Result<Vec<u8>, LogError> {
    let damaged = || LogError::damaged(name, footer_at, "SNAP-9");
    let len = footer_at.checked_sub(footer.index_at).ok_or_else(damaged)?;
    // No more blocks than find room before it, whatever the footer says.
    let room = footer.index_at.checked_sub(HEADER_BYTES as u64).ok_or_else(damaged)?;
    let blocks = footer.blocks.min(room / (BLOCK_HEADER_BYTES + TAG_BYTES) as u64);
    if len > blocks.saturating_mul(IndexEntry::BYTES_MAX as u64) {
        return Err(damaged());
    }
    let len = usize::try_from(len).map_err(|_| damaged())?;
    let bytes = files::read_up_to(file, name, len, footer.index_at)?;
    if bytes.len() == len { Ok(bytes) } else { Err(damaged()) }
}

/// An entry for each block; places and offsets rise.
fn decode(index: &[u8], footer: &Footer) -> Result<Vec<IndexEntry>, CodecError> {
    let mut reader = Reader::new(index);
    let mut entries: Vec<IndexEntry> = Vec::new();
    while !reader.rest().is_empty() {
        let entry = IndexEntry::decode(&mut reader)?;
        let rises = entries.last().is_none_or(|last| {
            (last.tree, &last.key) < (entry.tree, &entry.key) && last.offset < entry.offset
        });
        let begins = !entries.is_empty() || entry.offset == HEADER_BYTES as u64;
        if !rises || !begins || entry.offset >= footer.index_at {
            return Err(CodecError);
        }
        entries.push(entry);
    }
    if entries.len() as u64 == footer.blocks { Ok(entries) } else { Err(CodecError) }
}
