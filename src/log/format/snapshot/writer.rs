//! Writing a snapshot.

use super::layout::{
    BLOCK_DOMAIN, BLOCK_HEADER_BYTES, Footer, IndexEntry, PAYLOAD_BYTES, footer_bytes, header,
    last_tag,
};
use crate::env::{File, OpenMode, is_no_space};
use crate::log::error::LogError;
use crate::log::files::{FileKind, LogContext};
use crate::log::format::frame::TAG_BYTES;
use crate::log::format::header_block::HEADER_BYTES;
use crate::log::format::rows::encode_row;
use crate::log::format::snapshot::SnapshotRecord;
use crate::log::format::tail::Tail;
use crate::log::types::RowFormat;
use crate::model::Tree;
use std::sync::Arc;

/// Writes one snapshot from front to back.
pub(crate) struct SnapshotWriter {
    context: LogContext,
    file: Arc<dyn File>,
    name: String,
    record: SnapshotRecord,
    format: RowFormat,
    payload: Vec<u8>,
    payload_rows: u32,
    /// The first row of the block that is being filled.
    first: Option<(Tree, Box<[u8]>)>,
    blocks: u64,
    index: Vec<u8>,
    last_key: Option<(Tree, Vec<u8>)>,
}

impl SnapshotWriter {
    /// Begins snapshot `number` of the rows at `tail`, which are of `format`. An unfinished file of that
    /// number, which no manifest ever named, is overwritten.
    pub(crate) fn create(
        context: &LogContext,
        number: u64,
        tail: Tail,
        format: RowFormat,
    ) -> Result<Self, LogError> {
        let name = FileKind::Snapshot.name(number);
        context.remove(FileKind::Snapshot, number)?;
        let file = context
            .fs()
            .open(&context.path(FileKind::Snapshot, number), OpenMode::CreateNew)
            .map_err(|error| LogError::write(&name, error))?;
        let id = context.random()?;
        let header = header(context, format, number, &id, &tail);
        file.write_all_at(&header, 0).map_err(|error| LogError::write(&name, error))?;
        let bytes = HEADER_BYTES as u64;
        let record = SnapshotRecord { number, id, rows: 0, bytes, tag: last_tag(&header), tail };
        Ok(Self {
            context: context.clone(),
            file,
            name,
            record,
            format,
            payload: Vec::new(),
            payload_rows: 0,
            first: None,
            blocks: 0,
            index: Vec::new(),
            last_key: None,
        })
    }

    /// Adds a live row; rows come in rising order of tree and key.
    pub(crate) fn push(&mut self, tree: Tree, key: &[u8], value: &[u8]) -> Result<(), LogError> {
        let rising = self
            .last_key
            .as_ref()
            .is_none_or(|(last_tree, last)| (*last_tree, last.as_slice()) < (tree, key));
        if !rising {
            return Err(LogError::Refused { what: "snapshot rows do not rise" });
        }
        if !self.format.has(tree) {
            return Err(LogError::Refused { what: "a row of another format" });
        }
        let row_bytes = 8 + key.len() + value.len();
        if self.payload_rows > 0 && self.payload.len() + row_bytes > PAYLOAD_BYTES {
            self.flush_block()?;
        }
        if !encode_row(tree, key, Some(value), &mut self.payload) {
            return Err(LogError::Refused { what: "row is outside the format's limits" });
        }
        self.first.get_or_insert_with(|| (tree, key.into()));
        self.payload_rows += 1;
        self.record.rows += 1;
        self.last_key = Some((tree, key.to_vec()));
        Ok(())
    }

    fn flush_block(&mut self) -> Result<(), LogError> {
        if self.payload_rows == 0 {
            return Ok(());
        }
        let len = u32::try_from(self.payload.len()).unwrap_or(u32::MAX);
        let mut block = Vec::with_capacity(self.payload.len() + BLOCK_HEADER_BYTES + TAG_BYTES);
        block.extend_from_slice(&len.to_le_bytes());
        block.extend_from_slice(&self.payload_rows.to_le_bytes());
        block.extend_from_slice(&self.blocks.to_le_bytes());
        block.append(&mut self.payload);
        let record = &mut self.record;
        let tag = self.context.tag(BLOCK_DOMAIN, &[&record.id, &record.tag, &block]);
        block.extend_from_slice(&tag);
        if let Some((tree, key)) = self.first.take() {
            IndexEntry { tree, key, offset: record.bytes, tag }.encode(&mut self.index);
        }
        self.file
            .write_all_at(&block, record.bytes)
            .map_err(|error| LogError::write(&self.name, error))?;
        record.bytes += block.len() as u64;
        record.tag = tag;
        self.blocks += 1;
        self.payload_rows = 0;
        Ok(())
    }

    /// Writes index and footer, syncs file and folder, and returns the record for the manifest.
    pub(crate) fn finish(mut self) -> Result<SnapshotRecord, LogError> {
        self.flush_block()?;
        let record = &mut self.record;
        if self.format < RowFormat::Two {
            self.index.clear();
        }
        let end = self.index.len() + footer_bytes(self.format);
        let bytes = record.bytes + end as u64;
        let (rows, blocks, index_at) = (record.rows, self.blocks, record.bytes);
        let footer = Footer { rows, blocks, bytes, index_at };
        let tag = footer.tag(&self.context, self.format, &record.id, &record.tag, &self.index);
        self.index.extend_from_slice(&footer.fields(self.format));
        self.index.extend_from_slice(&tag);
        self.file
            .write_all_at(&self.index, record.bytes)
            .map_err(|error| LogError::write(&self.name, error))?;
        // Some file systems find only now that they have no space. No manifest names this file, so nothing
        // depends on what has become of it.
        self.file.sync_all().map_err(|error| {
            let is_full = is_no_space(&error);
            if is_full { LogError::NoSpace } else { LogError::io("sync", &self.name, error) }
        })?;
        self.context.sync_folder()?;
        record.bytes = bytes;
        record.tag = tag;
        Ok(self.record)
    }
}
