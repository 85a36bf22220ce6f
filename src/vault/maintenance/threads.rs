//! The threads of maintenance: one for passes, one that prepares log segments, one that keeps the anchor.

use super::anchoring::AnchorPace;
use super::maintainer::Maintainer;
use crate::env::threads::sync::Arc;
use crate::error::Result;
use crate::vault::worker::{Alarm, Worker};
use std::time::Duration;

/// How often a pass runs, and how often the folder's place is looked at, without a wake.
const TICK: Duration = Duration::from_millis(500);
/// How often the anchor is looked at. It is refreshed at the second look at rest, within a second.
const ANCHOR_TICK: Duration = Duration::from_millis(400);
/// How long only the cheapest work is done after a failure: a full disk stays full for a while.
const PAUSE: Duration = Duration::from_secs(60);
/// How often a pass looks through all secrets.
const HOUR: Duration = Duration::from_secs(3600);

/// The alarms of the threads that others wake.
#[derive(Default)]
pub(crate) struct Alarms {
    pub(crate) passes: Alarm,
    pub(crate) segments: Alarm,
}

/// The background threads of an open vault.
pub(crate) struct MaintenanceThreads {
    passes: Worker,
    /// A thread of its own: a pass may take long, and no put should have to make a segment meanwhile.
    segments: Worker,
    /// A thread of its own as well: neither a pass nor a slow disk of the anchor holds up the other. There is
    /// none without an anchor.
    anchor: Option<Worker>,
}

impl MaintenanceThreads {
    /// Starts the threads. They share the maintainer until they are stopped.
    pub(crate) fn spawn(maintainer: &Arc<Maintainer>, alarms: Alarms) -> Result<Self> {
        let prepares = Arc::clone(maintainer);
        let prepare = move || {
            // On this thread, because a pass on the other one may take long (I11).
            let _ = prepares.inner.shared.env.fs.check_place();
            prepares.run_preparation();
        };
        let segments = Worker::spawn("strongroom-segments", alarms.segments, TICK, prepare)?;
        let follower = Arc::clone(maintainer);
        let has_anchor = maintainer.inner.shared.anchor.is_some();
        let mut pace = AnchorPace::default();
        let follow = move || follower.follow(&mut pace);
        let spawn = || Worker::spawn("strongroom-anchor", Alarm::default(), ANCHOR_TICK, follow);
        let anchor = has_anchor.then(spawn).transpose()?;
        let maintainer = Arc::clone(maintainer);
        let mut last_full: Option<Duration> = None;
        let mut not_before = Duration::ZERO;
        let pass = move || {
            let now = maintainer.inner.shared.env.clock.monotonic();
            let is_full = last_full.is_none_or(|last| now.saturating_sub(last) >= HOUR);
            if is_full {
                last_full = Some(now);
            }
            // There is no caller to report to. The next caller or pass meets the same failure.
            if maintainer.tick(is_full, now >= not_before).is_err() {
                not_before = now.saturating_add(PAUSE);
            }
        };
        let passes = Worker::spawn("strongroom-maintenance", alarms.passes, TICK, pass)?;
        Ok(Self { passes, segments, anchor })
    }

    /// Asks the threads to stop.
    pub(crate) fn tell_to_stop(&self) {
        self.all().for_each(Worker::tell_to_stop);
    }

    /// Stops the threads, and waits for that.
    pub(crate) fn stop(&self) {
        self.tell_to_stop();
        self.all().for_each(Worker::stop);
    }

    fn all(&self) -> impl Iterator<Item = &Worker> {
        [&self.passes, &self.segments].into_iter().chain(&self.anchor)
    }
}
