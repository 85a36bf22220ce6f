//! Options of a server: addresses, authentication, limits.

use crate::model::Scope;
use crate::secret::SecretBytes;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

/// How requests are authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auth {
    /// Every request carries a valid AWS Signature Version 4.
    SigV4,
    /// Every caller is accepted. Only on loopback addresses.
    None,
}

/// The options of a server. The default listens on 127.0.0.1:4566, the usual address of AWS emulators.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// The address and port; port 0 takes a free one.
    pub listen: SocketAddr,
    /// How requests are authenticated.
    pub auth: Auth,
    /// The account of callers under [`Auth::None`].
    pub account: String,
    /// The region of callers under [`Auth::None`] whose request names none.
    pub region: String,
    /// Whether the pairs that may sign were made just now. Then no request was signed before, and none can be
    /// the repeat of one that an earlier server answered.
    pub pairs_are_new: bool,
    /// Names, each `NAME` or `NAME:PORT`, by which unsigned requests may reach the server besides its own.
    pub allowed_hosts: Vec<String>,
    /// Whether SIGTERM, SIGINT and SIGHUP stop the server. Their handlers are installed by `bind`.
    pub stop_on_signals: bool,
    /// Whether lines of the log may name secrets.
    pub log_names: bool,
    /// Bounds on clients.
    pub limits: Limits,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, ServerOptions::PORT)),
            auth: Auth::SigV4,
            account: Scope::DEFAULT_ACCOUNT.to_owned(),
            region: Scope::DEFAULT_REGION.to_owned(),
            pairs_are_new: false,
            allowed_hosts: Vec::new(),
            stop_on_signals: true,
            log_names: false,
            limits: Limits::default(),
        }
    }
}

impl ServerOptions {
    /// The usual port of AWS emulators, so that compose files and wait scripts carry over.
    pub const PORT: u16 = 4566;
    /// The port to take when a full emulator holds [`ServerOptions::PORT`].
    pub const PORT_BESIDE: u16 = 4584;
}

/// The read protocol of AWS's agent, on a port of its own.
pub struct AgentOptions {
    /// The address and port, loopback; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The token that a request must carry: at least [`AgentOptions::TOKEN_BYTES_MIN`] visible ASCII
    /// characters.
    pub token: SecretBytes,
    /// The account whose secrets are read; the region is the server's.
    pub account: String,
}

impl AgentOptions {
    /// The port that code written for AWS's agent asks.
    pub const PORT: u16 = 2773;
    /// Shortest token.
    pub const TOKEN_BYTES_MIN: usize = 16;
}

/// Bounds on what clients can make the server hold or wait for (rule WIRE-NET-1).
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes of request line and headers, at least 8192.
    pub head_bytes: usize,
    /// Number of headers.
    pub headers: usize,
    /// Bytes of a request body.
    pub body_bytes: usize,
    /// Connections at once. Fewer if the process may not have as many files open.
    pub connections: usize,
    /// Files that the process keeps open beside these connections and the vault's files.
    pub other_files: usize,
    /// Requests that a connection may send in a row without waiting for their answers.
    pub requests_ahead: usize,
    /// Writes that the vault has not answered yet. Must be below the length of its queue.
    pub writes_in_flight: usize,
    /// From the connection to the end of the first head.
    pub head_time: Duration,
    /// From the end of the head to the end of the body.
    pub body_time: Duration,
    /// How long a connection that sends or takes nothing keeps its place in a full server.
    pub stall_time: Duration,
    /// How long a connection without a request keeps its place in a full server.
    pub idle_patience: Duration,
    /// From an answer to the end of the next head.
    pub idle_time: Duration,
    /// From a response to its last byte being handed to the network.
    pub write_time: Duration,
    /// From the stop to the end, for running requests.
    pub drain_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head_bytes: 16 * 1024,
            headers: 64,
            body_bytes: 1024 * 1024,
            connections: 2048,
            other_files: 0,
            requests_ahead: 16,
            writes_in_flight: 512,
            head_time: Duration::from_secs(10),
            body_time: Duration::from_secs(30),
            stall_time: Duration::from_millis(500),
            idle_patience: Duration::from_secs(1),
            idle_time: Duration::from_secs(15),
            write_time: Duration::from_secs(30),
            drain_time: Duration::from_secs(10),
        }
    }
}
