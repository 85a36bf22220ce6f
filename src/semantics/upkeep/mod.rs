//! What the vault asks for in the background.

pub(crate) mod prune;
pub(crate) mod touch;
