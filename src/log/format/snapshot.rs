//! Snapshots: all live rows at one LSN, sorted, in chained authenticated blocks.
//!
//! ```text
//! 0     header block 4096:  magic "SRSNAPS\n" 8 | format u32 | zero u32 | vault 16 | number u64
//!                           | id 16 | tail of the chain 144 | zeros | MAC 32
//! 4096  blocks:             payload length u32 | rows u32 | index u64 | payload | MAC 32
//! end-64  footer:           magic "SRSNEND\n" 8 | rows u64 | blocks u64 | file length u64 | MAC 32
//! ```
//!
//! Implements SNAP-1 to SNAP-8. Each block's MAC covers the one before it (the first: the
//! header's), the footer's covers the last: the footer's MAC, which the manifest holds, stands for
//! the whole file. A payload is at most 64 KiB of rows, or a single longer row.

use crate::codec::{CodecError, Reader};
use crate::env::{File, OpenMode};
use crate::log::LogError;
use crate::log::files::{self, Kind, Place};
use crate::log::format::frame::{self, TAG_BYTES, VALUE_BYTES_MAX};
use crate::log::format::manifest::SnapshotRecord;
use crate::log::format::segment::{self, FORMAT, HEADER_BYTES, Tail};
use crate::model::Tree;
use std::ops::Range;
use std::sync::Arc;

const MAGIC: [u8; 8] = *b"SRSNAPS\n";
const FOOTER_MAGIC: [u8; 8] = *b"SRSNEND\n";
const FOOTER_BYTES: usize = 64;
const BLOCK_HEADER_BYTES: usize = 16;
/// Most bytes of rows in a block that holds more than one row.
const PAYLOAD_BYTES: usize = 64 << 10;
/// Most bytes of a block's rows: one row of the longest kind.
const PAYLOAD_BYTES_MAX: usize = VALUE_BYTES_MAX + 1024;
const DOMAIN: &str = "strongroom/log/snapshot/v1";
const BLOCK_DOMAIN: &str = "strongroom/log/snapshot-block/v1";
const FOOTER_DOMAIN: &str = "strongroom/log/snapshot-end/v1";

/// Writes one snapshot from front to back.
pub(crate) struct SnapshotWriter {
    place: Place,
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
    pub(crate) fn create(place: &Place, number: u64, tail: Tail) -> Result<Self, LogError> {
        let name = Kind::Snapshot.name(number);
        place.remove(Kind::Snapshot, number)?;
        let file = place
            .fs()
            .open(&place.path(Kind::Snapshot, number), OpenMode::CreateNew)
            .map_err(|error| LogError::write(&name, error))?;
        let id = place.random()?;
        let header = header(place, number, &id, &tail);
        file.write_all_at(&header, 0).map_err(|error| LogError::write(&name, error))?;
        let bytes = HEADER_BYTES as u64;
        let record = SnapshotRecord { number, id, rows: 0, bytes, tag: last_tag(&header), tail };
        Ok(Self {
            place: place.clone(),
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
        if !frame::encode_row(tree, key, Some(value), &mut self.payload) {
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
        let tag = self.place.tag(BLOCK_DOMAIN, &[&record.id, &record.tag, &block]);
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

    /// Writes the footer, syncs file and folder, and says what the manifest is to hold.
    pub(crate) fn finish(mut self) -> Result<SnapshotRecord, LogError> {
        self.flush_block()?;
        let record = &mut self.record;
        let bytes = record.bytes + FOOTER_BYTES as u64;
        let mut footer = footer_fields(record.rows, self.blocks, bytes);
        let tag = self.place.tag(FOOTER_DOMAIN, &[&record.id, &record.tag, &footer]);
        footer.extend_from_slice(&tag);
        self.file
            .write_all_at(&footer, record.bytes)
            .map_err(|error| LogError::write(&self.name, error))?;
        self.file.sync_all().map_err(|error| LogError::io("sync", &self.name, error))?;
        self.place.sync_folder()?;
        record.bytes = bytes;
        record.tag = tag;
        Ok(self.record)
    }
}

fn footer_fields(rows: u64, blocks: u64, bytes: u64) -> Vec<u8> {
    let mut footer = Vec::with_capacity(FOOTER_BYTES);
    footer.extend_from_slice(&FOOTER_MAGIC);
    for number in [rows, blocks, bytes] {
        footer.extend_from_slice(&number.to_le_bytes());
    }
    footer
}

fn last_tag(bytes: &[u8]) -> [u8; 32] {
    bytes.last_chunk().copied().unwrap_or_default()
}

fn header(place: &Place, number: u64, id: &[u8; 16], tail: &Tail) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER_BYTES);
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&FORMAT.to_le_bytes());
    bytes.extend_from_slice(&[0; 4]);
    bytes.extend_from_slice(&place.vault);
    bytes.extend_from_slice(&number.to_le_bytes());
    bytes.extend_from_slice(id);
    tail.encode(&mut bytes);
    segment::seal_block(place, DOMAIN, bytes, HEADER_BYTES)
}

/// A whole file of these blocks (row count and rows) with the right MACs, whatever they are, and the
/// footer's MAC: what lies behind the MACs is to be fuzzed.
#[cfg(feature = "__internals")]
pub(crate) fn sealed(
    place: &Place,
    number: u64,
    id: [u8; 16],
    tail: &Tail,
    blocks: &[(u32, Vec<u8>)],
    rows: u64,
) -> (Vec<u8>, [u8; 32]) {
    let mut bytes = header(place, number, &id, tail);
    let mut chain = last_tag(&bytes);
    for (index, (count, payload)) in (0_u64..).zip(blocks) {
        let len = u32::try_from(payload.len()).unwrap_or(u32::MAX);
        let mut block = len.to_le_bytes().to_vec();
        block.extend_from_slice(&count.to_le_bytes());
        block.extend_from_slice(&index.to_le_bytes());
        block.extend_from_slice(payload);
        chain = place.tag(BLOCK_DOMAIN, &[&id, &chain, &block]);
        bytes.append(&mut block);
        bytes.extend_from_slice(&chain);
    }
    let len = (bytes.len() + FOOTER_BYTES) as u64;
    let fields = footer_fields(rows, blocks.len() as u64, len);
    let tag = place.tag(FOOTER_DOMAIN, &[&id, &chain, &fields]);
    bytes.extend_from_slice(&fields);
    bytes.extend_from_slice(&tag);
    (bytes, tag)
}

/// Reads one snapshot from front to back; every block's MAC is checked before it is used.
pub(crate) struct SnapshotReader {
    place: Place,
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
    pub(crate) fn open(place: &Place, record: &SnapshotRecord) -> Result<Self, LogError> {
        let name = Kind::Snapshot.name(record.number);
        let file = place.open_existing(Kind::Snapshot, record.number, OpenMode::Read, "SNAP-1")?;
        let len = file.len().map_err(|error| LogError::io("stat", &name, error))?;
        let header = files::read_up_to(file.as_ref(), &name, HEADER_BYTES, 0)?;
        let mut fields =
            segment::open_block(place, DOMAIN, MAGIC, &header, &name, ["SNAP-2", "SNAP-3"])?;
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
            place: place.clone(),
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

    /// What a manifest would say of snapshot `number`, as the file itself has it. Authenticated only
    /// when it has been read to its end under this record.
    pub(crate) fn describe(place: &Place, number: u64) -> Result<SnapshotRecord, LogError> {
        let name = Kind::Snapshot.name(number);
        let file = place.open_existing(Kind::Snapshot, number, OpenMode::Read, "SNAP-1")?;
        let bytes = file.len().map_err(|error| LogError::io("stat", &name, error))?;
        let header = files::read_up_to(file.as_ref(), &name, HEADER_BYTES, 0)?;
        let mut fields =
            segment::open_block(place, DOMAIN, MAGIC, &header, &name, ["SNAP-2", "SNAP-3"])?;
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

    /// The next row; `None` at the end, once everything read has been shown to be all of it.
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
        let (tree, key, value_len) = frame::row_front(&mut reader)?;
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
        let tag = self.place.tag(BLOCK_DOMAIN, &[&self.record.id, &self.chain, signed]);
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
        let tag = self.place.tag(FOOTER_DOMAIN, &[&self.record.id, &self.chain, &fields]);
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
