//! What people really do to a vault: they delete a lock, restore under a running server, work as root, mount
//! read-only media, open too many connections. Each trial runs the product as its users run it.
//!
//! `cargo test --test trials table -- --nocapture` prints all trials with what must happen. The rules stand in
//! `docs/TRIALS.md`.
#![allow(clippy::pedantic, clippy::unwrap_used, clippy::indexing_slicing)]
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::result_large_err)]
#![allow(clippy::zombie_processes, clippy::needless_range_loop, clippy::type_complexity)]
#![allow(dead_code, unreachable_pub, missing_docs)]

#[path = "../command/cmd.rs"]
mod cmd;
#[path = "../common/mod.rs"]
mod common;
mod table;

mod clients;
mod connections;
mod errnos;
mod ground;
mod habits;
mod identity;
mod media;
mod messages;
mod ownership;
mod requests;
mod rollback;
mod socket;
mod speaking;
