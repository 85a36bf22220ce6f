//! The operations over the library: what each answers, against vectors, models and random sequences.
//!
//! - `conformance`: vectors of requests and the exact answers of AWS
//! - `model`, `semantics_sequences`, `replica_sequences`, `cross_account_sequences`: random sequences
//! - `values`, `policies`, `replicas`, `cross_accounts`, `list_many`, `rotation`: one subject each
//! - `accessed`, `retention`: what time does
//! - `examples`: the programs in `docs/examples`
//! - `two_faults`: two things wrong at once
//! - `testkit`: the kit for programs that use the API
#![allow(clippy::pedantic, clippy::unwrap_used, clippy::indexing_slicing)]
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::result_large_err)]
#![allow(clippy::zombie_processes, clippy::needless_range_loop, clippy::type_complexity)]
#![allow(dead_code, unreachable_pub, missing_docs)]

mod accessed;
#[path = "../common/mod.rs"]
mod common;
mod conformance;
mod cross_account_sequences;
mod cross_accounts;
mod examples;
mod list_many;
mod model;
mod policies;
mod replica_sequences;
mod replicas;
mod retention;
mod rotation;
mod semantics_sequences;
mod testkit;
mod two_faults;
mod values;
