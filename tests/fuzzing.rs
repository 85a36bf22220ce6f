//! The fuzz targets on the stable toolchain: every file of their corpora and every past finding is
//! replayed, and a short seeded run changes them (`docs/FUZZING.md`).
#![allow(clippy::pedantic, clippy::unwrap_used, clippy::indexing_slicing)]
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::result_large_err)]
#![allow(clippy::zombie_processes, clippy::needless_range_loop, clippy::type_complexity)]
#![allow(dead_code, unreachable_pub, missing_docs)]

mod common;

#[path = "fuzzing/figures.rs"]
mod figures;
#[path = "fuzzing/mutants.rs"]
mod mutants;
#[path = "fuzzing/regressions.rs"]
mod regressions;
#[path = "fuzzing/replay.rs"]
mod replay;
#[path = "fuzzing/seeds.rs"]
mod seeds;
