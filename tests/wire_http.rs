//! The server over real sockets, byte for byte: the API's answers, bad input, authentication,
//! strayed requests, limits, stopping.
#![allow(clippy::pedantic, clippy::unwrap_used, clippy::indexing_slicing)]
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::result_large_err)]
#![allow(clippy::zombie_processes, clippy::needless_range_loop, clippy::type_complexity)]
#![allow(dead_code, unreachable_pub, missing_docs)]
#![cfg(feature = "server")]

#[path = "wire_http/api.rs"]
mod api;
#[path = "wire_http/auth.rs"]
mod auth;
#[path = "wire_http/bad_input.rs"]
mod bad_input;
#[path = "wire_http/batch.rs"]
mod batch;
#[path = "wire_http/client.rs"]
mod client;
#[path = "wire_http/limits.rs"]
mod limits;
#[path = "wire_http/paws.rs"]
mod paws;
#[path = "wire_http/replicas.rs"]
mod replicas;
#[path = "wire_http/strayed.rs"]
mod strayed;
