//! The harnesses that show that no acknowledged write is lost, one per module. `docs/RELIABILITY.md`
//! describes each, how to run it for longer, and its figures.
#![allow(clippy::pedantic, clippy::unwrap_used, clippy::indexing_slicing)]
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::result_large_err)]
#![allow(clippy::zombie_processes, clippy::needless_range_loop, clippy::type_complexity)]
#![allow(dead_code, unreachable_pub, missing_docs)]

#[path = "../common/mod.rs"]
mod common;

mod anchor;
mod clock;
mod damage;
mod disk_full;
mod displaced;
mod errors;
mod errors_real;
mod figures;
mod judge;
mod kills;
mod known_bad;
mod label_events;
mod life;
mod many_openers;
mod media;
mod migration;
mod mount;
mod opener;
mod permissions;
mod place;
mod power_cut;
mod recorded;
#[cfg(shuttle)]
mod schedules;
mod simulation;
mod work;
mod worker;
