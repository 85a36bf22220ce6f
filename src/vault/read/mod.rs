//! The reading operations.
//!
//! - [`reader`]: reads without waiting for a sync, and tries again if something moved.
//! - [`readiness`]: whether the vault can do its work now.

pub(crate) mod reader;
pub(crate) mod readiness;
