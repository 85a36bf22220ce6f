//! Creating the log of a new vault.

use crate::env::Env;
use crate::log::authenticator::Authenticator;
use crate::log::error::LogError;
use crate::log::files;
use crate::log::files::{FOLDER, FileKind, LogContext};
use crate::log::format::manifest::Manifest;
use crate::log::format::snapshot::SnapshotWriter;
use crate::log::format::tail::Tail;
use crate::log::options::LogOptions;
use crate::log::types::{ClockNote, End, RowFormat};
use crate::log::write::Log;
use crate::model::Lsn;
use std::io;
use std::path::Path;
use std::sync::Arc;

impl Log {
    /// Makes the log of a new vault in the existing folder `dir`: an empty snapshot, the first
    /// segment of real zeros, the manifest, everything synced. What an unfinished creation left is
    /// removed first: the caller has made sure that no finished vault is here.
    pub fn create(
        env: &Env,
        dir: &Path,
        vault: [u8; 16],
        auth: Arc<dyn Authenticator>,
        options: LogOptions,
        keystore_generation: u64,
        clock: ClockNote,
    ) -> Result<Self, LogError> {
        let context = LogContext::new(env, dir, vault, auth, &options);
        clear_folder(&context)?;
        let digest = context.auth.new_sum().digest(Lsn(0));
        let end = End { lsn: Lsn(0), digest, keystore_generation, clock };
        let tail = Tail { segment: 0, id: [0; 16], offset: 0, end, tag: [0; 32] };
        let format = RowFormat::NEWEST;
        let snapshot = SnapshotWriter::create(&context, 0, tail.clone(), format)?.finish()?;
        let manifest = Manifest {
            format,
            generation: 1,
            first: 1,
            last: 0,
            next_snapshot: 1,
            snapshot,
            previous: None,
            mark: None,
        };
        let twin = Manifest::twin(&context);
        manifest.create(&context, &twin)?;
        let mut log = Self::assemble(context, options, twin, manifest, tail);
        log.begin_first_segment()?;
        Ok(log)
    }
}

/// Makes the log's folder, or empties it of what we could have written.
fn clear_folder(context: &LogContext) -> Result<(), LogError> {
    match context.fs().create_dir(&context.folder()) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(LogError::write(FOLDER, error));
        }
        _ => (),
    }
    for kind in [FileKind::Segment, FileKind::Snapshot, FileKind::Preparing] {
        for number in context.numbers(kind)? {
            context.remove(kind, number)?;
        }
    }
    context.sync_folder()?;
    files::sync_dir_and_parent(context.fs(), &context.dir)
}
