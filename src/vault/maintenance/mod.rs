//! Background maintenance of an open vault.
//!
//! - [`pass`]: prunes, purges, compacts and makes checkpoints.
//! - [`key_rotation`]: switches the epoch and changes the passphrase.

pub(crate) mod key_rotation;
pub(crate) mod pass;
