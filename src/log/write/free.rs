//! Freeing files: a newer snapshot, read back and verified, and a durable state replace them.
//!
//! First both copies of the manifest stop naming a file, durably; only then is it removed or reused. Up
//! to two freed segments of the size that is wanted next stay in the folder under their old names, and
//! the next preparation reuses them.

use crate::env::faults::Fault;
use crate::log::error::LogError;
use crate::log::files::FileKind;
use crate::log::format::snapshot::SnapshotRecord;
use crate::log::write::Log;
use crate::log::write::prepare::Stage;
use crate::model::Lsn;

/// Files kept ready for the segments to come, a prepared one included.
const SPARES_MAX: usize = 2;

impl Log {
    /// Frees older snapshots and the segments that the newest covers, if the state is durable up
    /// to `state_durable`, at or past that snapshot (I6). The caller makes sure that nobody is
    /// reading them (a rebuild, a check).
    pub fn free(&mut self, state_durable: Lsn) -> Result<(), LogError> {
        self.check_not_poisoned()?;
        let reached = |record: &SnapshotRecord| {
            state_durable >= record.tail.end.lsn
                || self.options.faults.active(Fault::FreeBeforeReadBack)
        };
        let manifest = &self.manifest;
        let current = Some(&manifest.snapshot).filter(|record| reached(record));
        let older = manifest.previous.as_ref().filter(|record| reached(record));
        let Some(base) = current.or(older) else { return Ok(()) };
        let first = base.tail.segment.saturating_add(1);
        let drops_previous = current.is_some() && manifest.previous.is_some();
        if first > manifest.first || drops_previous || !self.manifest_durable {
            self.manifest.first = self.manifest.first.max(first);
            if drops_previous {
                self.manifest.previous = None;
            }
            self.flush_manifest()?;
        }
        self.sweep()
    }

    /// Whether [`Self::free`] has something to free once the state is durable far enough.
    pub fn has_garbage(&self) -> bool {
        self.manifest.previous.is_some()
            || self.manifest.first <= self.manifest.snapshot.tail.segment
    }

    /// Removes files that the manifest does not name and that will not be reused.
    pub(crate) fn sweep(&mut self) -> Result<(), LogError> {
        if self.remove_unnamed()? {
            let synced = self.context.sync_folder();
            self.poison_unless_undone(synced)?;
        }
        Ok(())
    }

    fn remove_unnamed(&mut self) -> Result<bool, LogError> {
        let mut removed = false;
        let manifest = &self.manifest;
        let compacting = self.compacting.strong_count() > 0;
        for number in self.context.numbers(FileKind::Snapshot)? {
            let named = number == manifest.snapshot.number
                || manifest.previous.as_ref().is_some_and(|previous| previous.number == number)
                || (compacting && number == manifest.next_snapshot);
            if !named {
                self.context.remove(FileKind::Snapshot, number)?;
                removed = true;
            }
        }
        let (preparing, source) = {
            let progress = self.preparing.lock();
            (matches!(progress.stage, Stage::Running { .. }), progress.source)
        };
        for number in self.context.numbers(FileKind::Preparing)? {
            // A preparation that the log did not wait for may still be writing. It removes its own file.
            if !preparing {
                self.context.remove(FileKind::Preparing, number)?;
                removed = true;
            }
        }
        let next = manifest.last.saturating_add(1);
        let (first, last) = (manifest.first, manifest.last);
        self.find_spares()?;
        let spares = self.preparing.lock().spares.clone();
        for number in self.context.numbers(FileKind::Segment)? {
            let keep = (first..=last).contains(&number)
                || number == next
                || source == Some(number)
                || spares.contains(&number);
            if !keep {
                self.context.remove(FileKind::Segment, number)?;
                removed = true;
            }
        }
        Ok(removed)
    }

    /// Chooses the segments to keep for reuse among those below the first live one. The manifest on
    /// disk no longer names them.
    pub(crate) fn find_spares(&mut self) -> Result<(), LogError> {
        let wanted = self.wanted_capacity();
        let numbers = self.context.numbers(FileKind::Segment)?;
        let mut progress = self.preparing.lock();
        let in_use = usize::from(progress.stage != Stage::Idle);
        let mut spares = Vec::new();
        for number in numbers {
            let room = spares.len() + in_use < SPARES_MAX;
            let freed = number < self.manifest.first && progress.source != Some(number);
            if room && freed && self.context.len(FileKind::Segment, number)? == Some(wanted) {
                spares.push(number);
            }
        }
        progress.spares = spares;
        Ok(())
    }
}
