//! How a vault is made and opened.
//!
//! - [`open`]: opens a vault, from a locked folder and a key.
//! - [`bring_over`]: brings a vault of an older format over.
//! - [`create`]: makes a vault. A power cut at any point leaves a whole vault or none.
//! - [`read_only`]: opens a vault where nothing can be written.
//! - [`serve`]: the last step of all of them.

mod bring_over;
pub(crate) mod create;
pub(crate) mod open;
mod read_only;
mod serve;
