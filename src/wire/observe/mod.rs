//! What the server tells about itself: a line for each request, reasons of refusals, counts for `/metrics`
//! (rules SPEAK in `docs/TRIALS.md`). Never a value; names of secrets only if the user asked for them.
//!
//! - `plain.rs`: text of strangers, made harmless for a log
//! - `reasons.rs`: why requests are refused and what helps, at a bounded rate
//! - `metrics.rs`: counts and times, and their text
//! - `notes.rs`: what is learned about a request while it is answered
//! - `observer.rs`: brings them together, and writes the lines

mod metrics;
mod notes;
mod observer;
mod plain;
mod reasons;

pub(crate) use metrics::{Kind, Sample};
pub(crate) use notes::Notes;
pub(crate) use observer::Observer;
pub(crate) use reasons::{Cause, other_service};
