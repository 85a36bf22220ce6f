//! Check and repair.
//!
//! - [`check`]: reads everything and changes nothing.
//! - [`quarantine`]: keeps the damaged originals.
//! - [`steps`]: what a repair does, step by step.

pub(crate) mod check;
pub(crate) mod quarantine;
pub(crate) mod steps;
