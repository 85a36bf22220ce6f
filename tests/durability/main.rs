//! What is on the disk: nothing readable, nothing deleted, nothing that a swap could change; its size, what
//! durability costs, and vaults of earlier versions.
#![allow(clippy::pedantic, clippy::unwrap_used, clippy::indexing_slicing)]
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::result_large_err)]
#![allow(clippy::zombie_processes, clippy::needless_range_loop, clippy::type_complexity)]
#![allow(dead_code, unreachable_pub, missing_docs)]

mod canary_disk;
#[path = "../common/mod.rs"]
mod common;
mod durability_cost;
mod fixtures;
mod older_state;
mod scale;
mod shred;
mod swap;
