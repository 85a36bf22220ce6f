//! Keeps the anchor file at the end of the log, off the path of a write (RB-4).

use super::maintainer::Maintainer;
use crate::error::Result;
use crate::vault::commit::pipeline::Pipeline;

impl Maintainer {
    /// Refreshes the anchor file if operations came after it.
    pub(crate) fn refresh_anchor(&self) -> Result<()> {
        let (shared, driver) = (&self.inner.shared, &self.inner.driver);
        let Some(anchor) = &shared.anchor else { return Ok(()) };
        let lsn = driver.control(|pipeline| pipeline.lsn)?;
        if !anchor.is_behind(lsn, shared.env.clock.monotonic()) {
            return Ok(());
        }
        anchor.refresh(&shared.env, &shared.keys(), |refresh| {
            driver.control(move |pipeline| pipeline.note_refresh(refresh))?
        })
    }
}

/// The same at a clean close, when the driver has given the pipeline back.
pub(crate) fn refresh_at_close(pipeline: &mut Pipeline) -> Result<()> {
    let shared = std::sync::Arc::clone(&pipeline.shared);
    let Some(anchor) = &shared.anchor else { return Ok(()) };
    if !anchor.is_behind(pipeline.lsn, shared.env.clock.monotonic()) {
        return Ok(());
    }
    anchor.refresh(&shared.env, &shared.keys(), |refresh| pipeline.note_refresh(refresh))
}
