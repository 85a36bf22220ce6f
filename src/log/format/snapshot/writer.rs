//! Writing a snapshot.

use super::layout::{
    BLOCK_DOMAIN, BLOCK_HEADER_BYTES, FOOTER_BYTES, FOOTER_DOMAIN, PAYLOAD_BYTES, footer_fields,
    header, last_tag,
};
use crate::env::{File, OpenMode};
use crate::log::error::LogError;
use crate::log::files::{FileKind, LogContext};
use crate::log::format::frame::TAG_BYTES;
use crate::log::format::header_block::HEADER_BYTES;
use crate::log::format::rows::encode_row;
use crate::log::format::snapshot::SnapshotRecord;
use crate::log::format::tail::Tail;
use crate::model::Tree;
use std::sync::Arc;

/// Writes one snapshot from front to back.
pub(crate) struct SnapshotWriter {
    context: LogContext,
    file: Arc<dyn File>,
    name: String,
    record: SnapshotRecord,
    payload: Vec<u8>,
    payload_rows: u32,
    blocks: u64,
    last_key: Option<(Tree, Vec<u8>)>,
}

impl SnapshotWriter {
    /// Begins snapshot `number` of the rows at `tail`. An unfinished file of that number, which no
    /// manifest ever named, is overwritten.
    pub(crate) fn create(context: &LogContext, number: u64, tail: Tail) -> Result<Self, LogError> {
        let name = FileKind::Snapshot.name(number);
        context.remove(FileKind::Snapshot, number)?;
        let file = context
            .fs()
            .open(&context.path(FileKind::Snapshot, number), OpenMode::CreateNew)
            .map_err(|error| LogError::write(&name, error))?;
        let id = context.random()?;
        let header = header(context, number, &id, &tail);
        file.write_all_at(&header, 0).map_err(|error| LogError::write(&name, error))?;
        let bytes = HEADER_BYTES as u64;
        let record = SnapshotRecord { number, id, rows: 0, bytes, tag: last_tag(&header), tail };
        Ok(Self {
            context: context.clone(),
            file,
            name,
            record,
            payload: Vec::new(),
            payload_rows: 0,
            blocks: 0,
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
        let row_bytes = 8 + key.len() + value.len();
        if self.payload_rows > 0 && self.payload.len() + row_bytes > PAYLOAD_BYTES {
            self.flush_block()?;
        }
        if !encode_row(tree, key, Some(value), &mut self.payload) {
            return Err(LogError::Refused { what: "row is outside the format's limits" });
        }
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
        self.file
            .write_all_at(&block, record.bytes)
            .map_err(|error| LogError::write(&self.name, error))?;
        record.bytes += block.len() as u64;
        record.tag = tag;
        self.blocks += 1;
        self.payload_rows = 0;
        Ok(())
    }

    /// Writes the footer, syncs file and folder, and returns the record for the manifest.
    pub(crate) fn finish(mut self) -> Result<SnapshotRecord, LogError> {
        self.flush_block()?;
        let record = &mut self.record;
        let bytes = record.bytes + FOOTER_BYTES as u64;
        let mut footer = footer_fields(record.rows, self.blocks, bytes);
        let tag = self.context.tag(FOOTER_DOMAIN, &[&record.id, &record.tag, &footer]);
        footer.extend_from_slice(&tag);
        self.file
            .write_all_at(&footer, record.bytes)
            .map_err(|error| LogError::write(&self.name, error))?;
        self.file.sync_all().map_err(|error| LogError::io("sync", &self.name, error))?;
        self.context.sync_folder()?;
        record.bytes = bytes;
        record.tag = tag;
        Ok(self.record)
    }
}
