//! One pass of maintenance: a tick of the background thread, or a whole pass on demand.

use super::maintainer::Maintainer;
use crate::error::{Error, Result};
use crate::vault::commit::control::Wanted;
use crate::vault::runtime::status::Status;

/// Remembers the first error while the work goes on. A pruner that fails for want of space must not keep the
/// compaction from freeing some.
#[derive(Default)]
pub(super) struct FirstError(Option<Error>);

impl FirstError {
    pub(super) fn note(&mut self, result: Result<()>) {
        if let Err(error) = result {
            self.0.get_or_insert(error);
        }
    }

    pub(super) fn end(self) -> Result<()> {
        self.0.map_or(Ok(()), Err)
    }
}

impl Maintainer {
    /// One round of the background thread, cheap when nothing is due. A full one also looks through all
    /// secrets. `is_rested`: the last failure is long enough ago to try everything again.
    pub(super) fn tick(&self, is_full: bool, is_rested: bool) -> Result<()> {
        let _pass = self.lock_pass();
        let shared = &self.inner.shared;
        // A poisoned vault only reads, and nothing can be tried again.
        if shared.status.get() != Status::Open {
            return Ok(());
        }
        let mut first = FirstError::default();
        shared.space.look_at_reserve();
        // The age clock has to be read at least every hour. While space is short, rows are flushed that claim
        // some.
        let is_lacking = shared.space.is_lacking(shared.state.waiting_bytes());
        self.inner.driver.control(move |pipeline| {
            pipeline.now();
            if is_lacking {
                pipeline.make_space();
            }
        })?;
        first.note(self.rebuild_broken_state());
        // A vault that has lived for a whole tick is a server's: its first put finds a segment ready.
        let _ = self.prepare_segment(is_full);
        if !is_full && !is_rested {
            return Ok(());
        }
        if is_full {
            // A disk without space for the reserve is not an error.
            let _ = shared.space.refill_reserve();
            first.note(self.find_due());
        }
        first.note(self.work_off_pending());
        if is_full {
            first.note(self.switch_epoch_if_due());
        }
        first.note(self.compact_grown());
        first.note(self.settle_at_rest());
        first.note(self.checkpoint(false));
        first.end()
    }

    /// A whole pass, now. Everything that is due is done when this returns.
    pub(crate) fn full_pass(&self) -> Result<()> {
        let _pass = self.lock_pass();
        let mut first = FirstError::default();
        first.note(self.rebuild_broken_state());
        let _ = self.prepare_segment(true);
        let _ = self.inner.shared.space.refill_reserve();
        first.note(self.find_due());
        first.note(self.work_off_pending());
        first.note(self.switch_epoch_if_due());
        first.note(self.compact(Wanted::Always));
        let lsn = self.inner.driver.control(|pipeline| pipeline.lsn);
        first.note(lsn.and_then(|lsn| self.settle_state(lsn)));
        first.note(self.checkpoint(true));
        // A failure of the anchor's disk must not keep the vault's own work from being done.
        let _ = self.refresh_anchor();
        first.end()
    }

    /// Rebuilds a broken state before a caller has to wait for that. The flusher may have broken it, and
    /// nobody has met that yet.
    fn rebuild_broken_state(&self) -> Result<()> {
        let driver = &self.inner.driver;
        match self.inner.shared.state() {
            Ok(state) if state.store().applied().is_ok() => Ok(()),
            Ok(state) => driver.control(move |pipeline| pipeline.replace_failed(&state))?,
            Err(_) => driver.control(|pipeline| pipeline.state().map(drop))?,
        }
    }

    /// Has the next log segment prepared by its thread, so that no put has to. `ahead`: even if none is
    /// wanted yet.
    fn prepare_segment(&self, ahead: bool) -> Result<()> {
        let left = self.inner.driver.control(move |pipeline| pipeline.hand_over_segment(ahead))?;
        // Only a vault without threads gets it back.
        left.map_or(Ok(()), |preparation| preparation.run().map(drop).map_err(Error::from))
    }

    /// Prepares the segment that was handed over, if there is one.
    pub(super) fn run_preparation(&self) {
        let _preparing = self.lock_preparing();
        if let Some(preparation) = self.inner.shared.segments.take() {
            // After a failure the next append makes its own segment, or reports that the disk is full.
            let _ = preparation.run();
        }
    }
}
