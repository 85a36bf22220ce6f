//! Hands the next log segment from the commit thread to the thread that prepares it.

use crate::env::threads::sync::{Mutex, PoisonError};
use crate::log::Preparation;
use crate::vault::worker::Waker;

/// The segment that waits to be prepared.
pub(crate) struct SegmentHandover {
    /// `None`: the vault has no threads.
    waker: Option<Waker>,
    waiting: Mutex<Option<Preparation>>,
}

impl SegmentHandover {
    pub(super) fn new(waker: Option<Waker>) -> Self {
        Self { waker, waiting: Mutex::new(None) }
    }

    /// Hands over a segment, unless one waits already or the vault is being closed. Given back: there is no
    /// thread to prepare it.
    pub(crate) fn hand_over(
        &self,
        preparation: Preparation,
        is_stopping: impl FnOnce() -> bool,
    ) -> Option<Preparation> {
        let Some(waker) = &self.waker else { return Some(preparation) };
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.is_none() && !is_stopping() {
            *waiting = Some(preparation.promised());
            waker.wake();
        }
        None
    }

    /// The segment that waits, if there is one.
    pub(crate) fn take(&self) -> Option<Preparation> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
