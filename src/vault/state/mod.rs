//! The state: the store that serves reads, kept equal to the log.
//!
//! - [`serving`]: the store in use, on disk or in memory.
//! - [`sums`]: the sum over its rows.
//! - [`compare`]: whether a store equals the end of a log.
//! - [`translate`]: rows of format 1 as rows of format 2.
//! - [`opener`]: opens the state, compares it with the log, and catches it up or rebuilds it.

pub(crate) mod compare;
pub(crate) mod opener;
pub(crate) mod serving;
pub(crate) mod sums;
pub(crate) mod translate;
