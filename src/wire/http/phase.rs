//! The phase that a connection is in, its time limit, and whether it gives way to others (rules WIRE-NET-2,
//! 4, 5).
//!
//! ```text
//! Fresh --head--> Reading --body--> Busy --answer--> Sending --last byte taken--> Idle --head--> Reading
//!   | head_time      | body_time                        | write_time                | idle_time
//!   +----------------+------------> closed <------------+---------------------------+
//! ```
//!
//! A full server closes a connection to make room for a new one, but never one whose request it is answering.
//! A connection that is slow to send its body can be closed too: a head costs its sender nothing, and a
//! hundred of them must not keep others out.

use crate::wire::options::Limits;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    /// At most a part of a head has come. The first in order is closed first.
    Fresh,
    /// All requests are answered.
    Idle,
    /// The head of a request has come, its body has not. Nothing has been done yet.
    Reading,
    /// A request is being answered.
    Busy,
    /// A response is being sent.
    Sending,
    /// Being closed. Takes no request.
    Closing,
}

struct State {
    phase: Phase,
    since: Instant,
    /// Requests whose responses are not sent completely. More than one if a client pipelines.
    requests: usize,
}

impl State {
    fn gives_way(&self, patience: Duration) -> bool {
        match self.phase {
            Phase::Fresh | Phase::Idle => true,
            Phase::Reading => self.since.elapsed() >= patience,
            Phase::Busy | Phase::Sending | Phase::Closing => false,
        }
    }
}

/// What the server knows about a connection.
pub(crate) struct Connection {
    state: Mutex<State>,
    pub(crate) given_up: Notify,
}

impl Connection {
    pub(crate) fn new() -> Self {
        let state = State { phase: Phase::Fresh, since: Instant::now(), requests: 0 };
        Self { state: Mutex::new(state), given_up: Notify::new() }
    }

    /// Its place in the order in which connections are closed for new ones. `None` if it is busy. A
    /// connection that waits for a body counts as busy for `patience`.
    pub(crate) fn priority(&self, patience: Duration) -> Option<impl Ord + use<>> {
        let state = self.state();
        state.gives_way(patience).then_some((state.phase, state.since))
    }

    /// Closes it unless it is busy.
    pub(crate) fn give_up(&self, patience: Duration) -> bool {
        let mut state = self.state();
        let free = state.gives_way(patience);
        if free {
            state.phase = Phase::Closing;
            self.given_up.notify_one();
        }
        free
    }

    /// Begins a request. `None` if the connection was closed a moment ago.
    pub(crate) fn begin(self: &Arc<Self>) -> Option<Busy> {
        let mut state = self.state();
        if state.phase == Phase::Closing {
            return None;
        }
        state.requests += 1;
        // A response that is still being sent must not be lost because the next request's body is slow.
        let first = state.requests == 1;
        state.phase = if first { Phase::Reading } else { Phase::Busy };
        state.since = Instant::now();
        Some(Busy(Arc::clone(self)))
    }

    /// When it is closed if it stays in its phase; `None` if the phase has no limit here.
    pub(crate) fn deadline(&self, limits: &Limits) -> Option<Instant> {
        let state = self.state();
        match state.phase {
            Phase::Fresh => Some(state.since + limits.head_time),
            Phase::Sending => Some(state.since + limits.write_time),
            Phase::Idle | Phase::Reading | Phase::Busy | Phase::Closing => None,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is held, and its fields are independent.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A running request. Dropped when the last byte of its response is taken or the connection ends.
pub(crate) struct Busy(Arc<Connection>);

impl Busy {
    /// Called when the request is complete. `false` if the connection was closed meanwhile: nobody would get
    /// the response, so the request must have no effect.
    pub(crate) fn read(&self) -> bool {
        let mut state = self.0.state();
        if state.phase == Phase::Reading {
            state.phase = Phase::Busy;
        }
        state.phase != Phase::Closing
    }

    pub(crate) fn sending(&self) {
        let mut state = self.0.state();
        if state.phase != Phase::Closing {
            (state.phase, state.since) = (Phase::Sending, Instant::now());
        }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.requests -= 1;
        if state.requests == 0 && state.phase != Phase::Closing {
            (state.phase, state.since) = (Phase::Idle, Instant::now());
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_millis(20);

    /// WIRE-NET-2
    #[test]
    fn a_body_that_does_not_come_gives_way_and_is_not_acted_on() {
        let connection = Arc::new(Connection::new());
        let stalled = connection.begin().unwrap();
        assert!(connection.priority(Duration::MAX).is_none());
        std::thread::sleep(PATIENCE);
        assert!(connection.priority(PATIENCE).is_some());
        assert!(!connection.give_up(Duration::MAX), "a stop waits for it");
        assert!(connection.give_up(PATIENCE));
        assert!(!stalled.read(), "nothing is done for whom nobody hears");
        drop(stalled);
        assert!(connection.begin().is_none());
    }

    /// WIRE-NET-2
    #[test]
    fn a_busy_connection_does_not_give_way() {
        let connection = Arc::new(Connection::new());
        let busy = connection.begin();
        assert!(busy.as_ref().is_some_and(Busy::read));
        assert!(!connection.give_up(Duration::ZERO));
        drop(busy);
        assert!(connection.give_up(Duration::ZERO));
        assert!(connection.begin().is_none(), "what was given up takes no request");
        assert!(!connection.give_up(Duration::ZERO), "once is enough");
    }

    /// WIRE-NET-2
    #[test]
    fn half_a_head_gives_way_before_an_idle_client() {
        let idle = Arc::new(Connection::new());
        drop(idle.begin());
        let fresh = Connection::new();
        assert!(fresh.priority(Duration::ZERO) < idle.priority(Duration::ZERO));
        let busy = idle.begin();
        assert!(fresh.priority(Duration::ZERO) < idle.priority(Duration::ZERO), "even a body");
        busy.as_ref().map(Busy::read);
        assert!(idle.priority(Duration::ZERO).is_none());
        drop(busy);
    }

    #[test]
    fn a_pipelined_answer_does_not_make_the_next_request_idle() {
        let connection = Arc::new(Connection::new());
        let first = connection.begin();
        let second = connection.begin();
        drop(first);
        assert!(!connection.give_up(Duration::ZERO));
        drop(second);
        assert!(connection.give_up(Duration::ZERO));
    }
}
