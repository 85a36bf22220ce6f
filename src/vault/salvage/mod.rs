//! What can be proven of a damaged vault.
//!
//! - [`state_copy`]: the state, read without opening it in place.
//! - [`build`]: the longest part of a damaged log that is proven right.

pub(crate) mod build;
pub(crate) mod state_copy;
