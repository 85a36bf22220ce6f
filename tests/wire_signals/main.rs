//! Stopping by signal. Alone in its binary, for a signal reaches the whole process.
#![allow(clippy::pedantic, clippy::unwrap_used, clippy::indexing_slicing)]
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::result_large_err)]
#![allow(clippy::zombie_processes, clippy::needless_range_loop, clippy::type_complexity)]
#![allow(dead_code, unreachable_pub, missing_docs)]

#[allow(dead_code)]
#[path = "../wire/client.rs"]
mod client;

use client::{Request, Running, Wire};
use rustix::process::{Signal, getpid, kill_process};
use std::time::{Duration, Instant};
use strongroom::__internals::wire::{Auth, Limits, ServerOptions};

const SOON: Duration = Duration::from_secs(5);

fn start() -> Running {
    let limits = Limits { drain_time: Duration::from_secs(60), ..Limits::default() };
    let options = ServerOptions { auth: Auth::None, limits, ..ServerOptions::default() };
    Running::with(options)
}

fn begun(server: &Running) -> Wire {
    let mut wire = server.connect();
    let request = Request::new(&wire.host, "ListSecrets", b"{}");
    wire.write(&request.head());
    std::thread::sleep(Duration::from_millis(200));
    wire
}

fn raise(signal: Signal) {
    kill_process(getpid(), signal).unwrap();
}

/// WIRE-NET-6: Goal: the first signal drains, the second does not wait. Method: a request whose body is held
/// back, so that draining takes as long as the test wants.
#[test]
fn a_signal_drains_and_a_second_one_does_not_wait() {
    for signal in [Signal::TERM, Signal::INT] {
        let server = start();
        let mut wire = begun(&server);
        raise(signal);
        std::thread::sleep(Duration::from_millis(200));
        wire.write(b"{}");
        assert_eq!(wire.read().expect("what was begun is answered").status, 200);
        assert!(server.join().is_ok());
    }

    let server = start();
    let _held = begun(&server);
    raise(Signal::TERM);
    std::thread::sleep(Duration::from_millis(200));
    let second = Instant::now();
    raise(Signal::INT);
    assert!(server.join().is_ok());
    assert!(second.elapsed() < SOON, "{:?}", second.elapsed());
}
