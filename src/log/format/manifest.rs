//! The manifest: which snapshot, which segments, and where a clean close ended.
//!
//! ```text
//! body = vault 16 | generation u64 | first u64 | last u64 | next snapshot u64
//!      | snapshot 216 | has previous u8 | previous snapshot or zeros 216
//!      | has mark u8 | end mark (tail) or zeros 144
//!      | reserved in format 2: has state u8, hash of the state's files 32, head of an audit chain
//!        (segment u64, sequence u64, MAC 32), anchor 64; all zero
//!      | zeros | MAC 32
//! snapshot record = number u64 | id 16 | rows u64 | bytes u64 | footer MAC 32 | tail 144
//! ```
//!
//! It is a twin (`manifest.a`, `manifest.b`) and authenticated. Implements MAN-1 to MAN-8. Its format, in the
//! header of the twin, is the format of all rows of the log. The MAC's domain names it too, so that a changed
//! number does not go unnoticed.
//!
//! - **M1** The number of a segment is durable in both copies before its first frame. If a segment that
//!   the manifest names is missing, short or without its header, that is damage and never the end.
//! - **M2** The end mark is removed from both copies before the next frame is written.
//! - **M3** A number that the manifest has named is never used for another file.

use crate::codec::{CodecError, Reader};
use crate::env::Fs;
use crate::log::error::LogError;
use crate::log::files;
use crate::log::files::{LogContext, TWIN_HEADER_BYTES, Twin, TwinContent};
use crate::log::format::frame::TAG_BYTES;
use crate::log::format::snapshot::SnapshotRecord;
use crate::log::format::tail::Tail;
use crate::log::types::{End, RowFormat};
use std::path::Path;
use std::sync::Arc;

const _: () = assert!(SnapshotRecord::BYTES == 216 && Tail::BYTES == 144, "frozen in format 1");

/// Both copies are one page long.
pub(crate) const BODY_BYTES: usize = 4096 - TWIN_HEADER_BYTES;

/// The domain of a manifest's MAC.
pub(crate) fn domain(format: RowFormat) -> &'static str {
    match format {
        RowFormat::One => "strongroom/log/manifest/v1",
        RowFormat::Two => "strongroom/log/manifest/v2",
    }
}

/// What the manifest says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Manifest {
    /// The format of all rows of the log.
    pub(crate) format: RowFormat,
    pub(crate) generation: u64,
    /// The oldest segment that is still kept.
    pub(crate) first: u64,
    /// The newest segment that may hold frames; below `first` if there is none.
    pub(crate) last: u64,
    /// The number that the next snapshot takes.
    pub(crate) next_snapshot: u64,
    pub(crate) snapshot: SnapshotRecord,
    /// The snapshot before, kept with the segments after it until the state is past the new one.
    pub(crate) previous: Option<SnapshotRecord>,
    /// Where a clean close ended.
    pub(crate) mark: Option<Tail>,
}

impl Manifest {
    /// The twin that holds manifests of the vault at `place`.
    pub(crate) fn twin(context: &LogContext) -> Twin {
        Self::twin_in(&context.env.fs, &context.dir).of_vault(0, context.vault)
    }

    pub(crate) fn twin_in(fs: &Arc<dyn Fs>, dir: &Path) -> Twin {
        let newest = RowFormat::NEWEST.number();
        Twin::new(Arc::clone(fs), dir, "manifest", BODY_BYTES, newest)
            .since(RowFormat::One.number())
    }

    /// Writes it into both copies of its twin.
    pub(crate) fn write(&self, context: &LogContext, twin: &Twin) -> Result<(), LogError> {
        twin.write_as(self.format.number(), self.generation, &self.encode(context))
    }

    /// Makes the twin with it.
    pub(crate) fn create(&self, context: &LogContext, twin: &Twin) -> Result<(), LogError> {
        twin.create_as(self.format.number(), self.generation, &self.encode(context))
    }

    /// What a twin holds, decoded.
    pub(crate) fn of_twin(context: &LogContext, found: &TwinContent) -> Result<Self, LogError> {
        Self::decode(context, found.format, &found.body, found.generation)
    }

    /// The vault that every readable copy of the manifest in `dir` names; not authenticated.
    pub(crate) fn named_vault(fs: &Arc<dyn Fs>, dir: &Path) -> Option<[u8; 16]> {
        let copies = Self::twin_in(fs, dir).copies().ok()?;
        let mut named = copies.iter().map(|copy| copy.body.first_chunk::<16>().copied());
        let first = named.next()??;
        named.all(|other| other == Some(first)).then_some(first)
    }

    pub(crate) fn encode(&self, context: &LogContext) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(BODY_BYTES);
        bytes.extend_from_slice(&context.vault);
        for number in [self.generation, self.first, self.last, self.next_snapshot] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        self.snapshot.encode(&mut bytes);
        bytes.push(u8::from(self.previous.is_some()));
        let end = bytes.len() + SnapshotRecord::BYTES;
        if let Some(previous) = &self.previous {
            previous.encode(&mut bytes);
        }
        bytes.resize(end, 0);
        bytes.push(u8::from(self.mark.is_some()));
        if let Some(mark) = &self.mark {
            mark.encode(&mut bytes);
        }
        bytes.resize(BODY_BYTES - TAG_BYTES, 0);
        let tag = context.tag(domain(self.format), &[&bytes]);
        bytes.extend_from_slice(&tag);
        bytes
    }

    /// Reads a body whose checksum is good. A bad MAC is damage or tampering; the other copy is not
    /// tried (TW1).
    pub(crate) fn decode(
        context: &LogContext,
        format: u32,
        body: &[u8],
        generation: u64,
    ) -> Result<Self, LogError> {
        let damaged = |rule| LogError::damaged("manifest.a", 0, rule);
        let format = RowFormat::of(format).ok_or_else(|| damaged("MAN-8"))?;
        let (signed, tag) = body.split_last_chunk::<TAG_BYTES>().ok_or_else(|| damaged("MAN-1"))?;
        if !files::same_tag(&context.tag(domain(format), &[signed]), tag) {
            return Err(damaged("MAN-2"));
        }
        let manifest = decode_fields(signed, format).map_err(|CodecError| damaged("MAN-3"))?;
        let same = manifest.generation == generation && manifest.is_consistent();
        if same && manifest.encode(context) == body { Ok(manifest) } else { Err(damaged("MAN-3")) }
    }

    /// MAN-4: the numbers fit together.
    fn is_consistent(&self) -> bool {
        let covered = self.snapshot.tail.segment;
        self.last >= covered
            && self.first >= 1
            && self.first <= covered.saturating_add(1)
            && self.snapshot.number < self.next_snapshot
            && self.previous.as_ref().is_none_or(|previous| {
                previous.number < self.snapshot.number
                    && previous.tail.segment <= covered
                    && previous.tail.end.lsn <= self.snapshot.tail.end.lsn
                    && self.first <= previous.tail.segment.saturating_add(1)
            })
            && self.mark.as_ref().is_none_or(|mark| {
                mark.segment == self.last && mark.end.lsn >= self.snapshot.tail.end.lsn
            })
    }

    /// The last LSN and digest, if the manifest alone proves them: by an end mark, or because no segment
    /// follows the snapshot, so that by M1 no frame can exist.
    pub(crate) fn proven_end(&self) -> Option<End> {
        match &self.mark {
            Some(mark) => Some(mark.end.clone()),
            None if self.last == self.snapshot.tail.segment => Some(self.snapshot.tail.end.clone()),
            None => None,
        }
    }
}

/// What format 2 reserves after the end mark is part of the zeros that the canonical encoding demands.
fn decode_fields(signed: &[u8], format: RowFormat) -> Result<Manifest, CodecError> {
    let mut reader = Reader::new(signed);
    reader.take(16)?;
    let generation = reader.u64()?;
    let first = reader.u64()?;
    let last = reader.u64()?;
    let next_snapshot = reader.u64()?;
    let snapshot = SnapshotRecord::decode(&mut reader)?;
    let has_previous = flag(&mut reader)?;
    let mut record = Reader::new(reader.take(SnapshotRecord::BYTES)?);
    let previous = has_previous.then(|| SnapshotRecord::decode(&mut record)).transpose()?;
    let has_mark = flag(&mut reader)?;
    let mut record = Reader::new(reader.take(Tail::BYTES)?);
    let mark = has_mark.then(|| Tail::decode(&mut record)).transpose()?;
    Ok(Manifest { format, generation, first, last, next_snapshot, snapshot, previous, mark })
}

fn flag(reader: &mut Reader<'_>) -> Result<bool, CodecError> {
    match reader.u8()? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(CodecError),
    }
}
