//! How a vault is made and opened.
//!
//! - [`open`]: opens a vault, from a locked folder and a key.
//! - [`create`]: makes a vault. A power cut at any point leaves a whole vault or none.
//! - [`read_only`]: opens a vault where nothing can be written.
//! - [`serve`]: the last step of all of them.

pub(crate) mod create;
pub(crate) mod open;
mod read_only;
mod serve;
