//! Compaction of the log and checkpoints of the state: together they let the log free its old files.

use super::maintainer::Maintainer;
use crate::env::faults::Fault;
use crate::env::threads::sync::{Arc, PoisonError};
use crate::error::Result;
use crate::log::LogError;
use crate::model::Lsn;
use crate::vault::commit::control::Wanted;
use crate::vault::commit::pipeline::Pipeline;
use crate::vault::state::serving::State;
use std::time::Duration;

/// Published bytes after which the state is made durable, as far as it is flushed.
const CHECKPOINT_BYTES: u64 = 8 * 1024 * 1024;
/// How long a vault takes no write until what waits in its memtable is flushed and made durable.
const REST: Duration = Duration::from_secs(10);

impl Maintainer {
    /// Merges snapshot and ended segments into the next snapshot, and frees what it replaces once
    /// the state is durable past it (I6).
    pub(super) fn compact(&self, wanted: Wanted) -> Result<()> {
        let (shared, driver) = (&self.inner.shared, &self.inner.driver);
        let begun = driver.control(move |pipeline| pipeline.begin_compaction(wanted))?;
        let Some(compaction) = begun? else { return Ok(()) };
        match compaction.run_with(&mut |_| !shared.is_stopping()) {
            Ok(compacted) => {
                // A state behind the snapshot would have to be rebuilt after a kill or a power cut.
                if !shared.tuning.faults.active(Fault::FreeBeforeFlush) {
                    self.settle_state(compacted.lsn())?;
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
                // The new log has one copy, and the state is what could repair it.
                self.settle_state(driver.control(|pipeline| pipeline.lsn)?)?;
                self.checkpoint(true)
            }
            Err(LogError::Stopped) => shared.fail_if_stopping(),
            // Tried again later. The old snapshot and its segments are all still there.
            Err(error) => Err(error.into()),
        }
    }

    /// Flushes the memtable up to `lsn` and makes the state durable. If that fails the state is rebuilt.
    pub(super) fn settle_state(&self, lsn: Lsn) -> Result<()> {
        let driver = &self.inner.driver;
        let state = self.inner.shared.state()?;
        if state.flush_to(lsn).is_err() {
            return driver.control(move |pipeline| pipeline.replace_failed(&state))?;
        }
        driver.control(|pipeline| pipeline.begin_checkpoint(true, CHECKPOINT_BYTES))?;
        self.make_durable(state)
    }

    /// The last operation, if the vault is at rest.
    pub(super) fn rested_at(&self) -> Result<Option<Lsn>> {
        let lsn = self.inner.driver.control(|pipeline| pipeline.lsn)?;
        let now = self.inner.shared.env.clock.monotonic();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.0 != lsn {
            *seen = (lsn, now);
        }
        Ok((now.saturating_sub(seen.1) >= REST).then_some(lsn))
    }

    /// Settles the state of a vault that is at rest. Else its last rows would be in the log alone.
    pub(crate) fn settle_at_rest(&self) -> Result<()> {
        match self.rested_at()? {
            Some(lsn) if self.inner.shared.state.waiting_bytes() > 0 => self.settle_state(lsn),
            _ => Ok(()),
        }
    }

    /// Compacts a log that has grown. Under load, and with space on the disk, it may grow by more.
    pub(super) fn compact_grown(&self) -> Result<()> {
        let may_grow = self.inner.shared.space.is_ample() && self.rested_at()?.is_none();
        self.compact(if may_grow { Wanted::IfOverdue } else { Wanted::IfDue })
    }

    /// Makes the state durable, so that the log may free what the state covers.
    pub(super) fn checkpoint(&self, always: bool) -> Result<()> {
        let (shared, driver) = (&self.inner.shared, &self.inner.driver);
        let is_due =
            driver.control(move |pipeline| pipeline.begin_checkpoint(always, CHECKPOINT_BYTES))?;
        if !is_due {
            return Ok(());
        }
        self.make_durable(shared.state()?)
    }

    /// Syncs the state, and lets the log free what it covers.
    fn make_durable(&self, state: Arc<State>) -> Result<()> {
        let (shared, driver) = (&self.inner.shared, &self.inner.driver);
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
