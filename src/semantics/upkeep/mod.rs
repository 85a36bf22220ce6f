//! Operations that the vault runs in the background.
//!
//! - `prune`: versions that retention lets go
//! - `purge`: deleted secrets, when their recovery window is over
//! - `touch`: the day on which a value was read last

pub(crate) mod prune;
pub(crate) mod purge;
pub(crate) mod touch;
