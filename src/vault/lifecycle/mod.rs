//! How a vault is made and opened.
//!
//! - [`open`]: opens a vault, from a locked folder and a key.
//! - [`create`]: makes a vault. A power cut at any point leaves a whole vault or none.
//! - [`serve`]: the last step of both.

pub(crate) mod create;
pub(crate) mod open;
mod serve;
