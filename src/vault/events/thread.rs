//! The thread that delivers events.

use super::courier::Courier;
use crate::env::threads::sync::Arc;
use crate::error::Result;
use crate::vault::worker::{Alarm, Worker};
use std::time::Duration;

/// How often it is looked whether a pause is over.
const TICK: Duration = Duration::from_millis(500);

/// The thread that delivers events. There is none without a receiver.
pub(crate) struct DeliveryThread {
    courier: Arc<Courier>,
    worker: Option<Worker>,
}

impl DeliveryThread {
    /// Starts the thread.
    pub(crate) fn spawn(courier: &Arc<Courier>) -> Result<Self> {
        let courier = Arc::clone(courier);
        let events = &courier.inner.shared.label_events;
        if events.receiver().is_none() {
            return Ok(Self { courier, worker: None });
        }
        let alarm = Alarm::default();
        events.wake_on_note(alarm.waker.clone());
        // What an earlier process has left is delivered at once.
        alarm.waker.wake();
        let delivers = Arc::clone(&courier);
        let deliver = move || delivers.deliver_in_time();
        let worker = Some(Worker::spawn("strongroom-events", alarm, TICK, deliver)?);
        Ok(Self { courier, worker })
    }

    /// Asks the thread, and the receiver that it waits for, to stop.
    pub(crate) fn tell_to_stop(&self) {
        self.courier.inner.shared.label_events.stop();
        self.worker.iter().for_each(Worker::tell_to_stop);
    }

    /// Stops the thread, and waits for that.
    pub(crate) fn stop(&self) {
        self.tell_to_stop();
        self.worker.iter().for_each(Worker::stop);
    }
}
