//! The `strongroom` command through the real binary: its contract, its secrets, its server, the terminal.
//!
//! `STRONGROOM_BINARY` names another build of the command to test, for example the release.
#![allow(clippy::pedantic, clippy::unwrap_used, clippy::indexing_slicing)]
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::result_large_err)]
#![allow(clippy::zombie_processes, clippy::needless_range_loop, clippy::type_complexity)]
#![allow(dead_code, unreachable_pub, missing_docs)]

mod cli_contract;
mod cli_repair;
mod cli_secrets;
mod cli_serve;
mod cli_terminal;
mod cmd;
#[path = "../common/mod.rs"]
mod common;
mod events;
mod processes;
