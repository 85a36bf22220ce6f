//! What stands before the API: probes, STS, requests to other services, the order of the checks, and
//! signed requests of which one thing was changed.
#![allow(clippy::pedantic, clippy::unwrap_used, clippy::indexing_slicing)]
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::result_large_err)]
#![allow(clippy::zombie_processes, clippy::needless_range_loop, clippy::type_complexity)]
#![allow(dead_code, unreachable_pub, missing_docs)]
#![cfg(feature = "server")]

#[path = "wire_http/client.rs"]
mod client;
#[path = "wire_front/mutations.rs"]
mod mutations;
#[path = "wire_front/order.rs"]
mod order;
#[path = "wire_front/other.rs"]
mod other;
#[path = "wire_front/presigned.rs"]
mod presigned;
#[path = "wire_front/probes.rs"]
mod probes;
#[path = "wire_front/sts.rs"]
mod sts;
