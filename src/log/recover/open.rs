//! Opening: reads the log without changing a byte.
//!
//! Implements LOG-6 to LOG-9 and MAN-5 to MAN-7. The end of every live segment but the last is named by
//! the next header; after a clean close the end mark names the end of the last one. Before a named end
//! every frame must be good. A last segment without a named end ends at the first bytes that are not a
//! frame. If a good frame follows them, they were a frame once, and the log is damaged.

use crate::env::Env;
use crate::log::authenticator::Authenticator;
use crate::log::error::LogError;
use crate::log::files::{FileKind, LogContext, Twin};
use crate::log::format::frame;
use crate::log::format::manifest::Manifest;
use crate::log::format::rows::RowVisitor;
use crate::log::format::snapshot::SnapshotReader;
use crate::log::format::tail::Tail;
use crate::log::options::LogOptions;
use crate::log::read::{SegmentInfo, WalkError, fall_back, find_row, read_truth, walk_named};
use crate::log::types::{End, Frame, RowFormat};
use crate::log::write::Log;
use crate::model::{Lsn, Tree};
use std::path::Path;
use std::sync::Arc;

/// The log as it was found: authenticated from the snapshot to the last frame. The caller may read it
/// any number of times; nothing on disk has changed yet.
pub struct Recovered {
    pub(crate) context: LogContext,
    pub(crate) options: LogOptions,
    pub(crate) twin: Twin,
    pub(crate) manifest: Manifest,
    /// The manifest must be written again before the log is used.
    pub(crate) unsettled: bool,
    /// A crash cannot have left files behind.
    pub(crate) swept: bool,
    pub(crate) segments: Vec<SegmentInfo>,
    pub(crate) tail: Tail,
    /// Offset of the last accepted frame, if it is in the last segment and no end mark covers it.
    pub(crate) last_frame: Option<u64>,
    notes: Vec<String>,
}

impl Log {
    /// Reads the log of the vault in `dir`. Changes nothing on disk.
    ///
    /// # Errors
    /// [`LogError::Damaged`] where something that exists once does not read back, with the proven
    /// end where there is one; [`LogError::NewerFormat`]; [`LogError::Io`].
    pub fn open(
        env: &Env,
        dir: &Path,
        vault: [u8; 16],
        auth: Arc<dyn Authenticator>,
        options: LogOptions,
    ) -> Result<Recovered, LogError> {
        let context = LogContext::new(env, dir, vault, auth, &options);
        let twin = Manifest::twin(&context);
        let manifest_file = twin.read()?;
        let manifest = Manifest::of_twin(&context, &manifest_file)?;
        let mut notes = Vec::new();
        if manifest_file.needs_repair {
            notes.push("one copy of the manifest is rewritten from the other".to_owned());
        }
        let walk = match read_truth(&context, &manifest, &manifest.snapshot) {
            Ok(walk) => (walk, false),
            Err(fault) => match fall_back(&context, &manifest, &fault) {
                Some(walk) => {
                    notes.push(format!("an older snapshot is used: {}", fault.error));
                    (walk, true)
                }
                None => return Err(fault.with_proof(&context, &manifest)),
            },
        };
        let (walk, fell_back) = walk;
        if walk.torn {
            notes.push("an unfinished write after the last frame is passed over".to_owned());
        }
        Ok(Recovered {
            context,
            options,
            twin,
            unsettled: manifest_file.needs_repair || fell_back || manifest.mark.is_none(),
            swept: true,
            last_frame: walk.last_frame.filter(|_| manifest.mark.is_none()),
            manifest: if fell_back { without_current(manifest) } else { manifest },
            segments: walk.segments,
            tail: walk.tail,
            notes,
        })
    }
}

impl Recovered {
    /// The last operation of the log and what is known there.
    pub fn end(&self) -> &End {
        &self.tail.end
    }

    /// Whether the vault was closed cleanly: the end mark is there and the log ends at it.
    pub fn clean(&self) -> bool {
        self.manifest.mark.is_some()
    }

    /// The last operation that the snapshot holds.
    pub fn snapshot_lsn(&self) -> Lsn {
        self.manifest.snapshot.tail.end.lsn
    }

    /// The format of its rows.
    pub fn row_format(&self) -> RowFormat {
        self.manifest.format
    }

    /// Bytes of the snapshot and of the frames after it.
    pub fn bytes(&self) -> u64 {
        let frames: u64 = self.segments.iter().map(SegmentInfo::frame_bytes).sum();
        self.manifest.snapshot.bytes.saturating_add(frames)
    }

    /// Rows in the snapshot.
    pub fn snapshot_rows(&self) -> u64 {
        self.manifest.snapshot.rows
    }

    /// The set digest of the snapshot's rows.
    pub fn snapshot_digest(&self) -> [u8; 32] {
        self.manifest.snapshot.tail.end.digest
    }

    /// What [`Self::start`] ignores or rewrites, for people to read.
    pub fn repair_notes(&self) -> Vec<String> {
        self.notes.clone()
    }

    /// Visits all rows of the snapshot in order of tree and key, each block authenticated before
    /// it is used, one block in memory. After an error the rows visited so far are not all.
    pub fn read_snapshot(&self, visit: &mut RowVisitor<'_>) -> Result<(), LogError> {
        let mut read = || -> Result<(), LogError> {
            let mut reader = SnapshotReader::open(&self.context, &self.manifest.snapshot)?;
            while let Some(row) = reader.next()? {
                visit(row.tree, reader.key(&row), reader.value(&row))?;
            }
            Ok(())
        };
        read().map_err(|error| error.proven(Some(self.tail.end.clone())))
    }

    /// One row of the snapshot, by its index: frames after it may have changed the row.
    // For the commands that read a vault without its state.
    #[cfg_attr(not(feature = "__internals"), allow(dead_code))]
    pub fn snapshot_row(&self, tree: Tree, key: &[u8]) -> Result<Option<Box<[u8]>>, LogError> {
        find_row(&self.context, &self.manifest.snapshot, tree, key)
            .map_err(|error| error.proven(Some(self.tail.end.clone())))
    }

    /// Visits, in order, the frames whose last LSN is above `after`; the first may begin at or
    /// below it. One frame in memory. `after` below the snapshot's LSN is refused: those frames
    /// may be gone.
    pub fn replay(
        &self,
        after: Lsn,
        visit: &mut dyn FnMut(Frame) -> Result<(), LogError>,
    ) -> Result<(), LogError> {
        if after < self.snapshot_lsn() {
            return Err(LogError::Refused { what: "replay from before the snapshot" });
        }
        for info in self.segments.iter().filter(|info| info.end.end.lsn > after) {
            walk_named(&self.context, info, &mut |segment, step| {
                if step.header.last <= after {
                    return Ok(());
                }
                let frame = frame::decode(&step.bytes, &step.header)
                    .map_err(|fault| fault.at(&segment.name, step.offset))?;
                let mut rows = frame.sets.iter().flat_map(|set| &set.rows);
                if rows.any(|row| !self.manifest.format.has(row.tree)) {
                    return Err(LogError::damaged(&segment.name, step.offset, "MAN-8"));
                }
                visit(frame)
            })
            .map_err(|error| error.proven(Some(self.tail.end.clone())))?;
        }
        Ok(())
    }

    /// The same log read from the snapshot before this one, if that is still kept: for a caller whose
    /// [`Self::read_snapshot`] found damage.
    ///
    /// # Errors
    /// The damage, if there is no older snapshot or it does not read back either.
    pub fn fall_back(self) -> Result<Self, LogError> {
        let file = FileKind::Snapshot.name(self.manifest.snapshot.number);
        let error = LogError::damaged(file, 0, "SNAP-4");
        let fault = WalkError::in_snapshot(error);
        let Some(walk) = fall_back(&self.context, &self.manifest, &fault) else {
            return Err(fault.error.proven(Some(self.tail.end.clone())));
        };
        let mut notes = self.notes;
        notes.push(format!("an older snapshot is used: {}", fault.error));
        // The end is the same place; the newer snapshot may have noted a later clock there.
        Ok(Self {
            manifest: without_current(self.manifest),
            segments: walk.segments,
            unsettled: true,
            notes,
            ..self
        })
    }
}

/// The manifest with the older snapshot in place of the damaged one. Its number stays used.
fn without_current(mut manifest: Manifest) -> Manifest {
    if let Some(previous) = manifest.previous.take() {
        manifest.snapshot = previous;
    }
    manifest
}
