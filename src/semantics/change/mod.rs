//! One secret under change.

mod secret;

pub use secret::rows;
pub(crate) use secret::{Change, Labels, names, nothing, stamp};
