//! One secret under change: what the operations that write have in common.
//!
//! - `labels`: its staging labels, before and after
//! - `secret`: its record and the effects so far
//! - `removal`: its purge
//! - `text`: how texts of a request are stored
//! - `answers`: answers that several operations give

mod answers;
mod labels;
mod removal;
mod secret;
mod text;

pub(crate) use answers::{named, promoted, written};
pub(crate) use labels::{Labels, names};
pub(crate) use removal::{dead, purged};
pub(crate) use secret::{Change, stamp};
pub(crate) use text::non_empty;
