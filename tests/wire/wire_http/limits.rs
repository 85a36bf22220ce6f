//! Slow, greedy and many clients; stopping.

use crate::client::{Request, Running, Wire};
use serde_json::json;
use std::io::Read;
use std::time::{Duration, Instant};
use strongroom::__internals::wire::{Auth, Limits};

const SOON: Duration = Duration::from_secs(5);

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn half_a_head(server: &Running) -> Wire {
    let mut wire = server.connect();
    wire.write(b"POST / HTTP/1.1\r\nhost: 127.0.0.1\r\nx-slow: ");
    wire
}

/// WIRE-NET-2: Goal: clients that never finish a request do not keep others out. Method: five times as many
/// of them as there are connections, then a good client; then wait for all of them to be gone.
#[test]
fn half_requests_starve_nobody_and_are_reaped() {
    let limits = Limits { connections: 100, head_time: millis(2000), ..Limits::default() };
    let server = Running::start(Auth::None, limits);
    let mut slow: Vec<Wire> = (0..500).map(|_| half_a_head(&server)).collect();
    for _ in 0..5 {
        let start = Instant::now();
        server.call("ListSecrets", "{}").ok();
        assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
    }
    for wire in &mut slow {
        assert!(wire.time_to_end() < SOON);
    }
}

/// WIRE-NET-2: Goal: heads alone, which need no key, do not keep others out. Method: as many requests without
/// their bodies as there are connections, then a good client after `stall_time`.
#[test]
fn requests_without_their_bodies_starve_nobody() {
    let limits = Limits { connections: 20, stall_time: millis(300), ..Limits::default() };
    let server = Running::start(Auth::None, limits);
    let mut stalled: Vec<Wire> = (0..20).map(|_| server.connect()).collect();
    for wire in &mut stalled {
        wire.write(b"POST / HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 100000\r\n\r\n{");
    }
    std::thread::sleep(millis(500));
    for _ in 0..30 {
        server.call("ListSecrets", "{}").ok();
    }
}

/// WIRE-NET-4
#[test]
fn a_head_must_come_in_time() {
    let limits = Limits { head_time: millis(300), ..Limits::default() };
    let server = Running::start(Auth::None, limits);
    let mut silent = server.connect();
    let mut half = half_a_head(&server);
    let mut drip = half_a_head(&server);
    let start = Instant::now();
    while start.elapsed() < millis(250) {
        drip.write(b"x");
        std::thread::sleep(millis(20));
    }
    for wire in [&mut silent, &mut half, &mut drip] {
        assert!(wire.time_to_end() < SOON);
    }
    assert!(start.elapsed() >= millis(250), "not before its time");
}

/// WIRE-NET-4
#[test]
fn a_body_must_come_in_time() {
    let limits = Limits { body_time: millis(300), ..Limits::default() };
    let server = Running::start(Auth::None, limits);
    let mut wire = server.connect();
    let request = Request::new(&wire.host, "ListSecrets", b"{}");
    wire.write(&request.head());
    let response = wire.read().unwrap();
    assert_eq!(response.status, 408);
    assert!(wire.time_to_end() < SOON);
}

/// WIRE-NET-4
#[test]
fn an_idle_connection_ends_and_a_used_one_stays() {
    let limits = Limits { idle_time: millis(600), head_time: millis(400), ..Limits::default() };
    let server = Running::start(Auth::None, limits);
    let mut wire = server.connect();
    for _ in 0..5 {
        wire.call("ListSecrets", b"{}").ok();
        std::thread::sleep(millis(200));
    }
    let start = Instant::now();
    assert!(wire.time_to_end() < SOON);
    assert!(start.elapsed() > millis(200), "not before its time");
    // Half a head on a used connection is bounded by the same time.
    let mut wire = server.connect();
    wire.call("ListSecrets", b"{}").ok();
    wire.write(b"POST / HTT");
    assert!(wire.time_to_end() < SOON);
}

/// WIRE-NET-1, WIRE-NET-3, WIRE-NET-4, WIRE-NET-6: the figures. The tests around this one show what
/// each of them does.
#[test]
fn the_limits_are_those_that_are_written() {
    let limits = Limits::default();
    let numbers = (limits.head_bytes, limits.headers, limits.body_bytes);
    assert_eq!(numbers, (16 * 1024, 64, 1024 * 1024));
    assert_eq!((limits.connections, limits.writes_in_flight), (2048, 512));
    assert_eq!(limits.requests_ahead, 16);
    let times = [
        limits.head_time,
        limits.body_time,
        limits.idle_time,
        limits.write_time,
        limits.drain_time,
    ];
    assert_eq!(times.map(|time| time.as_secs()), [10, 30, 15, 30, 10]);
}

/// WIRE-NET-4: a client that asks for more than the network holds and takes nothing of it.
#[test]
fn an_answer_must_be_taken_in_time() {
    let limits =
        Limits { write_time: millis(300), requests_ahead: usize::MAX, ..Limits::default() };
    let server = Running::start(Auth::None, limits);
    let body = json!({"Name": "long", "ClientRequestToken": "t".repeat(32),
        "SecretString": "x".repeat(65_536)});
    server.call("CreateSecret", &body.to_string()).ok();
    let mut wire = server.connect();
    let request = Request::new(&wire.host, "GetSecretValue", br#"{"SecretId":"long"}"#).bytes();
    const ASKED: usize = 400;
    wire.stream.set_write_timeout(Some(SOON)).unwrap();
    for _ in 0..ASKED {
        wire.write(&request);
    }
    std::thread::sleep(millis(1500));
    let mut taken = 0;
    let mut block = vec![0; 1 << 20];
    while let Ok(count @ 1..) = wire.stream.read(&mut block) {
        taken += count;
    }
    assert!(taken < ASKED * 65_536, "all {ASKED} answers came: {taken} bytes");
    server.call("ListSecrets", "{}").ok();
}

/// WIRE-NET-5: clients that send a whole request and go before it is answered. A server that sees one
/// go before it has handed the write over need not do it, so they stay a little longer each time.
#[test]
fn a_write_is_carried_out_though_its_client_has_gone() {
    let server = Running::open();
    let start = Instant::now();
    for attempt in 0_u64.. {
        assert!(start.elapsed() < Duration::from_secs(60), "{attempt} clients left in vain");
        let name = format!("left-{attempt}");
        let mut wire = server.connect();
        let body = json!({"Name": name, "ClientRequestToken": "t".repeat(32), "SecretString": "v"});
        let body = body.to_string();
        wire.write(&Request::new(&wire.host, "CreateSecret", body.as_bytes()).bytes());
        std::thread::sleep(Duration::from_micros(attempt % 40 * 50));
        wire.stream.set_nonblocking(true).unwrap();
        let is_answered = wire.stream.peek(&mut [0]).is_ok();
        drop(wire);
        let read = json!({"SecretId": name}).to_string();
        for _ in 0..20 {
            let found = server.call("GetSecretValue", &read);
            if found.status == 200 {
                assert_eq!(found.ok()["SecretString"], "v");
                if !is_answered {
                    return;
                }
                break;
            }
            std::thread::sleep(millis(5));
        }
    }
}

/// WIRE-NET-1
#[test]
fn a_head_has_a_size_and_a_number_of_headers() {
    let server = Running::open();
    let mut wire = server.connect();
    let request = Request::new(&wire.host, "ListSecrets", b"{}");
    let many = |count: usize| {
        let more = count - request.headers.len();
        (0..more).fold(request.clone(), |r, index| r.with(&format!("x-{index}"), "1")).bytes()
    };
    assert_eq!(wire.exchange(&many(64)).status, 200);
    assert_eq!(server.connect().exchange(&many(65)).status, 431);
    let long = request.clone().with("x-long", &"x".repeat(17 * 1024));
    assert_eq!(server.connect().exchange(&long.bytes()).status, 431);
    let fits = request.with("x-long", &"x".repeat(12 * 1024));
    assert_eq!(server.connect().exchange(&fits.bytes()).status, 200);
}

/// WIRE-NET-2, CONN-2: connections that are active are not given up for a new one, which waits and is not
/// lost.
#[test]
fn a_full_server_keeps_what_it_has_begun() {
    let limits = Limits { connections: 2, stall_time: millis(60_000), ..Limits::default() };
    let server = Running::start(Auth::None, limits);
    let mut busy: Vec<Wire> = (0..2).map(|_| server.connect()).collect();
    for wire in &mut busy {
        let request = Request::new(&wire.host, "ListSecrets", b"{}");
        wire.write(&request.head());
    }
    std::thread::sleep(millis(200));
    let mut waiting: Vec<Wire> = (0..5).map(|_| server.connect()).collect();
    for wire in &mut waiting {
        let request = Request::new(&wire.host, "ListSecrets", b"{}");
        wire.write(&request.bytes());
    }
    waiting[0].stream.set_read_timeout(Some(millis(300))).unwrap();
    assert!(waiting[0].stream.peek(&mut [0]).is_err(), "it waits for a place");
    waiting[0].stream.set_read_timeout(Some(SOON)).unwrap();
    for wire in &mut busy {
        assert_eq!(wire.exchange(b"{}").status, 200);
    }
    // Now they are idle, and give way after a while.
    for wire in &mut waiting {
        assert_eq!(wire.read().unwrap().status, 200);
    }
}

/// CONN-5: a client that never waits for an answer is told to go, and gets all answers until then.
#[test]
fn requests_that_do_not_wait_for_answers_are_counted() {
    let server = Running::open();
    let mut wire = server.connect();
    let request = Request::new(&wire.host, "ListSecrets", b"{}").bytes();
    wire.write(&request.repeat(200));
    let mut answers = 0;
    while let Some(response) = wire.read() {
        answers += 1;
        assert_eq!(response.status, 200);
        if response.header("connection") == Some("close") {
            break;
        }
    }
    assert_eq!(answers, 17);
    // A refusal ends it, at the latest the second one.
    let mut wire = server.connect();
    let refused = Request::new(&wire.host, "Nothing", b"{}").bytes();
    wire.write(&refused.repeat(20));
    let mut last = wire.read().unwrap();
    if last.header("connection").is_none() {
        last = wire.read().unwrap();
    }
    assert_eq!((last.status, last.header("connection")), (400, Some("close")));
    assert!(wire.read().is_none());
    // Who waits may go on for as long as he likes, refused or not.
    let mut wire = server.connect();
    for _ in 0..100 {
        assert_eq!(wire.exchange(&request).header("connection"), None);
        assert_eq!(wire.exchange(&refused).header("connection"), None);
    }
}

/// WIRE-NET-6
#[test]
fn a_stop_answers_what_was_begun_and_nothing_else() {
    let server = Running::open();
    let mut begun = server.connect();
    let request = Request::new(&begun.host, "ListSecrets", b"{}");
    begun.write(&request.head());
    let mut idle = server.connect();
    idle.call("ListSecrets", b"{}").ok();
    let mut half = half_a_head(&server);
    std::thread::sleep(millis(200));

    server.stop();
    assert!(idle.time_to_end() < SOON);
    assert!(half.time_to_end() < SOON);
    let address = server.address;
    let start = Instant::now();
    while std::net::TcpStream::connect(address).is_ok() {
        assert!(start.elapsed() < SOON, "the port is closed");
    }
    begun.write(b"{}");
    let response = begun.read().expect("what was begun is answered");
    assert_eq!(response.status, 200);
    assert!(begun.time_to_end() < SOON);
    assert!(server.join().is_ok());
}

/// WIRE-NET-6
#[test]
fn a_stop_does_not_wait_for_ever() {
    let limits = Limits { drain_time: millis(300), ..Limits::default() };
    let server = Running::start(Auth::None, limits);
    let mut begun = server.connect();
    let request = Request::new(&begun.host, "ListSecrets", b"{}");
    begun.write(&request.head());
    std::thread::sleep(millis(200));
    let start = Instant::now();
    server.stop();
    assert!(server.join().is_ok());
    assert!(start.elapsed() < SOON);
}
