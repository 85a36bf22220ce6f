//! A log that holds given rows and nothing else: a snapshot, and the manifest for it.

use crate::log::error::LogError;
use crate::log::files::{FileKind, LogContext};
use crate::log::format::manifest::Manifest;
use crate::log::format::rows::Rows;
use crate::log::format::tail::Tail;
use crate::log::read::write_verified;
use crate::log::types::{End, RowFormat};

/// What the new log follows.
pub(crate) struct Before {
    /// The generation of the manifest.
    pub(crate) generation: u64,
    /// The newest segment that it names.
    pub(crate) last: u64,
    /// The number of the new snapshot. No manifest has named it.
    pub(crate) snapshot: u64,
}

/// Writes the rows at `end` as a snapshot, syncs it, reads it back and compares its digest. Returns the
/// manifest that names it and nothing else, without an end mark. It is not written yet, so nothing of the log
/// has changed.
pub(crate) fn write_anew(
    context: &LogContext,
    before: &Before,
    format: RowFormat,
    end: End,
    rows: &mut Rows<'_>,
) -> Result<Manifest, LogError> {
    let newest = context.newest(FileKind::Segment)?.max(context.newest(FileKind::Preparing)?);
    let covered = before.last.max(newest);
    let tail = Tail { segment: covered, id: [0; 16], offset: 0, end, tag: context.random()? };
    Ok(Manifest {
        format,
        generation: before.generation.saturating_add(1),
        first: covered.saturating_add(1),
        last: covered,
        next_snapshot: before.snapshot.saturating_add(1),
        snapshot: write_verified(context, before.snapshot, tail, format, rows)?,
        previous: None,
        mark: None,
    })
}

/// A number for a snapshot that is above all files, whatever the manifest says.
pub(crate) fn unused_snapshot(context: &LogContext, next: u64) -> Result<u64, LogError> {
    Ok(next.max(context.newest(FileKind::Snapshot)?.saturating_add(1)))
}
