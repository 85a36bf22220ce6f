//! What an open vault knows about events of label moves: how many wait, and who receives them.

use crate::vault::label_event::OnLabelUpdated;
use crate::vault::rows::Outbox;
use crate::vault::worker::Waker;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// The events of an open vault.
pub(crate) struct LabelEvents {
    receiver: Option<OnLabelUpdated>,
    /// The outbox, as the last frame has left it.
    outbox: Mutex<Outbox>,
    /// Wakes the thread that delivers.
    waker: OnceLock<Waker>,
    stopping: Arc<AtomicBool>,
}

impl LabelEvents {
    pub(super) fn new(receiver: Option<OnLabelUpdated>, outbox: Outbox) -> Self {
        let (waker, stopping) = (OnceLock::new(), Arc::default());
        Self { receiver, outbox: Mutex::new(outbox), waker, stopping }
    }

    /// The same for a fork of the vault.
    #[cfg(feature = "testkit")]
    pub(super) fn fork(&self) -> Self {
        Self::new(self.receiver.clone(), self.outbox())
    }

    /// Who receives events. `None`: nobody does here.
    pub(crate) fn receiver(&self) -> Option<&OnLabelUpdated> {
        self.receiver.as_ref()
    }

    pub(crate) fn outbox(&self) -> Outbox {
        *self.outbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A frame is committed that leaves the outbox like this.
    pub(crate) fn note(&self, outbox: Outbox) {
        let mut known = self.outbox.lock().unwrap_or_else(PoisonError::into_inner);
        let has_more = outbox.waiting > known.waiting || outbox.dropped > known.dropped;
        *known = outbox;
        drop(known);
        if let (true, Some(waker)) = (has_more, self.waker.get()) {
            waker.wake();
        }
    }

    /// Registers the thread to wake when there are events.
    pub(crate) fn wake_on_note(&self, waker: Waker) {
        // Set once, when the vault is opened.
        let _ = self.waker.set(waker);
    }

    /// Asks the receiver to give up what it is waiting for.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// Set once receivers should give up. Events carry it.
    pub(crate) fn stopping(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.stopping)
    }
}
