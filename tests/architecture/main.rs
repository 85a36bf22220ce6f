//! The shape of the code: its layers, the rooms inside the modules, and how often a thing is named.
#![allow(clippy::pedantic, clippy::unwrap_used, clippy::indexing_slicing)]
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::result_large_err)]
#![allow(dead_code, unreachable_pub, missing_docs)]

mod dependencies;
mod harness;
mod imports;
mod layers;
mod operations;
mod prose;
mod public_items;
mod release_binary;
mod requirements;
mod rooms;
mod sources;
