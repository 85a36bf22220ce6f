//! For programs that use the API of AWS Secrets Manager and want to be tested and fuzzed against a
//! faithful store in their own process (`docs/TESTKIT.md`).
//!
//! - [`Ephemeral`]: a vault that follows from a seed, in memory, with forks and snapshots.

mod ephemeral;

pub use ephemeral::{Ephemeral, Snapshot};
