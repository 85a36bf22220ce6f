//! The threads that rotate.

use super::rotator::Rotator;
use crate::env::threads::sync::Arc;
use crate::error::Result;
use crate::vault::worker::{Alarm, Worker};
use std::time::Duration;

/// Rotations at the same time.
const THREADS: usize = 4;
/// How often the schedule is looked at without a wake.
const TICK: Duration = Duration::from_millis(500);

/// The threads that rotate. There are none without a rotation function.
pub(crate) struct RotationThreads {
    rotator: Arc<Rotator>,
    workers: Vec<Worker>,
}

impl RotationThreads {
    /// Starts the threads.
    pub(crate) fn spawn(rotator: &Arc<Rotator>) -> Result<Self> {
        let schedule = &rotator.inner.shared.rotation_schedule;
        if schedule.is_idle() {
            return Ok(Self { rotator: Arc::clone(rotator), workers: Vec::new() });
        }
        let alarms: Vec<Alarm> = (0..THREADS).map(|_| Alarm::default()).collect();
        schedule.wake_on_note(alarms.iter().map(|alarm| alarm.waker.clone()).collect());
        let workers = alarms.into_iter().map(|alarm| {
            let rotator = Arc::clone(rotator);
            Worker::spawn("strongroom-rotation", alarm, TICK, move || {
                // There is no caller to report to. The next call meets the same failure.
                let _ = rotator.rotate_due();
            })
        });
        let workers = workers.collect::<Result<_>>()?;
        Ok(Self { rotator: Arc::clone(rotator), workers })
    }

    /// Asks the threads, and the functions that they wait for, to stop.
    pub(crate) fn tell_to_stop(&self) {
        self.rotator.inner.shared.rotation_schedule.stop();
        self.workers.iter().for_each(Worker::tell_to_stop);
    }

    /// Stops the threads, and waits for that.
    pub(crate) fn stop(&self) {
        self.tell_to_stop();
        self.workers.iter().for_each(Worker::stop);
    }
}
