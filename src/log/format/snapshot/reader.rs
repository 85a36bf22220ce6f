//! Reading a snapshot.

use super::layout::{
    BLOCK_DOMAIN, BLOCK_HEADER_BYTES, DOMAIN, FOOTER_BYTES, FOOTER_DOMAIN, MAGIC, PAYLOAD_BYTES,
    PAYLOAD_BYTES_MAX, footer_fields, last_tag,
};
use crate::codec::{CodecError, Reader};
use crate::env::{File, OpenMode};
use crate::log::error::LogError;
use crate::log::files;
use crate::log::files::{FileKind, LogContext};
use crate::log::format::frame::TAG_BYTES;
use crate::log::format::header_block::HEADER_BYTES;
use crate::log::format::header_block::open_block;
use crate::log::format::rows::row_front;
use crate::log::format::snapshot::SnapshotRecord;
use crate::log::format::tail::Tail;
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
    footer: Vec<u8>,
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
        let mut fields = open_block(context, DOMAIN, MAGIC, &header, &name, ["SNAP-2", "SNAP-3"])?;
        let damaged = |offset, rule| LogError::damaged(name.clone(), offset, rule);
        let wanted = (record.number, record.id, record.tail.clone());
        let found = (|| Ok((fields.u64()?, fields.array()?, Tail::decode(&mut fields)?)))();
        let zeros = fields.rest().iter().all(|byte| *byte == 0);
        if found != Ok::<_, CodecError>(wanted) || !zeros {
            return Err(damaged(0, "SNAP-2"));
        }
        if len != record.bytes {
            return Err(damaged(len.min(record.bytes), "SNAP-1"));
        }
        let footer_at = record.bytes.saturating_sub(FOOTER_BYTES as u64);
        let footer = files::read_up_to(file.as_ref(), &name, FOOTER_BYTES, footer_at)?;
        let shape = footer.get(..16) == footer_fields(record.rows, 0, 0).get(..16)
            && footer.get(24..32) == Some(record.bytes.to_le_bytes().as_slice());
        if !shape || last_tag(&footer) != record.tag {
            return Err(damaged(footer_at, "SNAP-6"));
        }
        Ok(Self {
            context: context.clone(),
            chain: last_tag(&header),
            file,
            name,
            record: record.clone(),
            footer,
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
        let mut fields = open_block(context, DOMAIN, MAGIC, &header, &name, ["SNAP-2", "SNAP-3"])?;
        let found = (|| Ok((fields.u64()?, fields.array()?, Tail::decode(&mut fields)?)))();
        let (found, id, tail) =
            found.map_err(|CodecError| LogError::damaged(&name, 0, "SNAP-2"))?;
        let footer_at = bytes.saturating_sub(FOOTER_BYTES as u64);
        let footer = files::read_up_to(file.as_ref(), &name, FOOTER_BYTES, footer_at)?;
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
        let footer_at = self.record.bytes.saturating_sub(FOOTER_BYTES as u64);
        if self.offset >= footer_at {
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
        self.chain = tag;
        self.offset += bytes.len() as u64;
        self.blocks += 1;
        self.block_rows = rows;
        self.block = bytes;
        self.block.truncate(BLOCK_HEADER_BYTES + len);
        self.at = BLOCK_HEADER_BYTES;
        Ok(true)
    }

    /// SNAP-6: the footer counts what was read and signs the last block.
    fn check_footer(&self) -> Result<(), LogError> {
        let fields = footer_fields(self.rows, self.blocks, self.record.bytes);
        let tag = self.context.tag(FOOTER_DOMAIN, &[&self.record.id, &self.chain, &fields]);
        let whole = self.footer.starts_with(&fields)
            && files::same_tag(&tag, &last_tag(&self.footer))
            && self.offset + FOOTER_BYTES as u64 == self.record.bytes;
        if whole { Ok(()) } else { Err(self.damaged("SNAP-6")) }
    }

    fn read(&self, len: usize, offset: u64) -> Result<Vec<u8>, LogError> {
        let bytes = files::read_up_to(self.file.as_ref(), &self.name, len, offset)?;
        if bytes.len() == len { Ok(bytes) } else { Err(self.damaged("SNAP-1")) }
    }
}
