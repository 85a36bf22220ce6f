//! From the files on disk to a log that takes frames.
//!
//! ```text
//! open.rs     reading the truth without changing a byte
//! start.rs    making what was found durable, then writable
//! repair.rs   creating a log, and replacing a damaged one
//! ```

pub(crate) mod open;
pub(crate) mod repair;
mod start;

pub use open::Recovered;
pub use repair::{RowVisitor, Rows};
