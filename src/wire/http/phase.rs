//! The phase that a connection is in, its time limit, and whether it gives way to others (rules WIRE-NET-2,
//! 4, 5, CONN-1 to 5).
//!
//! ```text
//! Fresh --head--> Reading --body--> Busy --answer--> Sending --last byte taken--> Idle --head--> Reading
//!   | head_time      | body_time                        | write_time                | idle_time
//!   +----------------+------------> closed <------------+---------------------------+
//! ```
//!
//! A full server closes a connection to make room for a new one, but never one that is active: one whose
//! request it is answering, one that sends or takes bytes, or one whose next request has already arrived. A
//! client that stalls costs its sender nothing, and a thousand of them must not keep others out.

use crate::wire::options::Limits;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;
use tokio::time::Instant;

/// So many bytes are progress. Fewer are not: a client that sends one now and then would hold its place.
const PROGRESS_BYTES: usize = 1024;

/// When bytes last moved, and how many did since then.
pub(super) struct Progress {
    at: Instant,
    bytes: usize,
}

impl Progress {
    pub(super) fn begin() -> Self {
        Self { at: Instant::now(), bytes: 0 }
    }

    /// Notes bytes that moved.
    pub(super) fn moved(&mut self, count: usize) {
        self.bytes = self.bytes.saturating_add(count);
        if self.bytes >= PROGRESS_BYTES {
            *self = Self::begin();
        }
    }

    /// When it is a stall if nothing more moves.
    pub(super) fn ends(&self, limits: &Limits) -> Instant {
        self.at + limits.stall_time
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    /// All is answered, and the client is told to go. The first in order is closed first.
    Leaving,
    /// At most a part of a head has come.
    Fresh,
    /// All requests are answered.
    Idle,
    /// The head of a request has come, its body has not. Nothing has been done yet.
    Reading,
    /// A response is being sent.
    Sending,
    /// A request is being answered.
    Busy,
    /// Being closed. Takes no request.
    Closing,
}

struct State {
    phase: Phase,
    since: Instant,
    /// Of bytes in either direction.
    progress: Progress,
    /// Requests whose responses are not sent completely. More than one if a client pipelines.
    requests: usize,
    /// Whether bytes came since the last answer was made.
    has_received: bool,
    /// Whether more bytes had come before the last answer was made.
    is_ahead: bool,
    /// Requests in a row that were sent before the answer to the one before.
    ahead: usize,
    /// The client sends on without hearing that it is refused.
    is_deaf: bool,
}

impl State {
    fn enter(&mut self, phase: Phase) {
        (self.phase, self.since, self.progress) = (phase, Instant::now(), Progress::begin());
    }

    fn gives_way(&self, limits: &Limits) -> bool {
        match self.phase {
            Phase::Leaving => true,
            Phase::Fresh | Phase::Reading | Phase::Sending => {
                self.progress.ends(limits) <= Instant::now()
            }
            Phase::Idle => self.since.elapsed() >= limits.idle_patience,
            Phase::Busy | Phase::Closing => false,
        }
    }
}

/// What the server knows about a connection.
pub(crate) struct Connection {
    state: Mutex<State>,
    /// How many bytes have arrived that the server has not read.
    unread: Box<dyn Fn() -> u64 + Send + Sync>,
    pub(crate) given_up: Notify,
}

impl Connection {
    pub(crate) fn new(unread: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        let state = State {
            phase: Phase::Fresh,
            since: Instant::now(),
            progress: Progress::begin(),
            requests: 0,
            has_received: false,
            is_ahead: false,
            ahead: 0,
            is_deaf: false,
        };
        Self { state: Mutex::new(state), unread: Box::new(unread), given_up: Notify::new() }
    }

    /// Its place in the order in which connections are closed for new ones. `None` if it is active.
    pub(crate) fn priority(&self, limits: &Limits) -> Option<impl Ord + use<>> {
        let state = self.state();
        state.gives_way(limits).then_some((state.phase, state.since))
    }

    /// Closes it unless it is active.
    pub(crate) fn give_up(&self, limits: &Limits) -> bool {
        let mut state = self.state();
        if !state.gives_way(limits) {
            return false;
        }
        // Bytes may have come that the server has not read yet: then it is the server that stalls.
        let sends = matches!(state.phase, Phase::Fresh | Phase::Idle | Phase::Reading);
        if sends && (self.unread)() > 0 {
            return false;
        }
        state.phase = Phase::Closing;
        self.given_up.notify_one();
        true
    }

    /// Closes it unless a request has begun.
    pub(crate) fn stop(&self) -> bool {
        let mut state = self.state();
        let unused = matches!(state.phase, Phase::Leaving | Phase::Fresh | Phase::Idle);
        if unused {
            state.phase = Phase::Closing;
        }
        unused
    }

    /// Notes that all is answered and that the client is told to go. Returns whether it hears that.
    pub(crate) fn leave(&self) -> bool {
        let mut state = self.state();
        state.enter(Phase::Leaving);
        !state.is_deaf
    }

    /// Notes that the client sends on without hearing that it is refused.
    pub(crate) fn is_deaf(&self) {
        self.state().is_deaf = true;
    }

    /// Notes bytes that came.
    pub(crate) fn received(&self, count: usize) {
        let mut state = self.state();
        // The first bytes of a next request: it is not idle, but bytes one by one do not keep its place.
        if state.phase == Phase::Idle && !state.has_received {
            state.since = Instant::now();
        }
        state.has_received = true;
        state.progress.moved(count);
    }

    /// Notes bytes that the network took.
    pub(crate) fn sent(&self, count: usize) {
        self.state().progress.moved(count);
    }

    /// Begins a request. `None` if the connection was closed a moment ago.
    pub(crate) fn begin(self: &Arc<Self>) -> Option<Busy> {
        let mut state = self.state();
        if matches!(state.phase, Phase::Closing | Phase::Leaving) {
            return None;
        }
        let was_there = state.phase != Phase::Fresh && (state.is_ahead || !state.has_received);
        state.ahead = if was_there { state.ahead + 1 } else { 0 };
        state.requests += 1;
        state.enter(Phase::Reading);
        Some(Busy { connection: Arc::clone(self), ahead: state.ahead })
    }

    /// When it is closed if it stays in its phase; `None` if the phase has no limit here.
    pub(crate) fn deadline(&self, limits: &Limits) -> Option<Instant> {
        let state = self.state();
        match state.phase {
            Phase::Fresh => Some(state.since + limits.head_time),
            Phase::Sending => Some(state.since + limits.write_time),
            Phase::Leaving | Phase::Idle | Phase::Reading | Phase::Busy | Phase::Closing => None,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is held, and its fields are independent.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A running request. Dropped when the last byte of its response is taken or the connection ends.
pub(crate) struct Busy {
    connection: Arc<Connection>,
    /// How many requests in a row, this one included, came before the answer to the one before.
    pub(crate) ahead: usize,
}

impl Busy {
    /// Called when the request is complete. `false` if the connection was closed meanwhile: nobody would get
    /// the response, so the request must have no effect.
    pub(crate) fn read(&self) -> bool {
        let mut state = self.connection.state();
        if state.phase == Phase::Reading {
            state.enter(Phase::Busy);
        }
        state.phase != Phase::Closing
    }

    /// Called when the response is made and before any of it is sent. Returns whether the client has not
    /// waited for it or for the one before.
    pub(crate) fn sending(&self) -> bool {
        let is_ahead = (self.connection.unread)() > 0;
        let mut state = self.connection.state();
        (state.is_ahead, state.has_received) = (is_ahead, false);
        if state.phase != Phase::Closing {
            state.enter(Phase::Sending);
        }
        is_ahead || self.ahead > 0
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let mut state = self.connection.state();
        state.requests -= 1;
        if state.requests == 0 && !matches!(state.phase, Phase::Closing | Phase::Leaving) {
            state.enter(Phase::Idle);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    fn limits(millis: u64) -> Limits {
        let time = Duration::from_millis(millis);
        Limits { stall_time: time, idle_patience: time, ..Limits::default() }
    }

    fn connection() -> Arc<Connection> {
        Arc::new(Connection::new(|| 0))
    }

    /// WIRE-NET-2, CONN-3
    #[test]
    fn a_body_that_does_not_come_gives_way_and_is_not_acted_on() {
        let connection = connection();
        let stalled = connection.begin().unwrap();
        assert!(connection.priority(&limits(10_000)).is_none());
        assert!(!connection.stop(), "a stop waits for it");
        std::thread::sleep(Duration::from_millis(20));
        assert!(connection.priority(&limits(20)).is_some());
        connection.received(PROGRESS_BYTES - 1);
        assert!(connection.priority(&limits(20)).is_some(), "a few bytes are no progress");
        connection.received(1);
        assert!(connection.priority(&limits(20)).is_none());
        assert!(connection.give_up(&limits(0)));
        assert!(!stalled.read(), "nothing is done for whom nobody hears");
        drop(stalled);
        assert!(connection.begin().is_none());
    }

    /// WIRE-NET-2, CONN-2
    #[test]
    fn a_busy_connection_does_not_give_way() {
        let connection = connection();
        let busy = connection.begin();
        assert!(busy.as_ref().is_some_and(Busy::read));
        assert!(!connection.give_up(&limits(0)));
        drop(busy);
        assert!(!connection.give_up(&limits(10_000)), "nor one that was busy a moment ago");
        assert!(connection.give_up(&limits(0)));
        assert!(connection.begin().is_none(), "what was given up takes no request");
        assert!(!connection.give_up(&limits(0)), "once is enough");
    }

    /// CONN-3
    #[test]
    fn a_client_that_takes_nothing_gives_way() {
        let connection = connection();
        let busy = connection.begin().unwrap();
        assert!(busy.read());
        busy.sending();
        std::thread::sleep(Duration::from_millis(20));
        connection.sent(PROGRESS_BYTES);
        assert!(!connection.give_up(&limits(20)));
        std::thread::sleep(Duration::from_millis(20));
        assert!(connection.give_up(&limits(20)));
    }

    /// CONN-2
    #[test]
    fn a_request_that_has_arrived_keeps_its_connection() {
        let unread = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&unread);
        let connection = Arc::new(Connection::new(move || counted.load(Ordering::Relaxed)));
        drop(connection.begin());
        unread.store(1, Ordering::Relaxed);
        assert!(!connection.give_up(&limits(0)));
        unread.store(0, Ordering::Relaxed);
        assert!(connection.give_up(&limits(0)));
    }

    /// WIRE-NET-2
    #[test]
    fn half_a_head_gives_way_before_an_idle_client() {
        let idle = connection();
        drop(idle.begin());
        let fresh = connection();
        assert!(fresh.priority(&limits(0)) < idle.priority(&limits(0)));
        let busy = idle.begin();
        assert!(fresh.priority(&limits(0)) < idle.priority(&limits(0)), "even a body");
        busy.as_ref().map(Busy::read);
        assert!(idle.priority(&limits(0)).is_none());
        drop(busy);
    }

    #[test]
    fn a_pipelined_answer_does_not_make_the_next_request_idle() {
        let connection = connection();
        let first = connection.begin();
        let second = connection.begin();
        drop(first);
        assert!(!connection.stop());
        drop(second);
        assert!(connection.stop());
    }

    /// CONN-5
    #[test]
    fn requests_that_do_not_wait_for_answers_are_counted() {
        let unread = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&unread);
        let connection = Arc::new(Connection::new(move || counted.load(Ordering::Relaxed)));
        let ahead = |more: u64, received: usize| {
            if received > 0 {
                connection.received(received);
            }
            let busy = connection.begin().unwrap();
            unread.store(more, Ordering::Relaxed);
            busy.sending();
            busy.ahead
        };
        assert_eq!(ahead(0, 100), 0);
        assert_eq!(ahead(0, 100), 0, "it came after the answer");
        assert_eq!(ahead(0, 0), 1, "it came together with the one before");
        assert_eq!(ahead(300, 0), 2);
        assert_eq!(ahead(300, 300), 3, "it was there before the answer");
        assert_eq!(ahead(0, 300), 4);
        assert_eq!(ahead(0, 300), 0);
    }
}
