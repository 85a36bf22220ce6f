//! hyper alone. It reads a request and answers with fixed bytes: at once, or when the body of the request is
//! durable by a group commit that lingers.

use crate::bare_log::BareLog;
use crate::group_commit::GroupCommit;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

type Headers = Arc<[(String, String)]>;

/// Reads the answer from standard input, prints its address to standard error, and serves until it is killed.
pub fn serve(durable: Option<&Path>) {
    let mut sample = Vec::new();
    std::io::stdin().read_to_end(&mut sample).expect("the answer comes on standard input");
    let end =
        sample.windows(4).position(|four| four == b"\r\n\r\n").expect("the answer has a head");
    let body = Bytes::copy_from_slice(&sample[end + 4..]);
    let head = std::str::from_utf8(&sample[..end]).expect("the head is text");
    let headers: Headers = head
        .lines()
        .filter_map(|line| line.split_once(": "))
        .filter(|(name, _)| !["content-length", "date"].contains(name))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let group = durable.map(|dir| {
        let mut log = BareLog::new(dir, true);
        Arc::new(GroupCommit::new(true, move |batch: Vec<Bytes>| log.write(&batch.concat())))
    });
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.expect("the runtime starts").block_on(async move {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        eprintln!("{}", listener.local_addr().expect("the listener has an address"));
        loop {
            let Ok((stream, _)) = listener.accept().await else { continue };
            let _ = stream.set_nodelay(true);
            let (headers, body, group) = (Arc::clone(&headers), body.clone(), group.clone());
            let service = service_fn(move |request| {
                answer(request, Arc::clone(&headers), body.clone(), group.clone())
            });
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .serve_connection(TokioIo::new(stream), service);
            tokio::spawn(connection);
        }
    });
}

async fn answer(
    request: Request<Incoming>,
    headers: Headers,
    body: Bytes,
    group: Option<Arc<GroupCommit<Bytes>>>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let received = request.into_body().collect().await;
    if let (Some(group), Ok(received)) = (group, received) {
        group.submit(received.to_bytes()).await.expect("the committing thread lives");
    }
    let made = headers.iter().fold(Response::builder(), |made, (name, value)| {
        made.header(name.as_str(), value.as_str())
    });
    Ok(made.body(Full::new(body)).expect("the headers are good"))
}
