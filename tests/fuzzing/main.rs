//! The fuzz targets on the stable toolchain: every file of their corpora and every past finding is
//! replayed, and a short seeded run changes them (`docs/FUZZING.md`). Sequences of operations, and the bugs
//! that they find when these are planted.
#![allow(clippy::pedantic, clippy::unwrap_used, clippy::indexing_slicing)]
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::result_large_err)]
#![allow(clippy::zombie_processes, clippy::needless_range_loop, clippy::type_complexity)]
#![allow(dead_code, unreachable_pub, missing_docs)]

#[path = "../common/mod.rs"]
mod common;

mod figures;
mod fuzzing_operations;
mod mutants;
mod planted_bugs;
mod regressions;
mod replay;
mod seeds;
