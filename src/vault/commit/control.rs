//! What the commit pipeline does between batches, and how it ends.

use super::pipeline::Pipeline;
use crate::crypto::Keyring;
use crate::env::Clock;
use crate::error::{Error, ErrorKind, Result};
use crate::log::{Compacted, Compaction, Log, LogError, Preparation, Recovered, RowVisitor};
use crate::model::Lsn;
use crate::store::guard::ASIDE_DIR;
use crate::vault::lifecycle::open::{equals, is_snapshot_damage, visit_rows};
use crate::vault::log_keys::{LogKeys, clock_note};
use crate::vault::runtime::shared::Status;
use crate::vault::state::opener::{Opened, State, StateOpener};
use std::sync::Arc;

/// A state is made anew for its size only where no more than this lives in it.
const SHRINK_LIVE_BYTES_MAX: u64 = 64 << 20;
/// What sled takes however little lives in it.
const SHRINK_SLACK_BYTES: u64 = 8 << 20;

impl Pipeline {
    pub(crate) fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.shared.env.clock)
    }

    /// The state for a batch, rebuilt first if it is broken.
    pub(crate) fn state(&mut self) -> Result<Arc<State>> {
        if self.shared.state_is_broken() {
            self.rebuild_state()?;
        }
        self.shared.state()
    }

    /// sled gives no space back: after much was deleted its file stays as large as it ever was. Right
    /// after a compaction, when the snapshot's size is the live size, a state that has grown far
    /// beyond it is made anew, where that takes less than a second.
    pub(crate) fn shrink_state(&mut self) -> Result<()> {
        let live = self.log.snapshot_bytes();
        let size = self.state()?.store().disk_bytes();
        if live > SHRINK_LIVE_BYTES_MAX || size <= live.saturating_mul(3) + SHRINK_SLACK_BYTES {
            return Ok(());
        }
        // A whole state is let go only for a log that reads back whole: each could heal the other.
        self.read_log()?.read_snapshot(&mut |_, _, _| Ok(()))?;
        self.rebuild_state()?;
        // It was whole: nobody will want to look at it.
        let aside = self.shared.dir.join(ASIDE_DIR);
        match self.shared.env.fs.remove_dir_all(&aside) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(Error::io("remove the old state", error))
            }
            _ => Ok(()),
        }
    }

    /// Makes the state anew from the log, which every acknowledged operation is in. Readers fail
    /// typed or wait on the commit thread meanwhile.
    pub(crate) fn rebuild_state(&mut self) -> Result<()> {
        self.shared.break_state();
        if let Some(old) = self.shared.replace_state(None) {
            // Closed before its folder moves; what it says no longer matters.
            let _ = old.close();
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
        let truth = self.read_log()?;
        if truth.end().lsn != self.lsn {
            // A frame that was never synced is in the page cache: only reopening settles it (I5).
            return Err(ErrorKind::StateBroken.into());
        }
        let Opened { state, sum } = match opener.rebuild(&truth) {
            Err(error) if is_snapshot_damage(&error) => opener.rebuild(&truth.fall_back()?)?,
            outcome => outcome?,
        };
        self.sum = sum;
        // What the state was durable up to is gone with it.
        self.unsynced_bytes = self.unsynced_bytes.max(1);
        shared.replace_state(Some(state));
        Ok(())
    }

    /// The log as an open would find it.
    fn read_log(&self) -> Result<Recovered> {
        let shared = &self.shared;
        let (auth, options) = (LogKeys::of(&shared.keys()), shared.tuning.log_options());
        Log::open(&shared.env, &shared.dir, shared.id.0, auth, options).map_err(Error::from)
    }

    /// Replaces a log that turned out to be damaged by a snapshot of the state, if that is proven to
    /// be what the log ends with: every row by the sum, every value by opening it (I6).
    ///
    /// The caller makes sure that no preparation or compaction of this log is under way. If the
    /// damage cannot be healed the vault takes no more writes: no open would find them.
    pub(crate) fn heal(&mut self, damage: LogError) -> Result<()> {
        if self.shared.status() != Status::Open {
            return Err(damage.into());
        }
        let healed = self.replace_log();
        match healed {
            Err(error) if *error.kind() == ErrorKind::NoSpace && !self.log.poisoned() => Err(error),
            Err(_) => {
                self.shared.set_status(Status::Poisoned);
                Err(damage.into())
            }
            Ok(()) => Ok(()),
        }
    }

    fn replace_log(&mut self) -> Result<()> {
        let shared = Arc::clone(&self.shared);
        // It is of the log that goes.
        drop(shared.take_preparation());
        let (state, keys) = (shared.state()?, shared.keys());
        let end = self.log.end().clone();
        if !equals(state.store(), &keys, &end) {
            return Err(ErrorKind::StateBroken.into());
        }
        // The end mark proves to whoever reads the log that nothing comes after.
        self.now();
        let note = clock_note(self.age.note());
        self.log.close(note)?;
        let (auth, options) = (LogKeys::of(&keys), shared.tuning.log_options());
        let mut rows = |visit: &mut RowVisitor<'_>| visit_rows(state.store(), visit);
        self.log.retire();
        let healed =
            Log::heal(&shared.env, &shared.dir, shared.id.0, auth, options, end, &mut rows);
        // Also after a failure: what is on disk is what counts.
        let (truth, failed) = match healed {
            Ok(truth) => (truth, None),
            Err(error) => (self.read_log()?, Some(Error::from(error))),
        };
        self.log = truth.start()?;
        self.unsynced_bytes = self.unsynced_bytes.max(1);
        failed.map_or(Ok(()), Err)
    }

    /// Hands the next segment over to be made ready, if it is wanted. Given back: there is no thread
    /// for that.
    pub(crate) fn hand_over_segment(&mut self, ahead: bool) -> Option<Preparation> {
        let log = &self.log;
        let wanted = if ahead { log.preparation_ahead() } else { log.preparation() };
        // Where space runs out the next segment's is left to what must still be written.
        let preparation = wanted.filter(|_| !self.shared.is_short_of_space(log))?;
        self.shared.call_for_segment(preparation)
    }

    /// Whether the state should be made durable now; if so the count starts again.
    pub(crate) fn begin_checkpoint(&mut self, always: bool, bytes: u64) -> bool {
        let due = self.unsynced_bytes > 0 && (always || self.unsynced_bytes >= bytes);
        if due {
            self.unsynced_bytes = 0;
        }
        due || (always && self.log.has_garbage())
    }

    /// Lets the log free what `state`, durable up to `durable`, has made unnecessary; nothing if that
    /// state was replaced meanwhile.
    pub(crate) fn free(&mut self, state: &Arc<State>, durable: Lsn) -> Result<()> {
        if !self.shared.is_current(state) {
            return Ok(());
        }
        self.log.free(durable).map_err(|error| self.log_failed(error))
    }

    /// Makes a state anew that failed to become durable, unless that has happened meanwhile.
    pub(crate) fn replace_failed(&mut self, state: &Arc<State>) -> Result<()> {
        if self.shared.is_current(state) { self.rebuild_state() } else { Ok(()) }
    }

    /// Ends the current segment and hands out the work of compacting what has ended. `None`: nothing
    /// to do, or nothing that it replaces could be freed.
    pub(crate) fn begin_compaction(&mut self, always: bool) -> Result<Option<Compaction>> {
        let is_due = always || self.log.compaction_due();
        // A state that is not on disk lets nothing go (I6): snapshots would only pile up.
        let is_useful =
            !self.log.has_garbage() || self.shared.state()?.can_be_durable(&self.shared);
        if !is_due || !is_useful {
            return Ok(None);
        }
        self.log.begin_compaction().map_err(|error| self.log_failed(error))
    }

    /// Lets the log go on from the new snapshot.
    pub(crate) fn finish_compaction(&mut self, done: Compacted) -> Result<()> {
        self.log.finish_compaction(done).map_err(|error| self.log_failed(error))
    }

    /// Uses the keys of a keystore that is durable by now.
    pub(crate) fn use_keys(&mut self, keys: Arc<Keyring>) {
        self.log.set_keystore_generation(keys.generation());
        self.shared.set_keys(keys);
    }

    /// The clean end: the state durable if it can be, then the end mark, synced (I6).
    pub(crate) fn close(&mut self, state: &State) -> Result<()> {
        if self.shared.status() == Status::Poisoned {
            return Ok(());
        }
        // A state that cannot be made durable (on a full disk, say) is rebuilt by the next open, and
        // the end mark holds for the log itself: nothing that whoever closes should hear of.
        let _ = state.close();
        self.now();
        let note = clock_note(self.age.note());
        self.log.close(note).map_err(|error| self.log_failed(error))
    }
}
