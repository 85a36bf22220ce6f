//! Compaction of the log and checkpoints of the state: together they let the log free its old files.

use super::maintainer::Maintainer;
use crate::env::faults::Fault;
use crate::error::Result;
use crate::log::LogError;
use crate::model::Lsn;
use crate::vault::commit::pipeline::Pipeline;

/// Applied bytes after which the state is made durable.
const CHECKPOINT_BYTES: u64 = 8 * 1024 * 1024;

impl Maintainer {
    /// Merges snapshot and ended segments into the next snapshot, and frees what it replaces once
    /// the state is durable past it (I6).
    pub(super) fn compact(&self, always: bool) -> Result<()> {
        let (shared, driver) = (&self.inner.shared, &self.inner.driver);
        let begun = driver.control(move |pipeline| pipeline.begin_compaction(always))?;
        let Some(compaction) = begun? else { return Ok(()) };
        match compaction.run_with(&mut |_| !shared.is_stopping()) {
            Ok(compacted) => {
                // A state behind the snapshot would have to be rebuilt after a kill.
                if !shared.tuning.faults.active(Fault::FreeBeforeFlush) {
                    self.flush_state(compacted.lsn())?;
                }
                driver.control(move |pipeline| pipeline.finish_compaction(compacted))??;
                driver.control(Pipeline::shrink_state)??;
                self.checkpoint(true)
            }
            // The log is damaged while the state is whole: repair it now, while both are at hand.
            Err(damage @ LogError::Damaged(_)) => {
                let preparing = self.lock_preparing();
                driver.control(move |pipeline| pipeline.repair_log(damage))??;
                drop(preparing);
                self.checkpoint(true)
            }
            Err(LogError::Stopped) => shared.fail_if_stopping(),
            // Tried again later. The old snapshot and its segments are all still there.
            Err(error) => Err(error.into()),
        }
    }

    /// Brings the store below the memtable up to `lsn`. If that fails the state is rebuilt.
    pub(super) fn flush_state(&self, lsn: Lsn) -> Result<()> {
        let (shared, driver) = (&self.inner.shared, &self.inner.driver);
        let state = shared.state()?;
        match state.flush_to(lsn) {
            Ok(()) => Ok(()),
            Err(_) => driver.control(move |pipeline| pipeline.replace_failed(&state))?,
        }
    }

    /// Makes the state durable, so that the log may free what the state covers.
    pub(super) fn checkpoint(&self, always: bool) -> Result<()> {
        let (shared, driver) = (&self.inner.shared, &self.inner.driver);
        let is_due =
            driver.control(move |pipeline| pipeline.begin_checkpoint(always, CHECKPOINT_BYTES))?;
        if !is_due {
            return Ok(());
        }
        let state = shared.state()?;
        match state.checkpoint(shared.env.fs.is_real()) {
            Ok(Some(durable)) => {
                let durable = if shared.tuning.faults.active(Fault::FreeBeforeFlush) {
                    state.store().applied().unwrap_or(durable)
                } else {
                    durable
                };
                driver.control(move |pipeline| pipeline.free(&state, durable))?
            }
            Ok(None) => Ok(()),
            // A state that cannot be made durable would never let the log free anything: rebuild it.
            Err(_) => driver.control(move |pipeline| pipeline.replace_failed(&state))?,
        }
    }
}
