//! Serves one connection: reads requests, hands them to the service of its port, sends the responses, and
//! enforces the time limits (rules WIRE-NET-2, 4, 5). The HTTP library bounds the time of later heads,
//! idleness included.

use super::stream::Stream;
use crate::wire::encoding::headers::X_AMZN_REQUESTID;
use crate::wire::http::body::Answer;
use crate::wire::http::phase::{Busy, Connection};
use crate::wire::observe::Cause;
use crate::wire::reply::{Reply, ReplyError};
use crate::wire::services::Service;
use hyper::body::Incoming;
use hyper::header::{CONNECTION, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use zeroize::Zeroizing;

/// How long and how much is still read from a client that is told to go. If it was cut off at once, the
/// system would tell it so before it has read its answer.
const LINGER_TIME: Duration = Duration::from_secs(1);
const LINGER_BYTES: usize = 4 * 1024 * 1024;
/// How long a client that sends on without hearing that it is refused is left alone. If it was cut off at
/// once, it would come back at once.
const DEAF_TIME: Duration = Duration::from_secs(1);

/// Which of the server's ports a connection came in by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Listener {
    /// The AWS API.
    Api,
    /// The read protocol of AWS's agent.
    Agent,
}

/// Serves a connection to its end.
pub(crate) async fn serve(
    service: Arc<Service>,
    connection: Arc<Connection>,
    (read, write): (OwnedReadHalf, Arc<OwnedWriteHalf>),
    listener: Listener,
    mut stop: watch::Receiver<bool>,
) {
    let socket: &TcpStream = (*write).as_ref();
    // Responses are written in one piece, so waiting for more only delays them.
    let _ = socket.set_nodelay(true);
    let Ok(local) = socket.local_addr() else { return };
    if listener == Listener::Agent {
        // As in AWS's agent, no packet leaves this machine. The port is loopback anyway, so a failure is
        // ignored.
        let _ = socket.set_ttl(1);
    }
    let _open = service.observer.connection();
    let limits = service.limits.clone();
    let handler = service_fn(|request| {
        let (service, connection) = (Arc::clone(&service), Arc::clone(&connection));
        async move {
            Ok::<_, Infallible>(handle(&service, &connection, request, (local, listener)).await)
        }
    });
    let stream = Stream { read, write: Arc::clone(&write), connection: Arc::clone(&connection) };
    let http = http1::Builder::new()
        .timer(TokioTimer::new()) // without one the next limit is silently off
        .header_read_timeout(limits.idle_time.max(limits.head_time))
        .max_buf_size(limits.head_bytes)
        .max_headers(limits.headers)
        .serve_connection(TokioIo::new(stream), handler);
    let mut http = pin!(http);
    let mut stopping = false;
    let ended = loop {
        let deadline = connection.deadline(&limits);
        let next_look = Instant::now() + limits.head_time.min(limits.write_time) / 4;
        tokio::select! {
            ended = &mut http => break ended,
            () = connection.given_up.notified() => return,
            _ = stop.wait_for(|stop| *stop), if !stopping => {
                // A body that is still on its way is waited for: no new connection needs the place.
                if connection.stop() {
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
    };
    // A client that has gone, or that was silent for too long, has nothing more to say.
    if let Err(error) = ended {
        if !error.is_parse() {
            return;
        }
        service.observer.refuse(Cause::NotHttp, &error.to_string());
    }
    let hears = connection.leave();
    let farewell = async {
        if hears {
            linger(socket).await;
        } else {
            sleep(DEAF_TIME).await;
        }
    };
    tokio::select! {
        () = farewell => (),
        () = connection.given_up.notified() => (),
        _ = stop.wait_for(|stop| *stop) => (),
    }
}

/// Reads what the client still sends, and drops it.
async fn linger(socket: &TcpStream) {
    let mut rest = 0;
    // It may be the rest of a body.
    let mut block = Zeroizing::new([0; 4096]);
    let _ = timeout(LINGER_TIME, async {
        while rest < LINGER_BYTES && socket.readable().await.is_ok() {
            match socket.try_read(block.as_mut_slice()) {
                Ok(0) => return,
                Ok(count) => rest += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => (),
                Err(_) => return,
            }
        }
    })
    .await;
}

async fn handle(
    service: &Service,
    connection: &Arc<Connection>,
    mut request: Request<Incoming>,
    (local, listener): (SocketAddr, Listener),
) -> Response<Answer> {
    let request_id = service.request_ids.next();
    let mut observed = service.observer.begin(&mut request, &request_id);
    let Some(busy) = connection.begin() else {
        // Never sent: the connection is closed already.
        return respond(ReplyError::Unavailable.reply(), None, &request_id);
    };
    if busy.ahead > 0 {
        // The requests of one connection do not keep others waiting.
        tokio::task::yield_now().await;
    }
    let is_wanted = || busy.read();
    let reply = match listener {
        Listener::Api => service.answer(request, local, &request_id, is_wanted).await,
        Listener::Agent => service.answer_agent(request, local, is_wanted).await,
    };
    observed.answered(&reply);
    let does_not_wait = busy.sending();
    let is_deaf = does_not_wait && reply.status.is_client_error() && !reply.close;
    if is_deaf {
        connection.is_deaf();
    }
    let close = reply.close || is_deaf || busy.ahead >= service.limits.requests_ahead;
    let reply = Reply { close, ..reply };
    respond(reply, Some(busy), &request_id)
}

fn respond(reply: Reply, busy: Option<Busy>, request_id: &str) -> Response<Answer> {
    let mut response = Response::new(Answer::new(reply.content, busy));
    *response.status_mut() = reply.status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(reply.content_type));
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert(&X_AMZN_REQUESTID, id);
    }
    if reply.close {
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}
