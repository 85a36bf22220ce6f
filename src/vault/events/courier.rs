//! Hands events to their receiver: in order, each at least once.
//!
//! Events that were received are removed together, so that a sync pays for many. If the receiver fails, the
//! same event is tried again after a pause. That delays the events behind it and nobody else.

use super::waiting::Waiting;
use crate::env::faults::Fault;
use crate::env::threads::sync::Arc;
use crate::error::Result;
use crate::vault::commit::outbox::OutboxChange;
use crate::vault::inner::Inner;
use crate::vault::label_event::OnLabelUpdated;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError, TryLockError};
use std::time::Duration;

/// The first pause after a failure, and the longest.
const PAUSE_MIN: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_secs(60);
/// Received events are removed at the latest after this time: a kill delivers few of them again.
const REMOVED_AFTER: Duration = Duration::from_secs(1);

/// Delivers the events of one open vault.
pub(crate) struct Courier {
    pub(super) inner: Arc<Inner>,
    turn: Mutex<Turn>,
}

/// What the courier knows between two rounds.
#[derive(Default)]
struct Turn {
    /// Events that were received and are not removed yet.
    received: Vec<Box<[u8]>>,
    /// Rounds that have failed, one after the other.
    failures: u32,
    /// No round before this moment of the monotonic clock.
    not_before: Duration,
}

/// How long to wait after so many failures in a row: 1, 2, 4 seconds and so on, at most a minute.
fn pause(failures: u32) -> Duration {
    let factor = 1_u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX);
    PAUSE_MIN.saturating_mul(factor).min(PAUSE_MAX)
}

impl Courier {
    pub(crate) fn new(inner: Arc<Inner>) -> Self {
        Self { inner, turn: Mutex::default() }
    }

    /// Has events written from now on if somebody receives them. A vault that takes no writes has none.
    pub(crate) fn turn_on(&self) -> Result<()> {
        let shared = &self.inner.shared;
        if shared.label_events.receiver().is_none() || shared.is_read_only {
            return Ok(());
        }
        self.inner.change_outbox(OutboxChange::Turn(true))
    }

    /// Delivers what waits, unless a pause is not over.
    pub(crate) fn deliver_in_time(&self) {
        // There is no caller to report to. The next round meets the same failure.
        let _ = self.round(true);
    }

    /// Delivers what waits, now. If a thread is delivering, that is enough.
    pub(crate) fn deliver(&self) -> Result<()> {
        self.round(false)
    }

    fn round(&self, keeps_pauses: bool) -> Result<()> {
        let mut turn = match self.turn.try_lock() {
            Ok(turn) => turn,
            Err(TryLockError::Poisoned(turn)) => PoisonError::into_inner(turn),
            Err(TryLockError::WouldBlock) => return Ok(()),
        };
        let clock = &self.inner.shared.env.clock;
        if keeps_pauses && clock.monotonic() < turn.not_before {
            return Ok(());
        }
        let outcome = self.deliver_all(&mut turn);
        if matches!(outcome, Ok(true)) {
            (turn.failures, turn.not_before) = (0, Duration::ZERO);
        } else {
            turn.failures = turn.failures.saturating_add(1);
            turn.not_before = clock.monotonic().saturating_add(pause(turn.failures));
        }
        outcome.map(drop)
    }

    /// Delivers until nothing waits. `false`: an event was not received.
    fn deliver_all(&self, turn: &mut Turn) -> Result<bool> {
        let shared = &self.inner.shared;
        let events = &shared.label_events;
        // What cannot be removed is not delivered: it would be delivered at every open.
        let Some(receiver) = events.receiver().filter(|_| !shared.is_read_only) else {
            return Ok(true);
        };
        loop {
            // Before any other is read: what was received already must not be delivered again.
            self.remove_received(turn)?;
            if events.is_stopping() {
                return Ok(true);
            }
            let page = self.inner.waiting_events(None)?;
            if page.is_empty() {
                return Ok(true);
            }
            if shared.tuning.faults.active(Fault::EventsRemovedFirst) {
                let keys = page.iter().map(|(key, _)| key.clone()).collect();
                self.inner.change_outbox(OutboxChange::Remove(keys))?;
            }
            if !self.hand_over(page, receiver, turn) {
                self.remove_received(turn)?;
                return Ok(false);
            }
        }
    }

    /// Hands events over, for a while. `false`: one was not received.
    fn hand_over(&self, page: Vec<Waiting>, receiver: &OnLabelUpdated, turn: &mut Turn) -> bool {
        let shared = &self.inner.shared;
        let clock = &shared.env.clock;
        let until = clock.monotonic().saturating_add(REMOVED_AFTER);
        for (key, event) in page {
            if shared.label_events.is_stopping() {
                return true;
            }
            // A panic of the receiver is a failure like any other.
            let outcome = catch_unwind(AssertUnwindSafe(|| receiver(&event)));
            if !matches!(outcome, Ok(Ok(()))) {
                return false;
            }
            turn.received.push(key);
            if clock.monotonic() >= until {
                return true;
            }
        }
        true
    }

    fn remove_received(&self, turn: &mut Turn) -> Result<()> {
        if !turn.received.is_empty() {
            self.inner.change_outbox(OutboxChange::Remove(turn.received.clone()))?;
            turn.received.clear();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_minute() {
        let seconds = |failures| pause(failures).as_secs();
        assert_eq!([1, 2, 3, 6, 7, 8, 1000].map(seconds), [1, 2, 4, 32, 60, 60, 60]);
    }
}
