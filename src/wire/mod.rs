//! AWS JSON 1.1 over HTTP: any AWS client can use a vault without a change.
//!
//! ```text
//! socket -> server      accepts and admits connections, shuts down     rules WIRE-NET
//!        -> http        guard, route, body                             rules WIRE-GUARD, WIRE-OTHER
//!        -> services    operations, STS, agent, probes                rules WIRE-FRONT, STS, AGENT, HEALTH
//!        -> sigv4       who sent the request, for which region         rules WIRE-SIG
//!        -> json, schema, request                                      rules WIRE-JSON
//!        -> vault       writes by callback, short reads at once, others on a blocking thread
//!        -> crate::responses, reply                                    rules WIRE-REPLY
//! ```
//!
//! The rules and their sources are in `docs/WIRE.md`. Everything that knows HTTP, request JSON or AWS's
//! errors is here. The rules of the API are not: this module checks only the types and the presence of
//! members.
//!
//! - **No plaintext is left behind** (I8). Request bodies, parsed strings and responses live in buffers that
//!   are wiped, and no error or log line holds any of them. The allocator of the binary wipes the read buffer
//!   of the HTTP library.
//! - **A thread is always free for connections.** A write waits on a channel. It goes on when its client
//!   disconnects, because it is in the commit pipeline by then. A read that waits blocks one of the threads,
//!   of which there are more than such reads at once (CONN-15).
//!
//! - `options.rs`: addresses, authentication, limits
//! - `encoding/`: query strings, forms, dates of headers
//! - `json/`: reads JSON into wiped strings
//! - `reply/`: responses before they have headers; errors as AWS words them
//! - `schema/`: the types of members, and the check of a body against them
//! - `request/`: the members of every operation
//! - `sigv4/`: AWS Signature Version 4
//! - `observe/`: a line for each request, reasons of refusals, counts
//! - `http/`: guard, route, body, phases of a connection
//! - `services/`: Secrets Manager, STS, the agent's read protocol, health probes
//! - `server/`: ports, connections, signals
//! - `hook.rs`: calls a rotation function over HTTP
//! - `local.rs`: the protocol without a connection, for the test kit

mod encoding;
mod hook;
mod http;
#[cfg(feature = "__internals")]
#[doc(hidden)]
#[path = "../internals/wire/mod.rs"]
pub mod internals;
mod json;
#[cfg(feature = "testkit")]
pub(crate) mod local;
mod observe;
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
