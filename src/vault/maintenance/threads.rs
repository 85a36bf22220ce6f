//! The threads of maintenance: one for passes, one that prepares log segments.

use super::maintainer::Maintainer;
use crate::env::threads::sync::Arc;
use crate::error::Result;
use crate::vault::worker::{Alarm, Worker};
use std::time::Duration;

/// How often a pass runs, and how often the folder's place is looked at, without a wake.
const TICK: Duration = Duration::from_millis(500);
/// How long only the cheapest work is done after a failure: a full disk stays full for a while.
const PAUSE: Duration = Duration::from_secs(60);
/// How often a pass looks through all secrets.
const HOUR: Duration = Duration::from_secs(3600);

/// The alarms of both threads.
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
        Ok(Self { passes, segments })
    }

    /// Asks the threads to stop.
    pub(crate) fn tell_to_stop(&self) {
        self.passes.tell_to_stop();
        self.segments.tell_to_stop();
    }

    /// Stops the threads, and waits for that.
    pub(crate) fn stop(&self) {
        self.tell_to_stop();
        self.passes.stop();
        self.segments.stop();
    }
}
