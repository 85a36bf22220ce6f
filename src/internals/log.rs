//! What fuzz targets may look at: the parsers of the log's files one by one, and the means to put a
//! right MAC on what a fuzzer made up. No stability promise.

use crate::env::{Env, OpenMode};
use crate::log::authenticator::Authenticator;
use crate::log::error::LogError;
use crate::log::files::{LogContext, Twin};
use crate::log::format::frame::{FramePosition, Part, TAG_BYTES};
use crate::log::format::header_block::{HEADER_BYTES, seal_block};
use crate::log::format::manifest::{BODY_BYTES, Manifest};
use crate::log::format::rows::encode_row;
use crate::log::format::segment::{FRAMES_AT, Segment};
use crate::log::format::snapshot::{SnapshotReader, SnapshotRecord};
use crate::log::format::{frame, segment, snapshot, tail::Tail};
use crate::log::types::{End, RowFormat};
use crate::log::{options::LogOptions, recover::Recovered};
use crate::model::{Lsn, Tree};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// Frames begin and end on multiples of this.
pub const FRAME_ALIGN: usize = frame::ALIGN;
/// Bytes of a header block.
pub const BLOCK_BYTES: usize = HEADER_BYTES;

/// Where files are parsed: a folder, a vault and its keyed hashing.
pub struct Desk(LogContext);

/// A row as a snapshot has it.
pub type Row = (Tree, Vec<u8>, Vec<u8>);

/// Rows by tree and key.
pub type Rows = BTreeMap<(Tree, Vec<u8>), Vec<u8>>;

/// What a walk over a segment found.
pub struct Walked {
    /// The header, encoded again.
    pub header: Vec<u8>,
    /// The frames that follow the chain: as they stand in the file, and encoded again.
    pub frames: Vec<(Vec<u8>, Vec<u8>)>,
    /// Where they end.
    pub end: u64,
    /// Whether a good frame stands somewhere behind.
    pub more: bool,
}

impl Desk {
    /// A desk in `dir`.
    #[must_use]
    pub fn new(env: &Env, dir: &Path, vault: [u8; 16], auth: Arc<dyn Authenticator>) -> Self {
        Self(LogContext::new(env, dir, vault, auth, &LogOptions::default()))
    }

    /// The twin of the manifest.
    #[must_use]
    pub fn manifest_twin(&self) -> Twin {
        Manifest::twin(&self.0)
    }

    /// A manifest's body with these bytes in front and the right MAC.
    #[must_use]
    pub fn sealed_manifest(&self, fields: &[u8]) -> Vec<u8> {
        let mut body = fields.to_vec();
        body.resize(BODY_BYTES - TAG_BYTES, 0);
        let tag = self.0.tag(crate::log::format::manifest::domain(RowFormat::NEWEST), &[&body]);
        body.extend_from_slice(&tag);
        body
    }

    /// A manifest that was read, written again.
    pub fn manifest_again(&self, body: &[u8], generation: u64) -> Result<Vec<u8>, LogError> {
        Ok(Manifest::decode(&self.0, RowFormat::NEWEST.number(), body, generation)?.encode(&self.0))
    }

    /// A segment's header block with these bytes in front and the right MAC.
    #[must_use]
    pub fn sealed_segment_header(&self, fields: &[u8]) -> Vec<u8> {
        let fields = fields.get(..HEADER_BYTES - TAG_BYTES).unwrap_or(fields);
        seal_block(&self.0, segment::DOMAIN, fields.to_vec(), HEADER_BYTES)
    }

    /// A frame of these bytes (all but its MAC) with the right MAC.
    #[must_use]
    pub fn sealed_frame(&self, signed: &[u8]) -> Vec<u8> {
        let tag = self.0.tag(frame::DOMAIN, &[signed]);
        [signed, &tag].concat()
    }

    /// Walks segment `number` from its header to where no frame follows.
    pub fn walk(&self, number: u64) -> Result<Walked, LogError> {
        let context = &self.0;
        let segment = Segment::open(context, number, OpenMode::Read)?;
        let mut tail = segment.header.start();
        let mut frames = Vec::new();
        while let Ok(step) = segment.step(context, &tail, u64::MAX)? {
            let decoded = frame::decode(&step.bytes, &step.header)
                .map_err(|fault| fault.at(&segment.name, step.offset))?;
            let position = FramePosition { segment: segment.header.id, offset: step.offset };
            let (again, _) = frame::encode(context, &decoded, position, &tail.tag)?;
            tail = segment.tail_after(&step);
            frames.push((step.bytes, again));
        }
        let more = segment.scan(context, tail.offset)?.is_some();
        let header = segment.header.encode(context);
        Ok(Walked { header, frames, end: tail.offset, more })
    }

    /// A snapshot file of these blocks (row count and rows, encoded) with the right MACs.
    /// Also what the manifest would say of it.
    #[must_use]
    pub fn sealed_snapshot(
        &self,
        number: u64,
        id: [u8; 16],
        blocks: &[(u32, Vec<u8>)],
        rows: u64,
    ) -> (Vec<u8>, SnapshotName) {
        let end = End {
            lsn: Lsn(0),
            digest: self.0.auth.new_sum().digest(Lsn(0)),
            keystore_generation: 1,
            clock: crate::log::ClockNote::default(),
        };
        let tail = Tail { segment: 0, id: [0; 16], offset: 0, end, tag: [0; 32] };
        let (bytes, tag) = snapshot::sealed(&self.0, number, id, &tail, blocks, rows);
        let len = bytes.len() as u64;
        (bytes, SnapshotName(SnapshotRecord { number, id, rows, bytes: len, tag, tail }))
    }

    /// What the file itself says that the manifest should say of it.
    pub fn found_snapshot(&self, number: u64) -> Result<SnapshotName, LogError> {
        SnapshotReader::describe(&self.0, number).map(SnapshotName)
    }

    /// Reads a snapshot to its end.
    pub fn read_snapshot(&self, name: &SnapshotName) -> Result<Vec<Row>, LogError> {
        let mut reader = SnapshotReader::open(&self.0, &name.0)?;
        let mut rows = Vec::new();
        while let Some(row) = reader.next()? {
            rows.push((row.tree, reader.key(&row).to_vec(), reader.value(&row).to_vec()));
        }
        Ok(rows)
    }
}

/// A snapshot as a manifest names it.
pub struct SnapshotName(SnapshotRecord);

impl SnapshotName {
    /// How many rows it is said to have.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.0.rows
    }
}

/// One row as frames and snapshots have it; `None`: it is outside the format's limits.
#[must_use]
pub fn encoded_row(tree: Tree, key: &[u8], value: Option<&[u8]>) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    encode_row(tree, key, value, &mut bytes).then_some(bytes)
}

/// The offset of a segment's first frame.
pub const FIRST_FRAME: u64 = FRAMES_AT;

/// How many rows the sets of a sealed frame have.
#[must_use]
pub fn frame_rows(bytes: &[u8]) -> Option<usize> {
    let mut rows = 0;
    let visited = frame::visit_rows(bytes, &mut |part| {
        rows += usize::from(matches!(part, Part::Row(_)));
        Ok(())
    });
    visited.is_ok().then_some(rows)
}

/// What an open log holds: the snapshot, and the frames after it.
pub fn rows_of(found: &Recovered) -> Result<Rows, LogError> {
    let mut rows = Rows::new();
    found.read_snapshot(&mut |tree, key, value| {
        rows.insert((tree, key.to_vec()), value.to_vec());
        Ok(())
    })?;
    found.replay(found.snapshot_lsn(), &mut |frame| {
        for row in frame.sets.into_iter().flat_map(|set| set.rows) {
            match row.value {
                Some(value) => rows.insert((row.tree, row.key.into()), value.into()),
                None => rows.remove(&(row.tree, row.key.into())),
            };
        }
        Ok(())
    })?;
    Ok(rows)
}
