//! One connection: its phases, its time limits, and giving way to others (rules WIRE-NET-2, 4, 5).
//!
//! ```text
//! Fresh --head--> Reading --body--> Busy --answer--> Sending --last byte taken--> Idle --head--> Reading
//!   | head_time      | body_time                        | write_time                | idle_time
//!   +----------------+------------> closed <------------+---------------------------+
//! ```
//!
//! Only a connection that is not busy is ever given up for another, so that no operation that was
//! begun loses its answer. One whose body keeps the server waiting gives way too: a head costs its
//! sender nothing and no key, and a hundred of them must not keep others out. The HTTP library
//! bounds the time of later heads, idleness included.

use crate::wire::http::body::Answer;
use crate::wire::options::Limits;
use crate::wire::reply::{Failure, Reply};
use crate::wire::services::Service;
use hyper::body::Incoming;
use hyper::header::{CONNECTION, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep_until};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    /// Nothing but perhaps a part of a head has come. First in order: first to give way.
    Fresh,
    /// All requests are answered.
    Idle,
    /// The head of a request is there, its body is not; nothing has been done yet.
    Reading,
    /// A request is being answered.
    Busy,
    /// An answer is on its way out.
    Sending,
    /// Given up; takes no request.
    Closing,
}

struct State {
    phase: Phase,
    since: Instant,
    /// Requests whose answers have not been sent whole; more than one when a client pipelines.
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

/// Which of the server's ports a connection came in by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::wire) enum Door {
    /// The AWS API.
    Api,
    /// The read protocol of AWS's agent.
    Agent,
}

/// What the server knows about a connection.
pub(in crate::wire) struct Connection {
    state: Mutex<State>,
    given_up: Notify,
}

impl Connection {
    pub(in crate::wire) fn new() -> Self {
        let state = State { phase: Phase::Fresh, since: Instant::now(), requests: 0 };
        Self { state: Mutex::new(state), given_up: Notify::new() }
    }

    /// Its place in the order of giving way; `None` if it is busy. A body is waited for as long as
    /// `patience`.
    pub(in crate::wire) fn priority(&self, patience: Duration) -> Option<impl Ord + use<>> {
        let state = self.state();
        state.gives_way(patience).then_some((state.phase, state.since))
    }

    /// Closes it unless it is busy.
    pub(in crate::wire) fn give_up(&self, patience: Duration) -> bool {
        let mut state = self.state();
        let free = state.gives_way(patience);
        if free {
            state.phase = Phase::Closing;
            self.given_up.notify_one();
        }
        free
    }

    /// Begins a request. `None`: given up a moment ago.
    fn begin(self: &Arc<Self>) -> Option<Busy> {
        let mut state = self.state();
        if state.phase == Phase::Closing {
            return None;
        }
        state.requests += 1;
        // An answer that is still on its way out must not be lost with the next request's body.
        let first = state.requests == 1;
        state.phase = if first { Phase::Reading } else { Phase::Busy };
        state.since = Instant::now();
        Some(Busy(Arc::clone(self)))
    }

    /// When it is closed if it stays in its phase; `None` if the phase has no limit here.
    fn deadline(&self, limits: &Limits) -> Option<Instant> {
        let state = self.state();
        match state.phase {
            Phase::Fresh => Some(state.since + limits.head_time),
            Phase::Sending => Some(state.since + limits.write_time),
            Phase::Idle | Phase::Reading | Phase::Busy | Phase::Closing => None,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No panic is possible while it is held, and each field stands for itself.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request under way. Dropped when the last byte of its answer is taken, or the connection dies.
pub(in crate::wire) struct Busy(Arc<Connection>);

impl Busy {
    /// The request is whole. `false`: the connection was given up meanwhile, so that nobody would
    /// get the answer, and nothing must be done.
    fn read(&self) -> bool {
        let mut state = self.0.state();
        if state.phase == Phase::Reading {
            state.phase = Phase::Busy;
        }
        state.phase != Phase::Closing
    }

    fn sending(&self) {
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

/// Serves a connection to its end.
pub(in crate::wire) async fn serve(
    service: Arc<Service>,
    connection: Arc<Connection>,
    stream: TcpStream,
    door: Door,
    mut stop: watch::Receiver<bool>,
) {
    // Answers are written whole; waiting for more to send only delays them.
    let _ = stream.set_nodelay(true);
    let Ok(local) = stream.local_addr() else { return };
    if door == Door::Agent {
        // As AWS's agent: no packet leaves this machine. A second fence, so its failure is borne.
        let _ = stream.set_ttl(1);
    }
    let limits = service.limits.clone();
    let handler = service_fn(|request| {
        let (service, connection) = (Arc::clone(&service), Arc::clone(&connection));
        async move { Ok::<_, Infallible>(handle(&service, &connection, request, (local, door)).await) }
    });
    let http = http1::Builder::new()
        .timer(TokioTimer::new()) // without one the next limit is silently off
        .header_read_timeout(limits.idle_time.max(limits.head_time))
        .max_buf_size(limits.head_bytes)
        .max_headers(limits.headers)
        .serve_connection(TokioIo::new(stream), handler);
    let mut http = pin!(http);
    let mut stopping = false;
    loop {
        let deadline = connection.deadline(&limits);
        let next_look = Instant::now() + limits.head_time.min(limits.write_time) / 4;
        tokio::select! {
            _ = &mut http => return,
            () = connection.given_up.notified() => return,
            _ = stop.wait_for(|stop| *stop), if !stopping => {
                // Whoever is still sending a body is waited for: no other needs its place.
                if connection.give_up(Duration::MAX) {
                    return;
                }
                stopping = true;
                http.as_mut().graceful_shutdown();
            }
            () = sleep_until(deadline.map_or(next_look, |deadline| deadline.min(next_look))) => {
                if connection.deadline(&limits).is_some_and(|deadline| deadline <= Instant::now()) {
                    return;
                }
            }
        }
    }
}

async fn handle(
    service: &Service,
    connection: &Arc<Connection>,
    request: Request<Incoming>,
    (local, door): (SocketAddr, Door),
) -> Response<Answer> {
    let request_id = service.request_id();
    let Some(busy) = connection.begin() else {
        // Never sent: the connection is closed already.
        return respond(Failure::Unavailable.reply(), None, &request_id);
    };
    let is_wanted = || busy.read();
    let reply = match door {
        Door::Api => service.answer(request, local, &request_id, is_wanted).await,
        Door::Agent => service.answer_agent(request, local, is_wanted).await,
    };
    busy.sending();
    respond(reply, Some(busy), &request_id)
}

fn respond(reply: Reply, busy: Option<Busy>, request_id: &str) -> Response<Answer> {
    let mut response = Response::new(Answer::new(reply.content, busy));
    *response.status_mut() = reply.status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(reply.content_type));
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert("x-amzn-requestid", id);
    }
    if reply.close {
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
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
