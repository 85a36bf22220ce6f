//! How a vault is made and opened.
//!
//! - [`open`]: from a locked folder and a key to a vault that serves.
//! - [`create`]: makes a vault that survives a power cut at any point whole or not at all.

pub(crate) mod create;
pub(crate) mod open;
