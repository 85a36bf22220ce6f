//! Reading what is left of a log that no longer opens, and making a new log of it.
//!
//! ```text
//! source.rs     snapshots and frames that authenticate, and the new log made of them
//! manifest.rs   choosing between two copies of the manifest
//! ```

mod manifest;
mod source;

pub use source::SalvageSource;
