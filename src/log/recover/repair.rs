//! Repair: replaces a damaged log by a snapshot of rows that are proven to be right.

use crate::env::Env;
use crate::env::faults::Fault;
use crate::log::authenticator::Authenticator;
use crate::log::error::LogError;
use crate::log::files::{FOLDER, LogContext};
use crate::log::format::manifest::Manifest;
use crate::log::format::rows::Rows;
use crate::log::options::LogOptions;
use crate::log::recover::Recovered;
use crate::log::types::End;
use crate::log::write::{Before, Log, unused_snapshot, write_anew};
use std::path::Path;
use std::sync::Arc;

impl Log {
    /// Replaces a damaged log by a snapshot of `rows`, which must be exactly the rows at `end`.
    ///
    /// The caller's word is not trusted: the log is read again, and `end` must be the end that it
    /// proves. Nothing is replaced unless the digest of the rows, recomputed from the new snapshot as
    /// read back, is that of the end. Damaged files are moved aside (`*.damaged`).
    ///
    /// # Errors
    /// The damage itself, if it does not prove `end`; [`LogError::Refused`] or
    /// [`LogError::Damaged`] with rule SNAP-7, if the rows are not the ones.
    pub fn repair(
        env: &Env,
        dir: &Path,
        vault: [u8; 16],
        auth: Arc<dyn Authenticator>,
        options: LogOptions,
        end: End,
        rows: &mut Rows<'_>,
    ) -> Result<Recovered, LogError> {
        let context = LogContext::new(env, dir, vault, Arc::clone(&auth), &options);
        let damaged_file = match find_damage(&context, &options)? {
            (Some(proven), file) if proven.same_point(&end) => file,
            (Some(_), file) if options.faults.active(Fault::RepairFromLagging) => file,
            (_, Some(file)) => return Err(LogError::damaged(file, 0, "MAN-6")),
            (_, None) => return Err(LogError::Refused { what: "nothing proves this end" }),
        };
        let twin = Manifest::twin(&context);
        let manifest_file = twin.read()?;
        let old = Manifest::of_twin(&context, &manifest_file)?;
        let before = Before {
            generation: manifest_file.generation,
            last: old.last,
            snapshot: unused_snapshot(&context, old.next_snapshot)?,
        };
        let mut manifest = write_anew(&context, &before, old.format, end, rows)?;
        manifest.mark = old.mark.map(|_| manifest.snapshot.tail.clone());
        if let Some(file) = damaged_file {
            context.move_aside(&file)?;
        }
        manifest.write(&context, &twin)?;
        Self::open(env, dir, vault, auth, options)
    }
}

/// The end that the log proves in spite of its damage, and the damaged file if it is in its folder.
fn find_damage(
    context: &LogContext,
    options: &LogOptions,
) -> Result<(Option<End>, Option<String>), LogError> {
    let LogContext { env, dir, vault, auth, .. } = context;
    let found = Log::open(env, dir, *vault, Arc::clone(auth), options.clone()).and_then(|found| {
        found.read_snapshot(&mut |_, _, _| Ok(()))?;
        found.replay(found.snapshot_lsn(), &mut |_| Ok(()))?;
        Ok(found.end().clone())
    });
    match found {
        Ok(end) => Ok((Some(end), None)),
        Err(LogError::Damaged(damage)) => {
            let file = damage.file.starts_with(FOLDER).then_some(damage.file);
            Ok((damage.proven_end, file))
        }
        Err(error) => Err(error),
    }
}
