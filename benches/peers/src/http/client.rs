//! Connections that send requests made ahead, one after the other, and read the answers.

use crate::measure::{Random, Values, percentiles};
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Secrets that the requests draw from. All servers have them.
pub const SECRETS: usize = 1000;
/// So many gets take turns on a connection.
const GETS: usize = 1000;
/// So many puts are made ahead for all connections together: no token is used twice.
const PUTS: usize = 16_000;

/// Sends the requests up to this number over so many connections.
pub fn send_all(
    host: &str,
    connections: usize,
    count: usize,
    make: &(dyn Fn(usize) -> Vec<u8> + Sync),
) {
    std::thread::scope(|scope| {
        for client in 0..connections.min(count) {
            scope.spawn(move || {
                let mut connection = Connection::open(host).expect("the server takes connections");
                for n in (client..count).step_by(connections) {
                    connection.exchange(&make(n)).expect("the server answers");
                }
            });
        }
    });
}

/// Requests per second over so many connections, and their latencies. `make` gets the number of a secret; the
/// same are drawn for all servers.
pub fn rate(
    host: &str,
    connections: usize,
    puts: bool,
    time: Duration,
    make: &(dyn Fn(usize) -> Vec<u8> + Sync),
) -> Values {
    let ahead = if puts { PUTS / connections } else { GETS };
    let requests: Vec<Vec<Vec<u8>>> = (0..connections)
        .map(|client| {
            let mut random = Random::new(client as u64);
            (0..ahead).map(|_| make(random.below(SECRETS))).collect()
        })
        .collect();
    let stop = AtomicBool::new(false);
    let begun = Instant::now();
    let done: Vec<(f64, Vec<Duration>)> = std::thread::scope(|scope| {
        let threads: Vec<_> = requests
            .iter()
            .map(|requests| {
                let stop = &stop;
                scope.spawn(move || {
                    let mut connection =
                        Connection::open(host).expect("the server takes connections");
                    let mut took = Vec::new();
                    while !stop.load(Ordering::Relaxed) && (took.len() < ahead || !puts) {
                        let begun = Instant::now();
                        connection
                            .exchange(&requests[took.len() % ahead])
                            .expect("the server answers");
                        took.push(begun.elapsed());
                    }
                    // Who runs out of requests has its own time.
                    (took.len() as f64 / begun.elapsed().as_secs_f64(), took)
                })
            })
            .collect();
        while begun.elapsed() < time && threads.iter().any(|thread| !thread.is_finished()) {
            std::thread::sleep(Duration::from_millis(5));
        }
        stop.store(true, Ordering::Relaxed);
        threads.into_iter().map(|thread| thread.join().expect("no connection fails")).collect()
    });
    let rate = done.iter().map(|(rate, _)| rate).sum();
    let mut took: Vec<Duration> = done.into_iter().flat_map(|(_, took)| took).collect();
    let mut values = percentiles("", &mut took);
    values.insert("rate".to_owned(), rate);
    values
}

/// The answer to one request on a connection of its own.
pub fn exchange(host: &str, request: &[u8]) -> Vec<u8> {
    let mut connection = Connection::open(host).expect("the server takes connections");
    connection.exchange(request).expect("the server answers").to_vec()
}

struct Connection<'a> {
    host: &'a str,
    stream: TcpStream,
    buffer: Vec<u8>,
    /// The server closes it after this answer.
    ends: bool,
}

impl<'a> Connection<'a> {
    fn open(host: &'a str) -> io::Result<Self> {
        let stream = TcpStream::connect(host)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        Ok(Self { host, stream, buffer: vec![0; 16 * 1024], ends: false })
    }

    /// Sends a request and reads its answer, which must be a good one.
    fn exchange(&mut self, request: &[u8]) -> io::Result<&[u8]> {
        if self.ends {
            *self = Self::open(self.host)?;
        }
        self.stream.write_all(request)?;
        let mut read = 0;
        loop {
            let count = self.stream.read(&mut self.buffer[read..])?;
            let text = || String::from_utf8_lossy(&self.buffer[..read]);
            assert!(count > 0, "the server has closed: {}", text());
            read += count;
            let Some(end) = self.buffer[..read].windows(4).position(|four| four == b"\r\n\r\n")
            else {
                continue;
            };
            let head = &self.buffer[..end];
            let length = header(head, "content-length").and_then(|length| length.parse().ok());
            let length: usize = length.expect("the answer says its length");
            if read >= end + 4 + length {
                let is_good =
                    head.starts_with(b"HTTP/1.1 200") || head.starts_with(b"HTTP/1.0 200");
                assert!(is_good, "{}", String::from_utf8_lossy(&self.buffer[..read]));
                self.ends =
                    head.starts_with(b"HTTP/1.0") || header(head, "connection") == Some("close");
                return Ok(&self.buffer[..read]);
            }
        }
    }
}

fn header<'h>(head: &'h [u8], name: &str) -> Option<&'h str> {
    let mut lines = std::str::from_utf8(head).ok()?.lines();
    lines.find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then_some(value.trim())
    })
}
