//! The open log: appending, syncing, making segments ready, freeing old files.
//!
//! ```text
//! log.rs        the open log: append, sync, close
//! create.rs     creating the log of a new vault
//! anew.rs       a log of given rows, in place of another
//! segments.rs   the step from one segment to the next
//! prepare.rs    making the next segment's file ready ahead of need
//! free.rs       removing or reusing files that are no longer needed
//! fork.rs       copies of an open log (test builds)
//! ```

mod anew;
mod create;
#[cfg(feature = "testkit")]
mod fork;
mod free;
mod log;
mod prepare;
mod segments;

pub(crate) use anew::{Before, unused_snapshot, write_anew};
pub(crate) use log::CompactionToken;
pub use log::Log;
pub use prepare::{Preparation, Prepared};
