//! Creation, and healing: the two ways to begin a chain of frames.

use crate::env::Env;
use crate::env::faults::Fault;
use crate::log::compact::read_back;
use crate::log::files::{self, FOLDER, Kind, Place};
use crate::log::format::manifest::{Manifest, SnapshotRecord};
use crate::log::format::segment::Tail;
use crate::log::format::snapshot::SnapshotWriter;
use crate::log::{Authenticator, ClockNote, End, Log, LogError, LogOptions, Recovered};
use crate::model::{Lsn, Tree};
use std::io;
use std::path::Path;
use std::sync::Arc;

/// Takes one row: tree, key, value.
pub type RowVisitor<'a> = dyn FnMut(Tree, &[u8], &[u8]) -> Result<(), LogError> + 'a;
/// Hands every live row, in rising order of tree and key, to the visitor it is given.
pub type Rows<'a> = dyn FnMut(&mut RowVisitor<'_>) -> Result<(), LogError> + 'a;

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
        let place = Place::new(env, dir, vault, auth, &options);
        clear_folder(&place)?;
        let digest = place.auth.new_sum().digest(Lsn(0));
        let end = End { lsn: Lsn(0), digest, keystore_generation, clock };
        let tail = Tail { segment: 0, id: [0; 16], offset: 0, end, tag: [0; 32] };
        let snapshot = SnapshotWriter::create(&place, 0, tail.clone())?.finish()?;
        let manifest = Manifest {
            generation: 1,
            first: 1,
            last: 0,
            next_snapshot: 1,
            snapshot,
            previous: None,
            mark: None,
        };
        let twin = Manifest::twin(&place);
        twin.create(manifest.generation, &manifest.encode(&place))?;
        let mut log = Self::assemble(place, options, twin, manifest, tail);
        log.begin_first_segment()?;
        Ok(log)
    }

    /// Replaces damaged truth by a snapshot of `rows`, which must be exactly the rows at `end`.
    ///
    /// The proof is not taken from the caller: the log is read again, and `end` must be the end
    /// that it proves. Nothing is replaced unless the rows' digest, recomputed from the new
    /// snapshot as read back, is that end's. Damaged files are moved aside (`*.damaged`).
    ///
    /// # Errors
    /// The damage itself, if it does not prove `end`; [`LogError::Refused`] or
    /// [`LogError::Damaged`] with rule SNAP-7, if the rows are not the ones.
    pub fn heal(
        env: &Env,
        dir: &Path,
        vault: [u8; 16],
        auth: Arc<dyn Authenticator>,
        options: LogOptions,
        end: End,
        rows: &mut Rows<'_>,
    ) -> Result<Recovered, LogError> {
        let place = Place::new(env, dir, vault, Arc::clone(&auth), &options);
        let damaged_file = match find_damage(&place, &options)? {
            (Some(proven), file) if proven.same_point(&end) => file,
            (Some(_), file) if options.faults.active(Fault::RepairFromLagging) => file,
            (_, Some(file)) => return Err(LogError::damaged(file, 0, "MAN-6")),
            (_, None) => return Err(LogError::Refused { what: "nothing proves this end" }),
        };
        let twin = Manifest::twin(&place);
        let content = twin.read()?;
        let old = Manifest::decode(&place, &content.body, content.generation)?;
        let newest = |kind| Ok::<_, LogError>(place.numbers(kind)?.last().copied().unwrap_or(0));
        let covered = old.last.max(newest(Kind::Segment)?).max(newest(Kind::Preparing)?);
        let number = old.next_snapshot.max(newest(Kind::Snapshot)?.saturating_add(1));
        let tail = Tail { segment: covered, id: [0; 16], offset: 0, end, tag: place.random()? };
        let snapshot = write_rows(&place, number, tail.clone(), rows)?;
        if let Some(file) = damaged_file {
            move_aside(&place, &file)?;
        }
        let manifest = Manifest {
            generation: content.generation + 1,
            first: covered.saturating_add(1),
            last: covered,
            next_snapshot: number.saturating_add(1),
            snapshot,
            previous: None,
            mark: old.mark.map(|_| tail),
        };
        twin.write(manifest.generation, &manifest.encode(&place))?;
        Self::open(env, dir, vault, auth, options)
    }
}

/// The end that the truth proves in spite of its damage, and the damaged file if it is of the log.
fn find_damage(
    place: &Place,
    options: &LogOptions,
) -> Result<(Option<End>, Option<String>), LogError> {
    let Place { env, dir, vault, auth, .. } = place;
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

pub(in crate::log) fn write_rows(
    place: &Place,
    number: u64,
    tail: Tail,
    rows: &mut Rows<'_>,
) -> Result<SnapshotRecord, LogError> {
    let written = (|| {
        let mut writer = SnapshotWriter::create(place, number, tail)?;
        rows(&mut |tree, key, value| writer.push(tree, key, value))?;
        let record = writer.finish()?;
        read_back(place, &record)?;
        Ok(record)
    })();
    if written.is_err() {
        // Never named: the next attempt overwrites what is left.
        let _ = place.remove(Kind::Snapshot, number);
    }
    written
}

pub(in crate::log) fn move_aside(place: &Place, file: &str) -> Result<(), LogError> {
    let from = place.dir.join(file);
    let to = place.dir.join(format!("{file}.damaged"));
    match place.fs().rename(&from, &to) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(LogError::io("rename", file, error))
        }
        _ => place.sync_folder(),
    }
}

/// Makes the log's folder, or empties it of what we could have written.
fn clear_folder(place: &Place) -> Result<(), LogError> {
    match place.fs().create_dir(&place.folder()) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(LogError::write(FOLDER, error));
        }
        _ => (),
    }
    for kind in [Kind::Segment, Kind::Snapshot, Kind::Preparing] {
        for number in place.numbers(kind)? {
            place.remove(kind, number)?;
        }
    }
    place.sync_folder()?;
    files::sync_dir_and_parent(place.fs(), &place.dir)
}
