//! Opening and repairing: from the files on disk to a log that accepts frames.
//!
//! ```text
//! open.rs     reading the log without changing a byte
//! start.rs    making what was found durable, then accepting frames
//! repair.rs   replacing a damaged log by a snapshot of rows that are proven right
//! ```

mod open;
mod repair;
mod start;

pub use open::Recovered;
