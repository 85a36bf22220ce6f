//! An HTTP hook that keeps the contract, and stands still where a test wants it to.

use super::{F, do_step, until};
use crate::common::http::Client;
use crate::common::server::Server;
use crate::common::sigv4::Keys;
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

const PATH: &str = "/2015-03-31/functions/rotate/invocations";

#[derive(Default)]
struct State {
    /// Where the server is that asks.
    place: Option<(String, Keys)>,
    steps: Vec<String>,
    /// The moment to stand still at, as `before testSecret`.
    hold: Option<String>,
    has_reached: bool,
}

pub struct Hook {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl Hook {
    /// Listens on a port of its own; each call has a thread, for one may stand still.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::<Mutex<State>>::default();
        let shared = state.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, state) = (stream.unwrap(), shared.clone());
                std::thread::spawn(move || answer(BufReader::new(stream), &state));
            }
        });
        Self { address, state }
    }

    /// The argument that maps the function to it.
    pub fn argument(&self) -> String {
        format!("{F}=http://{}{PATH}", self.address)
    }

    pub fn calls_back(&self, server: &Server) {
        self.state.lock().unwrap().place = Some((server.host.clone(), server.keys.clone()));
    }

    pub fn steps(&self) -> Vec<String> {
        self.state.lock().unwrap().steps.clone()
    }

    /// Stands still at this moment from now on; `None` lets go. Forgets the steps.
    pub fn hold(&self, moment: Option<String>) {
        let mut state = self.state.lock().unwrap();
        if moment.is_some() {
            state.steps.clear();
        }
        state.hold = moment;
        state.has_reached = false;
    }

    pub fn has_reached(&self) -> bool {
        self.state.lock().unwrap().has_reached
    }
}

fn answer(mut stream: BufReader<TcpStream>, state: &Mutex<State>) {
    let (mut line, mut length) = (String::new(), 0);
    stream.read_line(&mut line).unwrap();
    assert!(line.starts_with(&format!("POST {PATH} HTTP/1.1")));
    loop {
        line.clear();
        stream.read_line(&mut line).unwrap();
        if line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).unwrap();
    let event: Value = serde_json::from_slice(&body).unwrap();
    let step = event["Step"].as_str().unwrap();
    state.lock().unwrap().steps.push(step.to_owned());
    // A function that was held has no caller left to answer.
    if stood_still(state, "before", step) {
        return;
    }
    until("the server is known", || state.lock().unwrap().place.is_some());
    let (host, keys) = state.lock().unwrap().place.clone().unwrap();
    do_step(&mut Client::connect(&host, &keys).unwrap(), &event);
    if stood_still(state, "after", step) {
        return;
    }
    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnull";
    stream.get_mut().write_all(answer).unwrap();
}

/// Waits as long as it is held. Returns whether it was held.
fn stood_still(state: &Mutex<State>, moment: &str, step: &str) -> bool {
    let moment = format!("{moment} {step}");
    let is_held = || {
        let mut state = state.lock().unwrap();
        let is_held = state.hold.as_ref() == Some(&moment);
        state.has_reached |= is_held;
        is_held
    };
    let was_held = is_held();
    while is_held() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    was_held
}
