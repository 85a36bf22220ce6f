//! What can still be read of a log that no longer opens.
//!
//! ```text
//! source.rs   snapshots and frames that authenticate, and the new log made of them
//! ```

mod source;

pub use source::Remains;
