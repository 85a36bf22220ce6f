//! What can be proven of a damaged vault.
//!
//! - [`state_copy`]: the state, read without opening it in place.
//! - [`build`]: the longest part of a damaged log that is proven right.
//! - [`loss`]: what is missing after it.
//! - [`lossless`]: begins a damaged log anew if nothing is missing.

pub(crate) mod build;
pub(crate) mod loss;
pub(crate) mod lossless;
pub(crate) mod state_copy;
