//! What a request costs over HTTP, as a ratio to a bare hyper server that answers the same bytes. Signed gets
//! and durable puts of 1 KiB, over 1 and over 16 connections that stay open. The server is the command as its
//! users run it: a process of its own, a vault on the disk, a log. The members of a round take turns.
//!
//! `cargo bench --bench http` (`-- --quick` for a short run). `STRONGROOM_BINARY` names another server.
//! Prints; judges nothing.
#![allow(clippy::pedantic, clippy::unwrap_used, clippy::indexing_slicing)]
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::result_large_err)]
#![allow(dead_code, unreachable_pub, missing_docs)]

#[path = "../tests/common/http.rs"]
mod http;
#[path = "../tests/common/sigv4.rs"]
mod sigv4;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use sigv4::Keys;
use std::convert::Infallible;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const SECRETS: usize = 1000;
const VALUE_BYTES: usize = 1024;
const CONNECTIONS: [usize; 2] = [1, 16];
/// So many signatures of gets take turns on a connection, and so many puts are signed ahead for each.
const GETS: usize = 64;
/// With this argument the program is the bare server.
const BARE: &str = "--bare-server";

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if arguments.iter().any(|argument| argument == BARE) {
        return bare_server();
    }
    let quick = arguments.iter().any(|argument| argument == "--quick" || argument == "--test");
    let (rounds, time) =
        if quick { (1, Duration::from_millis(100)) } else { (7, Duration::from_millis(1000)) };
    let folder = tempfile::tempdir().unwrap();
    let (server, keys) = Server::product(folder.path());
    let filler = "v".repeat(VALUE_BYTES);
    fill(&server.host, &keys, &filler, if quick { 20 } else { SECRETS });
    for (what, puts) in [("get", false), ("durable put", true)] {
        let sample = exchange(&server.host, &request(&server.host, &keys, &filler, puts, 0));
        let bare = Server::bare(&sample);
        for connections in CONNECTIONS {
            let mut rates = [Vec::new(), Vec::new()];
            for round in 0..rounds {
                for turn in 0..2 {
                    let member = (round + turn) % 2;
                    let host = if member == 0 { &bare.host } else { &server.host };
                    let ahead = if !puts {
                        GETS
                    } else if quick {
                        200
                    } else {
                        12_000 / connections
                    };
                    let make = |n| request(&server.host, &keys, &filler, puts, n);
                    rates[member].push(rate(host, connections, ahead, !puts, time, &make));
                }
            }
            report(what, connections, &rates);
        }
    }
}

/// One line: the rates, and the median of the ratios of the rounds.
fn report(what: &str, connections: usize, [bare, ours]: &[Vec<f64>; 2]) {
    let median = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    let ratios: Vec<f64> = ours.iter().zip(bare).map(|(ours, bare)| ours / bare).collect();
    let (low, high) = ratios
        .iter()
        .fold((f64::MAX, 0.0), |(low, high): (f64, f64), r| (low.min(*r), high.max(*r)));
    let (bare, ours) = (median(bare.clone()), median(ours.clone()));
    println!(
        "{what}, {connections:>2} connections: {:.2} of bare hyper ({low:.2} to {high:.2}); {ours:.0}/s of \
         {bare:.0}/s",
        median(ratios)
    );
}

/// A signed request: the `n`th get or put.
fn request(host: &str, keys: &Keys, filler: &str, put: bool, n: usize) -> Vec<u8> {
    static NEXT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    let now = sigv4::now_seconds();
    if put {
        let token = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = n % 16;
        let body = format!(
            r#"{{"SecretId":"secret-{name}","ClientRequestToken":"{token:0>32}","SecretString":"{filler}"}}"#
        );
        http::signed(host, keys, "PutSecretValue", &body, now)
    } else {
        let body = format!(r#"{{"SecretId":"secret-{}"}}"#, n % 16);
        http::signed(host, keys, "GetSecretValue", &body, now)
    }
}

/// Requests per second over so many connections. Each has its requests made ahead; gets are repeated.
fn rate(
    host: &str,
    connections: usize,
    ahead: usize,
    repeats: bool,
    time: Duration,
    make: &(dyn Fn(usize) -> Vec<u8> + Sync),
) -> f64 {
    let stop = AtomicBool::new(false);
    let clients: Vec<_> = (0..connections)
        .map(|client| {
            let requests: Vec<Vec<u8>> = (0..ahead).map(|n| make(client + n * 16)).collect();
            (TcpStream::connect(host).unwrap(), requests)
        })
        .collect();
    let started = Instant::now();
    let done: f64 = std::thread::scope(|scope| {
        let threads: Vec<_> = clients
            .into_iter()
            .map(|(mut stream, requests)| {
                let stop = &stop;
                scope.spawn(move || {
                    stream.set_nodelay(true).unwrap();
                    let (mut done, mut buffer) = (0_usize, vec![0; 16 * 1024]);
                    while !stop.load(Ordering::Relaxed) {
                        if done == requests.len() && !repeats {
                            break; // The rate counts its own time.
                        }
                        stream.write_all(&requests[done % requests.len()]).unwrap();
                        answer(&mut stream, &mut buffer);
                        done += 1;
                    }
                    done as f64 / started.elapsed().as_secs_f64()
                })
            })
            .collect();
        let until = started + time;
        while Instant::now() < until && threads.iter().any(|thread| !thread.is_finished()) {
            std::thread::sleep(Duration::from_millis(5));
        }
        stop.store(true, Ordering::Relaxed);
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    done
}

/// Reads one answer into the buffer. It must be a good one.
fn answer(stream: &mut TcpStream, buffer: &mut [u8]) -> usize {
    let mut read = 0;
    loop {
        let count = stream.read(&mut buffer[read..]).unwrap();
        assert!(count > 0, "the server has closed: {}", String::from_utf8_lossy(&buffer[..read]));
        read += count;
        let Some(end) = buffer[..read].windows(4).position(|four| four == b"\r\n\r\n") else {
            continue;
        };
        let head = std::str::from_utf8(&buffer[..end]).unwrap();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        if read >= end + 4 + length.unwrap().parse::<usize>().unwrap() {
            let text = String::from_utf8_lossy(&buffer[..read]);
            assert!(head.starts_with("HTTP/1.1 200"), "{text}");
            return read;
        }
    }
}

/// The answer to one request on a connection of its own.
fn exchange(host: &str, request: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(host).unwrap();
    stream.write_all(request).unwrap();
    let mut buffer = vec![0; 16 * 1024];
    let read = answer(&mut stream, &mut buffer);
    buffer.truncate(read);
    buffer
}

fn fill(host: &str, keys: &Keys, filler: &str, secrets: usize) {
    std::thread::scope(|scope| {
        for client in 0..16 {
            scope.spawn(move || {
                let mut connection = http::Client::connect(host, keys).unwrap();
                for n in (client..secrets.max(16)).step_by(16) {
                    let (name, token) = (format!("secret-{n}"), format!("fill{n:0>28}"));
                    let value = serde_json::json!(
                        {"Name": name, "ClientRequestToken": token, "SecretString": filler}
                    );
                    connection.ok("CreateSecret", &value);
                }
            });
        }
    });
}

/// A server in a process of its own.
struct Server {
    child: Child,
    host: String,
}

impl Server {
    /// The command, with a new vault in this folder.
    fn product(folder: &std::path::Path) -> (Self, Keys) {
        let binary = std::env::var_os("STRONGROOM_BINARY")
            .unwrap_or_else(|| env!("CARGO_BIN_EXE_strongroom").into());
        let mut command = Command::new(binary);
        command.arg("--vault").arg(folder.join("vault"));
        command.arg("--key-file").arg(folder.join("vault.key"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--print-credentials"]);
        let (child, lines) = Self::start(command.env("HOME", folder).stderr(Stdio::piped()));
        let value = |name: &str| {
            let start = format!("export {name}=");
            let found = lines.iter().find_map(|line| line.strip_prefix(&start));
            found.unwrap_or_else(|| panic!("no {name} in {lines:?}")).to_owned()
        };
        let host = value("AWS_ENDPOINT_URL_SECRETS_MANAGER").replace("http://", "");
        let keys = Keys {
            access_key_id: value("AWS_ACCESS_KEY_ID"),
            secret_access_key: value("AWS_SECRET_ACCESS_KEY"),
            region: value("AWS_REGION"),
        };
        (Self { child, host }, keys)
    }

    /// hyper alone: it reads a request and answers with the head and body of `sample`.
    fn bare(sample: &[u8]) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.arg(BARE).stdin(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(sample).unwrap();
        let host = BufReader::new(child.stderr.take().unwrap()).lines().next().unwrap().unwrap();
        Self { child, host }
    }

    /// Starts a server, reads its lines until it is ready, and goes on reading.
    fn start(command: &mut Command) -> (Child, Vec<String>) {
        let mut child = command.spawn().unwrap();
        let mut lines = Vec::new();
        let mut told = BufReader::new(child.stderr.take().unwrap()).lines();
        for line in told.by_ref() {
            lines.push(line.unwrap());
            if lines.last().is_some_and(|line| line == "Ready.") {
                break;
            }
        }
        std::thread::spawn(move || told.for_each(drop));
        (child, lines)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Answers everything that comes with the answer on its standard input. Prints its address.
fn bare_server() {
    let mut sample = Vec::new();
    std::io::stdin().read_to_end(&mut sample).unwrap();
    let end = sample.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let body = Bytes::copy_from_slice(&sample[end + 4..]);
    let head = std::str::from_utf8(&sample[..end]).unwrap();
    let headers: Vec<(&'static str, &'static str)> = head
        .lines()
        .filter_map(|line| line.split_once(": "))
        .filter(|(name, _)| !["content-length", "date"].contains(name))
        .map(|(name, value)| (&*name.to_owned().leak(), &*value.to_owned().leak()))
        .collect();
    let headers: &'static [(&'static str, &'static str)] = headers.leak();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async move {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        eprintln!("{}", listener.local_addr().unwrap());
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            let body = body.clone();
            let answer = move |request: Request<Incoming>| {
                let body = body.clone();
                async move {
                    let _ = request.into_body().collect().await;
                    let response =
                        headers.iter().fold(Response::builder(), |made, (name, value)| {
                            made.header(*name, *value)
                        });
                    Ok::<_, Infallible>(response.body(Full::new(body)).unwrap())
                }
            };
            tokio::spawn(
                http1::Builder::new()
                    .timer(TokioTimer::new())
                    .serve_connection(TokioIo::new(stream), service_fn(answer)),
            );
        }
    });
}
