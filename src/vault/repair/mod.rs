//! Check and repair.
//!
//! - [`report`]: what they report.
//! - [`check`]: examines everything and changes nothing.
//! - [`quarantine`]: keeps the damaged originals.
//! - [`steps`]: a repair, step by step.

pub(crate) mod check;
pub(crate) mod quarantine;
pub(crate) mod report;
pub(crate) mod steps;
