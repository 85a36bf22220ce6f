//! What the commit pipeline does between batches, and how it ends.

use super::commit::Pipeline;
use super::keeper::from_log;
use super::logkeys::{LogKeys, clock_note};
use super::shared::Status;
use super::state::{Opened, State, StateOpener};
use crate::env::Clock;
use crate::error::{Error, Result};
use crate::log::{Compacted, Log};
use std::sync::Arc;

impl Pipeline {
    /// The last step: nothing is taken after this.
    pub(super) fn stop(&mut self) {
        self.stopping = true;
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.stopping
    }

    pub(super) fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.shared.env.clock)
    }

    /// The state for a batch, rebuilt first if it is broken.
    pub(super) fn state(&mut self) -> Result<Arc<State>> {
        if self.shared.state_is_broken() {
            self.rebuild_state()?;
        }
        self.shared.state()
    }

    /// Makes the state anew from the log, which every acknowledged operation is in. Readers fail
    /// typed or wait on the commit thread meanwhile.
    pub(super) fn rebuild_state(&mut self) -> Result<()> {
        self.shared.break_state();
        if let Some(old) = self.shared.replace_state(None) {
            // Dropped before its folder moves; what it says no longer matters.
            let _ = old.close();
        }
        let shared = Arc::clone(&self.shared);
        let keys = shared.keys();
        let truth = Log::open(
            &shared.env,
            &shared.dir,
            shared.id.0,
            LogKeys::of(&keys),
            shared.tuning.log_options(),
        )
        .map_err(from_log)?;
        let opener = StateOpener {
            env: &shared.env,
            dir: &shared.dir,
            tuning: &shared.tuning,
            keys: &keys,
            progress: None,
        };
        let Opened { state, sum } = opener.rebuild(&truth)?;
        self.sum = sum;
        shared.replace_state(Some(state));
        Ok(())
    }

    /// Whether the state should be made durable now; if so the count starts again.
    pub(super) fn begin_checkpoint(&mut self, always: bool, bytes: u64) -> bool {
        let due = self.unsynced_bytes > 0 && (always || self.unsynced_bytes >= bytes);
        if due {
            self.unsynced_bytes = 0;
        }
        due || (always && self.log.has_garbage())
    }

    /// Lets the log go on from the new snapshot.
    pub(super) fn finish_compaction(&mut self, done: Compacted) -> Result<()> {
        self.log.finish_compaction(done).map_err(|error| {
            if matches!(error, crate::log::LogError::NoSpace) {
                return from_log(error);
            }
            // Which snapshot the manifest names is unknown until it is read again.
            Error::from(self.poison(&error))
        })
    }

    /// The clean end: the state durable, then the end mark, synced (I6).
    pub(super) fn close(&mut self, state: &State) -> Result<()> {
        if self.shared.status() == Status::Poisoned {
            return Ok(());
        }
        let is_memory = matches!(state, State::Memory(_)) && self.shared.env.fs.is_real();
        let closed = state.close();
        self.now();
        let note = clock_note(self.age.note());
        // Without a durable state the end mark still holds for the log itself.
        self.log.close(note).map_err(from_log)?;
        match closed {
            Err(error) if !is_memory => Err(super::failure::Failure::from(error).into()),
            _ => Ok(()),
        }
    }
}
