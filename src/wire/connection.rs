//! One connection: its phases, its time limits, and giving way to others (rules WIRE-NET-2, 4, 5).
//!
//! ```text
//! Fresh --first request--> Busy --answer--> Sending --last byte taken--> Idle --request--> Busy
//!   |  head_time                              |  write_time                |  idle_time
//!   +----------------------> closed <---------+----------------------------+
//! ```
//!
//! Only a connection that is not busy is ever given up for another, so that no request that was
//! begun loses its answer. The HTTP library bounds the time of later heads, idleness included.

use super::body::Answer;
use super::options::Limits;
use super::reply::{Failure, Reply};
use super::service::Service;
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
use tokio::net::TcpStream;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep_until};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    /// Nothing but perhaps a part of a head has come. First in order: first to give way.
    Fresh,
    /// All requests are answered.
    Idle,
    /// A request is being read or answered.
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

/// What the server knows about a connection.
pub(super) struct Connection {
    state: Mutex<State>,
    given_up: Notify,
}

impl Connection {
    pub(super) fn new() -> Self {
        let state = State { phase: Phase::Fresh, since: Instant::now(), requests: 0 };
        Self { state: Mutex::new(state), given_up: Notify::new() }
    }

    /// Its place in the order of giving way; `None` if it is busy.
    pub(super) fn priority(&self) -> Option<impl Ord + use<>> {
        let state = self.state();
        matches!(state.phase, Phase::Fresh | Phase::Idle).then_some((state.phase, state.since))
    }

    /// Closes it unless it is busy.
    pub(super) fn give_up(&self) -> bool {
        let mut state = self.state();
        let free = matches!(state.phase, Phase::Fresh | Phase::Idle);
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
        state.phase = Phase::Busy;
        state.requests += 1;
        Some(Busy(Arc::clone(self)))
    }

    /// When it is closed if it stays in its phase; `None` if the phase has no limit here.
    fn deadline(&self, limits: &Limits) -> Option<Instant> {
        let state = self.state();
        match state.phase {
            Phase::Fresh => Some(state.since + limits.head_time),
            Phase::Sending => Some(state.since + limits.write_time),
            Phase::Idle | Phase::Busy | Phase::Closing => None,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No panic is possible while it is held, and each field stands for itself.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request under way. Dropped when the last byte of its answer is taken, or the connection dies.
pub(super) struct Busy(Arc<Connection>);

impl Busy {
    fn sending(&self) {
        let mut state = self.0.state();
        (state.phase, state.since) = (Phase::Sending, Instant::now());
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.requests -= 1;
        if state.requests == 0 {
            (state.phase, state.since) = (Phase::Idle, Instant::now());
        }
    }
}

/// Serves a connection to its end.
pub(super) async fn serve(
    service: Arc<Service>,
    connection: Arc<Connection>,
    stream: TcpStream,
    mut stop: watch::Receiver<bool>,
) {
    // Answers are written whole; waiting for more to send only delays them.
    let _ = stream.set_nodelay(true);
    let Ok(local) = stream.local_addr() else { return };
    let limits = service.limits.clone();
    let handler = service_fn(|request| {
        let (service, connection) = (Arc::clone(&service), Arc::clone(&connection));
        async move { Ok::<_, Infallible>(handle(&service, &connection, request, local).await) }
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
                if connection.give_up() {
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
    local: SocketAddr,
) -> Response<Answer> {
    let Some(busy) = connection.begin() else {
        // Never sent: the connection is closed already.
        return respond(Failure::Unavailable.reply(), None, &service.request_id());
    };
    let reply = service.answer(request, local).await;
    busy.sending();
    respond(reply, Some(busy), &service.request_id())
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
mod tests {
    use super::*;

    #[test]
    fn a_busy_connection_does_not_give_way() {
        let connection = Arc::new(Connection::new());
        let busy = connection.begin();
        assert!(busy.is_some());
        assert!(!connection.give_up());
        drop(busy);
        assert!(connection.give_up());
        assert!(connection.begin().is_none(), "what was given up takes no request");
        assert!(!connection.give_up(), "once is enough");
    }

    #[test]
    fn half_a_head_gives_way_before_an_idle_client() {
        let idle = Arc::new(Connection::new());
        drop(idle.begin());
        let fresh = Connection::new();
        assert!(fresh.priority() < idle.priority());
        let busy = idle.begin();
        assert!(idle.priority().is_none());
        drop(busy);
    }

    #[test]
    fn a_pipelined_answer_does_not_make_the_next_request_idle() {
        let connection = Arc::new(Connection::new());
        let first = connection.begin();
        let second = connection.begin();
        drop(first);
        assert!(!connection.give_up());
        drop(second);
        assert!(connection.give_up());
    }
}
