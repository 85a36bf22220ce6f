//! What a request costs over HTTP, as a ratio to a bare hyper server that answers the same bytes. Signed gets
//! and durable puts of 1 KiB, over 1 and over 16 connections that stay open. The server is the command as its
//! users run it: a process of its own, a vault on the disk, a log. The members of a round take turns.
//!
//! Before it answers a put, the bare server appends the body of the request to blocks that were written
//! before and syncs them, once for all that wait (`Appends`). Beside the rates stands the processor time
//! that a request takes in each server. On a machine that others use, it tells more than the rates.
//!
//! `cargo bench --bench http` (`-- --quick` for a short run; `-- get` or `-- put` for one of the two).
//! `STRONGROOM_BINARY` names another server, `STRONGROOM_BEFORE` one more to compare with. Prints; judges
//! nothing.
#![allow(clippy::pedantic, clippy::unwrap_used, clippy::indexing_slicing)]
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::result_large_err)]
#![allow(dead_code, unreachable_pub, missing_docs)]

#[path = "../tests/common/exports.rs"]
mod exports;
#[path = "../tests/common/http.rs"]
mod http;
#[path = "../tests/common/sigv4.rs"]
mod sigv4;

use crossbeam::channel::{Receiver, Sender, bounded};
use exports::Exports;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use sigv4::Keys;
use std::convert::Infallible;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

const SECRETS: usize = 1000;
const VALUE_BYTES: usize = 1024;
const CONNECTIONS: [usize; 2] = [1, 16];
/// So many signatures of gets take turns on a connection, and so many puts are signed ahead for each.
const GETS: usize = 64;
/// With this argument the program is the bare server.
const BARE: &str = "--bare-server";

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let has = |name: &str| arguments.iter().any(|argument| argument == name);
    if let Some(at) = arguments.iter().position(|argument| argument == BARE) {
        return bare_server(arguments.get(at + 1).map(Path::new));
    }
    let quick = has("--quick") || has("--test");
    let (rounds, time) =
        if quick { (1, Duration::from_millis(100)) } else { (7, Duration::from_millis(1000)) };
    let folder = tempfile::tempdir().unwrap();
    let filler = "v".repeat(VALUE_BYTES);
    let (own, before) =
        (std::env::var_os("STRONGROOM_BINARY"), std::env::var_os("STRONGROOM_BEFORE"));
    let own = own.unwrap_or_else(|| env!("CARGO_BIN_EXE_strongroom").into());
    let products = [("strongroom", Some(own)), ("before", before)];
    let products: Vec<(&str, Server)> = products
        .into_iter()
        .filter_map(|(name, binary)| {
            let server = Server::product(&binary?, &folder.path().join(name));
            fill(&server, &filler, if quick { 20 } else { SECRETS });
            Some((name, server))
        })
        .collect();
    for (what, puts) in [("get", false), ("put", true)] {
        if (has("get") || has("put")) && !has(what) {
            continue;
        }
        let server = &products[0].1;
        let sample = exchange(&server.host, &request(server, &filler, puts, 0));
        // Signed like all others, though nobody looks.
        let bare = Server::bare(&sample, puts.then(|| folder.path()), &server.keys);
        let members: Vec<&Server> =
            std::iter::once(&bare).chain(products.iter().map(|(_, server)| server)).collect();
        for connections in CONNECTIONS {
            let mut figures = vec![Vec::new(); members.len()];
            for round in 0..rounds {
                for turn in 0..members.len() {
                    let member = (round + turn) % members.len();
                    let ahead = if !puts {
                        GETS
                    } else if quick {
                        200
                    } else {
                        12_000 / connections
                    };
                    let server = members[member];
                    let make = |n| request(server, &filler, puts, n);
                    figures[member].push(rate(server, connections, ahead, !puts, time, &make));
                }
            }
            for ((name, _), ours) in products.iter().zip(&figures[1..]) {
                report(&format!("{name}: {what}"), connections, &figures[0], ours);
            }
        }
    }
}

/// Requests per second, and the processor time of the server for each.
type Figure = (f64, Duration);

/// One line: the rates, and the medians of the ratios of the rounds.
fn report(what: &str, connections: usize, bare: &[Figure], ours: &[Figure]) {
    let sorted = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values
    };
    let median = |values: Vec<f64>| sorted(values)[ours.len() / 2];
    let rate = |figures: &[Figure]| median(figures.iter().map(|figure| figure.0).collect());
    let cpu =
        |figures: &[Figure]| median(figures.iter().map(|f| f.1.as_secs_f64() * 1e6).collect());
    let ratios = sorted(ours.iter().zip(bare).map(|(ours, bare)| ours.0 / bare.0).collect());
    let (low, high) = (ratios[0], ratios[ratios.len() - 1]);
    println!(
        "{what}, {connections:>2} connections: {:.2} of bare hyper ({low:.2} to {high:.2}); {:.0}/s of \
         {:.0}/s; {:.1} us of processor time, bare {:.1} us",
        median(ratios.clone()),
        rate(ours),
        rate(bare),
        cpu(ours),
        cpu(bare),
    );
}

/// A signed request: the `n`th get or put.
fn request(server: &Server, filler: &str, put: bool, n: usize) -> Vec<u8> {
    static NEXT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    let Server { host, keys, .. } = server;
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

/// What the server answers over so many connections. Each has its requests made ahead; gets are repeated.
fn rate(
    server: &Server,
    connections: usize,
    ahead: usize,
    repeats: bool,
    time: Duration,
    make: &(dyn Fn(usize) -> Vec<u8> + Sync),
) -> Figure {
    let stop = AtomicBool::new(false);
    let clients: Vec<_> = (0..connections)
        .map(|client| {
            let requests: Vec<Vec<u8>> = (0..ahead).map(|n| make(client + n * 16)).collect();
            (TcpStream::connect(&server.host).unwrap(), requests)
        })
        .collect();
    let (started, used) = (Instant::now(), server.cpu());
    let (rate, done) = std::thread::scope(|scope| {
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
                    (done as f64 / started.elapsed().as_secs_f64(), done)
                })
            })
            .collect();
        let until = started + time;
        while Instant::now() < until && threads.iter().any(|thread| !thread.is_finished()) {
            std::thread::sleep(Duration::from_millis(5));
        }
        stop.store(true, Ordering::Relaxed);
        let ended = threads.into_iter().map(|thread| thread.join().unwrap());
        ended.fold((0.0, 0), |(rate, done), (more, others)| (rate + more, done + others))
    });
    (rate, (server.cpu() - used) / u32::try_from(done).unwrap())
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

fn fill(server: &Server, filler: &str, secrets: usize) {
    std::thread::scope(|scope| {
        for client in 0..16 {
            scope.spawn(move || {
                let mut connection = http::Client::connect(&server.host, &server.keys).unwrap();
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
    keys: Keys,
}

impl Server {
    /// The command, with a new vault in this folder.
    fn product(binary: &OsStr, folder: &Path) -> Self {
        std::fs::create_dir(folder).unwrap();
        let mut command = Command::new(binary);
        command.arg("--vault").arg(folder.join("vault"));
        command.arg("--key-file").arg(folder.join("vault.key"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--print-credentials"]);
        let (child, lines) = Self::start(command.env("HOME", folder).stderr(Stdio::piped()));
        let exports = Exports::of(lines.iter().map(String::as_str));
        Self { child, host: exports.host(), keys: exports.keys() }
    }

    /// hyper alone: it reads a request and answers with the head and body of `sample`. In a folder it keeps
    /// the bodies of requests before it answers.
    fn bare(sample: &[u8], folder: Option<&Path>, keys: &Keys) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.arg(BARE).args(folder).stdin(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(sample).unwrap();
        let host = BufReader::new(child.stderr.take().unwrap()).lines().next().unwrap().unwrap();
        Self { child, host, keys: keys.clone() }
    }

    /// The processor time that it has used.
    fn cpu(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let after = stat.rsplit(')').next().unwrap();
        let ticks = after.split_whitespace().skip(11).take(2).map(|n| n.parse::<u64>().unwrap());
        Duration::from_millis(ticks.sum::<u64>() * 10)
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

/// A group commit without a vault: one thread appends what waits to blocks that were written before, syncs
/// once, and tells all.
struct Appends(Sender<(Bytes, oneshot::Sender<()>)>);

impl Appends {
    const FILE_BYTES: usize = 64 << 20;

    fn new(folder: &Path) -> Self {
        let file = File::create(folder.join("appends")).unwrap();
        file.write_all_at(&vec![0_u8; Self::FILE_BYTES], 0).unwrap();
        file.sync_all().unwrap();
        let (queue, waiting) = bounded(1024);
        std::thread::spawn(move || Self::run(&file, &waiting));
        Self(queue)
    }

    /// Waits a little for as many as the last two batches had, as the product does.
    fn run(file: &File, waiting: &Receiver<(Bytes, oneshot::Sender<()>)>) {
        let (mut at, mut last, mut before) = (0_usize, 0, 0);
        let mut commit = Duration::ZERO;
        while let Ok(first) = waiting.recv() {
            let mut batch = vec![first];
            let until = Instant::now() + (commit / 7).min(Duration::from_micros(500));
            while batch.len() < last + before {
                let Ok(next) = waiting.recv_deadline(until) else { break };
                batch.push(next);
            }
            batch.extend(waiting.try_iter().take(256 - batch.len().min(256)));
            let started = Instant::now();
            let bytes = batch.iter().flat_map(|(bytes, _)| bytes).copied().collect::<Vec<_>>();
            if at + bytes.len() > Self::FILE_BYTES {
                at = 0;
            }
            file.write_all_at(&bytes, at as u64).unwrap();
            file.sync_data().unwrap();
            at += bytes.len();
            (before, last) = (last, batch.len());
            batch.into_iter().for_each(|(_, done)| _ = done.send(()));
            commit = (commit + started.elapsed()) / 2;
        }
    }

    async fn append(&self, bytes: Bytes) {
        let (done, is_done) = oneshot::channel();
        self.0.send((bytes, done)).unwrap();
        is_done.await.unwrap();
    }
}

/// Answers everything that comes with the answer on its standard input, in a folder after it has kept the
/// body there. Prints its address.
fn bare_server(folder: Option<&Path>) {
    let appends: Option<&'static Appends> =
        folder.map(|folder| &*Box::leak(Box::new(Appends::new(folder))));
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
                    let asked = request.into_body().collect().await.unwrap().to_bytes();
                    if let Some(appends) = appends {
                        appends.append(asked).await;
                    }
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
