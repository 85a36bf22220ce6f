//! The state: the store that serves reads, kept equal to the log.
//!
//! - [`opener`]: opens the state, compares it with the log, and brings it up to date or rebuilds it.

pub(crate) mod opener;
