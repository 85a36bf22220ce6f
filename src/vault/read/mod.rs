//! The reading operations.
//!
//! - [`reader`]: reads without waiting for a sync, and tries again if something moved.
//! - [`readiness`]: whether the vault can do its work now.
//! - `measures`: sizes and counts, for monitoring.
//! - `values`: the values of a secret, for those who must keep them out of what they tell.

#[cfg(feature = "server")]
pub(crate) mod measures;
pub(crate) mod reader;
pub(crate) mod readiness;
#[cfg(all(feature = "cli", feature = "server"))]
pub(crate) mod values;
