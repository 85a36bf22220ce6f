//! The kit for users (`docs/TESTKIT.md`): the same seed gives the same bytes, a vault in memory
//! writes what one on disk writes, forks go their own ways, traces replay; and the worked example.
#![allow(clippy::pedantic, clippy::unwrap_used, clippy::indexing_slicing)]
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::result_large_err)]
#![allow(dead_code, unreachable_pub, missing_docs)]

#[path = "testkit/client_bug.rs"]
mod client_bug;
#[path = "testkit/endpoints.rs"]
mod endpoints;
#[path = "testkit/forks.rs"]
mod forks;
#[path = "testkit/same_bytes.rs"]
mod same_bytes;
#[path = "testkit/sample_client.rs"]
mod sample_client;
#[path = "testkit/script.rs"]
mod script;
