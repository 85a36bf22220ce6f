//! The harnesses that show that nothing acknowledged is lost, each in a module of its own. What
//! each does, how to run it for longer, and the figures it reached: `docs/RELIABILITY.md`.
#![allow(clippy::pedantic, clippy::unwrap_used, clippy::indexing_slicing)]
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::result_large_err)]
#![allow(clippy::zombie_processes, clippy::needless_range_loop, clippy::type_complexity)]
#![allow(dead_code, unreachable_pub, missing_docs)]

mod common;

#[path = "reliability/clock.rs"]
mod clock;
#[path = "reliability/damage.rs"]
mod damage;
#[path = "reliability/disk_full.rs"]
mod disk_full;
#[path = "reliability/errors.rs"]
mod errors;
#[path = "reliability/errors_real.rs"]
mod errors_real;
#[path = "reliability/figures.rs"]
mod figures;
#[path = "reliability/judge.rs"]
mod judge;
#[path = "reliability/kills/mod.rs"]
mod kills;
#[path = "reliability/life.rs"]
mod life;
#[path = "reliability/many_openers.rs"]
mod many_openers;
#[path = "reliability/mount.rs"]
mod mount;
#[path = "reliability/permissions.rs"]
mod permissions;
#[path = "reliability/place.rs"]
mod place;
#[path = "reliability/power_cut.rs"]
mod power_cut;
#[path = "reliability/recorded/mod.rs"]
mod recorded;
#[cfg(shuttle)]
#[path = "reliability/schedules.rs"]
mod schedules;
#[path = "reliability/simulation.rs"]
mod simulation;
#[path = "reliability/work.rs"]
mod work;
#[path = "reliability/worker.rs"]
mod worker;
