//! Opening and repairing: from the files on disk to a log that accepts frames.
//!
//! ```text
//! open.rs     reading the log without changing a byte
//! start.rs    making what was found durable, then accepting frames
//! repair.rs   replacing a damaged log by a snapshot of rows that are proven right
//! begin_anew.rs   replacing a log of an older format
//! ```

mod begin_anew;
mod open;
mod repair;
mod start;

pub use open::Recovered;
