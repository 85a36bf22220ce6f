//! The open log: appending, syncing, making segments ready, freeing old files.
//!
//! ```text
//! writer.rs    append, sync, close, and the step from one segment to the next
//! prepare.rs   making the next segment's file ready off the put path
//! free.rs      freeing what a newer snapshot and a durable state have made unnecessary
//! ```

mod free;
pub(crate) mod prepare;
mod writer;

pub use prepare::{Preparation, Prepared};
pub use writer::Log;
