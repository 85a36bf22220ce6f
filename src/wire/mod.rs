//! AWS JSON 1.1 over HTTP: what makes a vault answer any AWS client, unchanged.
//!
//! ```text
//! socket -> server      accepts, admits, drains           rules WIRE-NET
//!        -> connection  timers, eviction of idle clients
//!        -> guard       Host, Origin, Forwarded           rules WIRE-GUARD
//!        -> route       probes, STS, other services       rules WIRE-HEALTH, WIRE-STS, WIRE-OTHER
//!        -> service     method, type, target, body        rules WIRE-FRONT
//!        -> sigv4       who asks, in which region         rules WIRE-SIG
//!        -> json, shape, request                          rules WIRE-JSON
//!        -> vault       writes by callback, reads on a blocking thread
//!        -> response, reply                               rules WIRE-REPLY
//! ```
//!
//! `hook` is the other direction: the call of a rotation function over HTTP.
//!
//! A second port, if asked for, speaks the read protocol of AWS's agent (`agent`, rules WIRE-AGENT).
//!
//! The rules and their sources are in `docs/WIRE.md`. Nothing above `wire` knows HTTP, JSON or
//! the shape of an AWS error; nothing here knows a rule of the API beyond types and presence.
//!
//! - **No plaintext is left behind** (I8): request bodies, parsed strings and answers live in wiped
//!   buffers that never grow in place, and no error or log line holds any of them. The HTTP
//!   library's own read buffer is wiped by the allocator of the binary.
//! - **No thread waits for the disk** (writes park on a channel), and no write is given up when its
//!   client goes away: it is in the commit pipeline by then.

mod encoding;
mod hook;
mod http;
#[cfg(feature = "__internals")]
#[doc(hidden)]
pub mod internals;
mod json;
#[cfg(feature = "testkit")]
pub(crate) mod local;
mod options;
mod reply;
mod request;
mod schema;
mod server;
mod services;
mod sigv4;

pub use hook::Hook;
#[cfg(feature = "__internals")]
#[doc(hidden)]
pub use internals::member_facts;
pub use options::{AgentOptions, Auth, Limits, ServerOptions};
pub use server::{Server, Stopper};
