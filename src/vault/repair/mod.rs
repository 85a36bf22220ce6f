//! Check and repair.
//!
//! - [`report`]: what they report.
//! - [`check`]: examines everything and changes nothing.
//! - [`live`]: the same for a vault that is open.
//! - [`quarantine`]: keeps the damaged originals.
//! - [`steps`]: a repair, step by step.

pub(crate) mod check;
#[cfg(feature = "cli")]
pub(crate) mod live;
pub(crate) mod quarantine;
pub(crate) mod report;
pub(crate) mod steps;
