//! Reading a snapshot.

use super::layout::{
    BLOCK_DOMAIN, BLOCK_HEADER_BYTES, Footer, IndexEntry, PAYLOAD_BYTES, PAYLOAD_BYTES_MAX, fits,
    footer_bytes, last_tag, open_header,
};
use super::lookup::read_index;
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
use std::ops::Range;
use std::sync::Arc;

/// Reads one snapshot from front to back; every block's MAC is checked before it is used.
pub(crate) struct SnapshotReader {
    context: LogContext,
    file: Arc<dyn File>,
    name: String,
    record: SnapshotRecord,
    /// MAC of what came before the next block.
    chain: [u8; 32],
    format: RowFormat,
    footer: Footer,
    /// Where the blocks end.
    end: u64,
    /// The index as it must be, of the blocks so far.
    index: Vec<u8>,
    offset: u64,
    blocks: u64,
    rows: u64,
    block: Vec<u8>,
    block_rows: u32,
    at: usize,
    last_key: Option<(Tree, Vec<u8>)>,
}

/// A row of the block in memory.
pub(crate) struct SnapshotRow {
    pub(crate) tree: Tree,
    key: Range<usize>,
    value: Range<usize>,
}

impl SnapshotReader {
    /// Opens the snapshot that the manifest names; checks length, header and footer against it.
    pub(crate) fn open(context: &LogContext, record: &SnapshotRecord) -> Result<Self, LogError> {
        let name = FileKind::Snapshot.name(record.number);
        let file =
            context.open_existing(FileKind::Snapshot, record.number, OpenMode::Read, "SNAP-1")?;
        let len = file.len().map_err(|error| LogError::io("stat", &name, error))?;
        let header = files::read_up_to(file.as_ref(), &name, HEADER_BYTES, 0)?;
        let (format, number, id, tail) = open_header(context, &header, &name)?;
        let damaged = |offset, rule| LogError::damaged(name.clone(), offset, rule);
        if (number, id, &tail) != (record.number, record.id, &record.tail) {
            return Err(damaged(0, "SNAP-2"));
        }
        if len != record.bytes {
            return Err(damaged(len.min(record.bytes), "SNAP-1"));
        }
        let footer_len = footer_bytes(format);
        let footer_at = record.bytes.saturating_sub(footer_len as u64);
        let bytes = files::read_up_to(file.as_ref(), &name, footer_len, footer_at)?;
        let footer = Footer::decode(format, &bytes).ok();
        let footer = footer.filter(|_| fits(&bytes, format, record));
        let footer = footer.ok_or_else(|| damaged(footer_at, "SNAP-6"))?;
        let end = if format >= RowFormat::Two { footer.index_at } else { footer_at };
        Ok(Self {
            context: context.clone(),
            chain: last_tag(&header),
            file,
            name,
            record: record.clone(),
            format,
            footer,
            end,
            index: Vec::new(),
            offset: HEADER_BYTES as u64,
            blocks: 0,
            rows: 0,
            block: Vec::new(),
            block_rows: 0,
            at: 0,
            last_key: None,
        })
    }

    /// The record of snapshot `number` as the file itself describes it. It is authenticated only once
    /// the snapshot has been read to its end under this record.
    pub(crate) fn describe(context: &LogContext, number: u64) -> Result<SnapshotRecord, LogError> {
        let name = FileKind::Snapshot.name(number);
        let file = context.open_existing(FileKind::Snapshot, number, OpenMode::Read, "SNAP-1")?;
        let bytes = file.len().map_err(|error| LogError::io("stat", &name, error))?;
        let header = files::read_up_to(file.as_ref(), &name, HEADER_BYTES, 0)?;
        let (format, found, id, tail) = open_header(context, &header, &name)?;
        let footer_len = footer_bytes(format);
        let footer_at = bytes.saturating_sub(footer_len as u64);
        let footer = files::read_up_to(file.as_ref(), &name, footer_len, footer_at)?;
        let rows = footer.get(8..16).and_then(|rows| rows.first_chunk().copied());
        let Some(rows) = rows.filter(|_| found == number) else {
            return Err(LogError::damaged(&name, footer_at, "SNAP-6"));
        };
        let (rows, tag) = (u64::from_le_bytes(rows), last_tag(&footer));
        Ok(SnapshotRecord { number, id, rows, bytes, tag, tail })
    }

    /// The next row; `None` at the end, after the footer has proven that nothing is missing.
    pub(crate) fn next(&mut self) -> Result<Option<SnapshotRow>, LogError> {
        if self.at >= self.block.len() && !self.next_block()? {
            return Ok(None);
        }
        let row = self.row().map_err(|CodecError| self.damaged("SNAP-5"))?;
        if !self.format.has(row.tree) {
            return Err(self.damaged("MAN-8"));
        }
        let key = self.block.get(row.key.clone()).unwrap_or_default();
        let rising = self
            .last_key
            .as_ref()
            .is_none_or(|(tree, last)| (*tree, last.as_slice()) < (row.tree, key));
        let last_of_block = row.value.end == self.block.len();
        if !rising || self.block_rows == 0 || (last_of_block && self.block_rows != 1) {
            return Err(self.damaged("SNAP-5"));
        }
        self.last_key = Some((row.tree, key.to_vec()));
        self.block_rows -= 1;
        self.rows += 1;
        self.at = row.value.end;
        Ok(Some(row))
    }

    /// The key of a row that [`Self::next`] gave last.
    pub(crate) fn key(&self, row: &SnapshotRow) -> &[u8] {
        self.block.get(row.key.clone()).unwrap_or_default()
    }

    /// The value of a row that [`Self::next`] gave last.
    pub(crate) fn value(&self, row: &SnapshotRow) -> &[u8] {
        self.block.get(row.value.clone()).unwrap_or_default()
    }

    fn damaged(&self, rule: &'static str) -> LogError {
        LogError::damaged(self.name.clone(), self.offset, rule)
    }

    fn row(&self) -> Result<SnapshotRow, CodecError> {
        let mut reader = Reader::new(self.block.get(self.at..).unwrap_or_default());
        let (tree, key, value_len) = row_front(&mut reader)?;
        let value_len = value_len.ok_or(CodecError)?;
        let value_at = self.block.len() - reader.rest().len();
        reader.take(value_len)?;
        Ok(SnapshotRow {
            tree,
            key: value_at - key.len()..value_at,
            value: value_at..value_at + value_len,
        })
    }

    fn next_block(&mut self) -> Result<bool, LogError> {
        if self.offset >= self.end {
            return self.check_footer().map(|()| false);
        }
        let front = self.read(BLOCK_HEADER_BYTES, self.offset)?;
        let mut reader = Reader::new(&front);
        let fields = (|| Ok::<_, CodecError>((reader.u32()?, reader.u32()?, reader.u64()?)))();
        let (len, rows, index) = fields.map_err(|CodecError| self.damaged("SNAP-4"))?;
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        let possible = index == self.blocks
            && rows > 0
            && len <= PAYLOAD_BYTES_MAX
            && (len <= PAYLOAD_BYTES || rows == 1);
        if !possible {
            return Err(self.damaged("SNAP-4"));
        }
        let bytes = self.read(BLOCK_HEADER_BYTES + len + TAG_BYTES, self.offset)?;
        let signed = bytes.get(..BLOCK_HEADER_BYTES + len).unwrap_or_default();
        let tag = self.context.tag(BLOCK_DOMAIN, &[&self.record.id, &self.chain, signed]);
        if !files::same_tag(&tag, &last_tag(&bytes)) {
            return Err(self.damaged("SNAP-4"));
        }
        if self.format >= RowFormat::Two {
            let mut rows = Reader::new(signed.get(BLOCK_HEADER_BYTES..).unwrap_or_default());
            let (tree, key, _) =
                row_front(&mut rows).map_err(|CodecError| self.damaged("SNAP-5"))?;
            let entry = IndexEntry { tree, key: key.into(), offset: self.offset, tag };
            entry.encode(&mut self.index);
        }
        self.chain = tag;
        self.offset += bytes.len() as u64;
        self.blocks += 1;
        self.block_rows = rows;
        self.block = bytes;
        self.block.truncate(BLOCK_HEADER_BYTES + len);
        self.at = BLOCK_HEADER_BYTES;
        Ok(true)
    }

    /// SNAP-6 and SNAP-9: the footer counts what was read, and signs the last block and the index, which is
    /// the one of these blocks.
    fn check_footer(&self) -> Result<(), LogError> {
        let Self { format, record, footer, .. } = self;
        let footer_at = record.bytes.saturating_sub(footer_bytes(*format) as u64);
        // Nothing authenticates the footer yet, and it must not choose how much is read.
        let index_bytes = footer_at.saturating_sub(footer.index_at);
        if *format >= RowFormat::Two && index_bytes != self.index.len() as u64 {
            return Err(LogError::damaged(self.name.clone(), footer.index_at, "SNAP-9"));
        }
        let index = match format {
            RowFormat::One => Vec::new(),
            RowFormat::Two => read_index(self.file.as_ref(), &self.name, footer, footer_at)?,
        };
        if index != self.index {
            return Err(LogError::damaged(self.name.clone(), footer.index_at, "SNAP-9"));
        }
        let counted = footer.rows == self.rows && footer.blocks == self.blocks;
        let tag = footer.tag(&self.context, *format, &record.id, &self.chain, &index);
        let whole = counted && files::same_tag(&tag, &record.tag) && self.offset == self.end;
        if whole { Ok(()) } else { Err(self.damaged("SNAP-6")) }
    }

    fn read(&self, len: usize, offset: u64) -> Result<Vec<u8>, LogError> {
        let bytes = files::read_up_to(self.file.as_ref(), &self.name, len, offset)?;
        if bytes.len() == len { Ok(bytes) } else { Err(self.damaged("SNAP-1")) }
    }
}
