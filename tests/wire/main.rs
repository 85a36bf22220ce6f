//! The server over real sockets: AWS's API model, signatures, refusals, the agent's protocol, rotation.
#![allow(clippy::pedantic, clippy::unwrap_used, clippy::indexing_slicing)]
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::result_large_err)]
#![allow(clippy::zombie_processes, clippy::needless_range_loop, clippy::type_complexity)]
#![allow(dead_code, unreachable_pub, missing_docs)]

mod client;
#[path = "../common/mod.rs"]
mod common;
mod model_facts;
mod rotation_server;
mod sigv4_vectors;
mod terraform_replay;
mod wire_agent;
mod wire_front;
mod wire_http;
