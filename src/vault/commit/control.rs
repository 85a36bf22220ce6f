//! What the commit pipeline does between batches: it rebuilds the state, repairs and compacts the log, and
//! closes.

use super::pipeline::Pipeline;
use crate::crypto::Keyring;
use crate::env::Clock;
use crate::error::{Error, ErrorKind, Result};
use crate::log::{Compacted, Compaction, Log, LogError, Preparation, Recovered, RowVisitor};
use crate::model::Lsn;
use crate::store::guard::ASIDE_DIR;
use crate::vault::error::is_snapshot_damage;
use crate::vault::log_keys::{LogKeys, clock_note};
use crate::vault::runtime::status::Status;
use crate::vault::state::compare::{equals, visit_rows};
use crate::vault::state::opener::{Opened, StateOpener};
use crate::vault::state::serving::State;
use std::sync::Arc;

/// The most live bytes in a state that is rebuilt only because its file is too large.
const SHRINK_LIVE_BYTES_MAX: u64 = 64 << 20;
/// Bytes that sled's files take even when almost empty.
const SHRINK_SLACK_BYTES: u64 = 8 << 20;

/// When a compaction begins.
#[derive(Clone, Copy)]
pub(crate) enum Wanted {
    /// Now.
    Always,
    /// If the log has grown by as much as it has.
    IfDue,
    /// If it has grown by more, for a vault under load on a disk with space.
    IfOverdue,
}

impl Pipeline {
    pub(crate) fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.shared.env.clock)
    }

    /// The state for a batch. A broken one is rebuilt first.
    pub(crate) fn state(&mut self) -> Result<Arc<State>> {
        if self.shared.state.is_broken() {
            self.rebuild_state()?;
        }
        self.shared.state()
    }

    /// Rebuilds a state whose file has grown far beyond its live rows, because sled never gives space back.
    /// Called right after a compaction, when the size of the snapshot is the live size. Large states are
    /// left alone, so that it takes less than a second.
    pub(crate) fn shrink_state(&mut self) -> Result<()> {
        let live = self.log.snapshot_bytes();
        let size = self.state()?.store().disk_bytes();
        if live > SHRINK_LIVE_BYTES_MAX || size <= live.saturating_mul(3) + SHRINK_SLACK_BYTES {
            return Ok(());
        }
        // Each could repair the other, so a whole state is given up only if the log reads back whole.
        self.read_log()?.read_snapshot(&mut |_, _, _| Ok(()))?;
        self.rebuild_state()?;
        // The old state was whole, so no one needs it for an inspection.
        let aside = self.shared.dir.join(ASIDE_DIR);
        match self.shared.env.fs.remove_dir_all(&aside) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(Error::io("remove", aside, error))
            }
            _ => Ok(()),
        }
    }

    /// Rebuilds the state from the log, which holds every acknowledged operation. Readers meanwhile get
    /// `StateBroken` or wait on the commit thread.
    pub(crate) fn rebuild_state(&mut self) -> Result<()> {
        self.shared.state.mark_broken();
        if let Some(old) = self.shared.state.replace(None) {
            // Closed before its folder is moved.
            old.discard();
        }
        let shared = Arc::clone(&self.shared);
        let keys = shared.keys();
        let opener = StateOpener {
            env: &shared.env,
            dir: &shared.dir,
            tuning: &shared.tuning,
            keys: &keys,
            progress: None,
        };
        let recovered = self.read_log()?;
        if recovered.end().lsn != self.lsn {
            // The page cache holds a frame that was never synced. Only an open can settle it (I5).
            return Err(ErrorKind::StateBroken.into());
        }
        let Opened { state, sum } = match opener.rebuild(&recovered) {
            Err(error) if is_snapshot_damage(&error) => opener.rebuild(&recovered.fall_back()?)?,
            outcome => outcome?,
        };
        self.sum = sum;
        // The old state is gone, and with it everything that was durable.
        self.unsynced_bytes = self.unsynced_bytes.max(1);
        shared.state.replace(Some(state));
        Ok(())
    }

    /// Reads the log as an open would.
    fn read_log(&self) -> Result<Recovered> {
        let shared = &self.shared;
        let (auth, options) = (LogKeys::of(&shared.keys()), shared.tuning.log_options());
        Log::open(&shared.env, &shared.dir, shared.id.0, auth, options).map_err(Error::from)
    }

    /// Replaces a damaged log by a snapshot of the state, if the state provably equals the end of the log:
    /// every row by the sum, every value by opening it (I6).
    ///
    /// The caller makes sure that no preparation or compaction of this log is running. If the damage cannot
    /// be repaired the vault takes no more writes, because no open would find them.
    pub(crate) fn repair_log(&mut self, damage: LogError) -> Result<()> {
        if self.shared.status.get() != Status::Open {
            return Err(damage.into());
        }
        match self.replace_log() {
            Err(error) if *error.kind() == ErrorKind::NoSpace && !self.log.poisoned() => Err(error),
            Err(_) => {
                self.shared.status.raise(Status::Poisoned);
                Err(damage.into())
            }
            Ok(()) => Ok(()),
        }
    }

    fn replace_log(&mut self) -> Result<()> {
        let shared = Arc::clone(&self.shared);
        // It belongs to the log that is replaced.
        drop(shared.segments.take());
        let (state, keys) = (shared.state()?, shared.keys());
        let end = self.log.end().clone();
        if !equals(state.store(), &keys, &end) {
            return Err(ErrorKind::StateBroken.into());
        }
        // The end mark proves to every reader of the log that nothing comes after it.
        self.now();
        let note = clock_note(self.age.note());
        self.log.close(note)?;
        let (auth, options) = (LogKeys::of(&keys), shared.tuning.log_options());
        let mut rows = |visit: &mut RowVisitor<'_>| visit_rows(state.store(), visit);
        self.log.retire();
        let repaired =
            Log::repair(&shared.env, &shared.dir, shared.id.0, auth, options, end, &mut rows);
        // After a failure too, the log goes on from what is on the disk.
        let (recovered, failed) = match repaired {
            Ok(recovered) => (recovered, None),
            Err(error) => (self.read_log()?, Some(Error::from(error))),
        };
        self.log = recovered.start()?;
        self.unsynced_bytes = self.unsynced_bytes.max(1);
        failed.map_or(Ok(()), Err)
    }

    /// Whether the vault may grow. If only the rows in the memtable claim the space that is missing, they are
    /// flushed first: then it is known how much their flush has taken.
    pub(crate) fn make_space(&mut self) -> bool {
        let shared = &self.shared;
        let waiting = shared.state.waiting_bytes();
        if !shared.space.is_short(&self.log, waiting) {
            return true;
        }
        // A flush takes space of its own, which a disk that is full without it does not have.
        if waiting == 0 || shared.space.is_short(&self.log, 0) {
            return false;
        }
        let is_flushed = shared.state().is_ok_and(|state| state.flush_to(self.lsn).is_ok());
        is_flushed && !shared.space.is_short(&self.log, shared.state.waiting_bytes())
    }

    /// Hands the next segment over to be prepared, if one is wanted. Given back: there is no thread for that.
    pub(crate) fn hand_over_segment(&mut self, ahead: bool) -> Option<Preparation> {
        let log = &self.log;
        let wanted = if ahead { log.preparation_ahead() } else { log.preparation() };
        // When space runs out, the space of the next segment is left to what must still be written.
        let preparation = wanted.filter(|_| self.make_space())?;
        self.shared.hand_over_segment(preparation)
    }

    /// Whether the state should be made durable now. If so, the count of bytes starts again.
    pub(crate) fn begin_checkpoint(&mut self, always: bool, bytes: u64) -> bool {
        let due = self.unsynced_bytes > 0 && (always || self.unsynced_bytes >= bytes);
        if due {
            self.unsynced_bytes = 0;
        }
        due || (always && self.log.has_garbage())
    }

    /// Lets the log free what it no longer needs, now that `state` is durable up to `durable`. If that
    /// state was replaced meanwhile, nothing is freed.
    pub(crate) fn free(&mut self, state: &Arc<State>, durable: Lsn) -> Result<()> {
        if !self.shared.state.is_current(state) {
            return Ok(());
        }
        self.log.free(durable).map_err(|error| self.log_failed(error))
    }

    /// Rebuilds a state that failed to become durable, unless it was replaced meanwhile.
    pub(crate) fn replace_failed(&mut self, state: &Arc<State>) -> Result<()> {
        if self.shared.state.is_current(state) { self.rebuild_state() } else { Ok(()) }
    }

    /// Ends the current segment, and hands out the work of compacting the segments that have ended. `None`:
    /// there is nothing to do, or nothing could be freed by it.
    pub(crate) fn begin_compaction(&mut self, wanted: Wanted) -> Result<Option<Compaction>> {
        let is_due = match wanted {
            Wanted::Always => true,
            Wanted::IfDue => self.log.compaction_due(),
            Wanted::IfOverdue => self.log.compaction_overdue(),
        };
        // For a state that is not on the disk the log frees nothing (I6), and snapshots would only pile up.
        let is_useful = !self.log.has_garbage()
            || self.shared.state()?.can_be_durable(self.shared.env.fs.is_real());
        if !is_due || !is_useful {
            return Ok(None);
        }
        self.log.begin_compaction().map_err(|error| self.log_failed(error))
    }

    /// Installs the new snapshot in the log.
    pub(crate) fn finish_compaction(&mut self, done: Compacted) -> Result<()> {
        self.log.finish_compaction(done).map_err(|error| self.log_failed(error))
    }

    /// Switches to the keys of a keystore that is durable.
    pub(crate) fn use_keys(&mut self, keys: Arc<Keyring>) {
        // Kept data keys go with the epoch. A reader that is under way may keep one again, but only of a
        // version that lives, whose key the new epoch opens too (I10).
        if let Ok(state) = self.shared.state() {
            state.forget_opened();
        }
        self.log.set_keystore_generation(keys.generation());
        self.shared.set_keys(keys);
    }

    /// Closes cleanly: makes the state durable if that is possible, then writes and syncs the end mark (I6).
    pub(crate) fn close(&mut self, state: &State) -> Result<()> {
        if self.shared.status.get() == Status::Poisoned {
            return Ok(());
        }
        // If the state cannot be made durable (on a full disk, say), the next open rebuilds it. The end
        // mark is about the log alone, so this is no error of the close.
        let _ = state.close();
        self.now();
        let note = clock_note(self.age.note());
        self.log.close(note).map_err(|error| self.log_failed(error))
    }
}
