//! Keeps the anchor file at the end of the log, off the path of a write (RB-4).
//!
//! A refresh costs a frame and some syncs, so it waits until the vault is at rest. A vault that is never at
//! rest has it every few seconds all the same.

use super::maintainer::Maintainer;
use crate::env::threads::sync::Arc;
use crate::error::Result;
use crate::model::Lsn;
use crate::vault::commit::pipeline::Pipeline;
use crate::vault::runtime::status::Status;
use std::time::Duration;

/// How long a refresh waits at most for a vault that goes on writing.
const WAIT_MAX: Duration = Duration::from_secs(5);

/// When the background refreshes the anchor. It is asked at each tick at which the anchor is behind.
#[derive(Debug, Default)]
pub(super) struct AnchorPace {
    seen: Option<Lsn>,
    behind_since: Option<Duration>,
}

/// What to do about an anchor that is behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    Wait,
    /// Refresh, unless a write waits.
    AtRest,
    /// Refresh, whoever waits.
    Overdue,
}

impl AnchorPace {
    /// `lsn`: the last operation. `waiting`: how many tasks wait for the pipeline.
    fn turn(&mut self, lsn: Lsn, waiting: usize, now: Duration) -> Turn {
        let was_seen = self.seen.replace(lsn) == Some(lsn);
        let since = *self.behind_since.get_or_insert(now);
        if now.saturating_sub(since) >= WAIT_MAX {
            return Turn::Overdue;
        }
        if was_seen && waiting == 0 { Turn::AtRest } else { Turn::Wait }
    }
}

impl Maintainer {
    /// One look at the anchor, on a thread of its own: a pass may take long. There is no caller to report to,
    /// so the anchor keeps the error for those who ask (RB-5).
    pub(super) fn follow(&self, pace: &mut AnchorPace) {
        let (shared, driver) = (&self.inner.shared, &self.inner.driver);
        let Some(anchor) = &shared.anchor else { return };
        if shared.status.get() != Status::Open {
            return;
        }
        // The state is asked, so that a vault at rest does not wake its commit thread.
        let Ok(Ok(lsn)) = shared.state().map(|state| state.store().applied()) else { return };
        let now = shared.env.clock.monotonic();
        if !anchor.is_behind(lsn, now) {
            *pace = AnchorPace::default();
            return;
        }
        let turn = pace.turn(lsn, driver.queued(), now);
        if turn == Turn::Wait {
            return;
        }
        let refreshed = anchor.refresh(&shared.env, &shared.keys(), |refresh| {
            driver.control(move |pipeline| {
                // A write that came meanwhile does not wait for a refresh that can wait.
                let yields = turn == Turn::AtRest && pipeline.queued() > 0;
                (!yields).then(|| pipeline.note_refresh(refresh)).transpose()
            })?
        });
        if refreshed.is_ok() && turn == Turn::Overdue {
            *pace = AnchorPace::default();
        }
    }

    /// Refreshes the anchor file now, if operations came after it.
    pub(crate) fn refresh_anchor(&self) -> Result<()> {
        let (shared, driver) = (&self.inner.shared, &self.inner.driver);
        let Some(anchor) = &shared.anchor else { return Ok(()) };
        let lsn = driver.control(|pipeline| pipeline.lsn)?;
        if !anchor.is_behind(lsn, shared.env.clock.monotonic()) {
            return Ok(());
        }
        anchor.refresh(&shared.env, &shared.keys(), |refresh| {
            driver.control(move |pipeline| pipeline.note_refresh(refresh).map(Some))?
        })
    }
}

/// The same at a clean close, when the driver has given the pipeline back.
pub(crate) fn refresh_at_close(pipeline: &mut Pipeline) -> Result<()> {
    let shared = Arc::clone(&pipeline.shared);
    let Some(anchor) = &shared.anchor else { return Ok(()) };
    if !anchor.is_behind(pipeline.lsn, shared.env.clock.monotonic()) {
        return Ok(());
    }
    anchor.refresh(&shared.env, &shared.keys(), |refresh| pipeline.note_refresh(refresh).map(Some))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// RB-4: within a second after the last write, not while writes go on or wait.
    #[test]
    fn a_refresh_waits_until_the_vault_is_at_rest() {
        let mut pace = AnchorPace::default();
        assert_eq!(pace.turn(Lsn(1), 0, at(0)), Turn::Wait, "it may have been written just now");
        assert_eq!(pace.turn(Lsn(2), 0, at(400)), Turn::Wait);
        assert_eq!(pace.turn(Lsn(2), 1, at(800)), Turn::Wait, "a write waits");
        assert_eq!(pace.turn(Lsn(2), 0, at(1200)), Turn::AtRest);
    }

    /// RB-4: a vault that is never at rest has a refresh every 5 seconds.
    #[test]
    fn a_refresh_is_not_put_off_for_ever() {
        let mut pace = AnchorPace::default();
        let turns = (0..13).map(|tick| pace.turn(Lsn(tick), 9, at(tick * 400)));
        assert!(turns.into_iter().all(|turn| turn == Turn::Wait));
        assert_eq!(pace.turn(Lsn(13), 9, at(5000)), Turn::Overdue);
    }
}
