//! What calls of commands and hooks have in common: the time that they may take, and the processes.
//!
//! - `deadline.rs`: the end of a call
//! - `process.rs`: runs a command

mod deadline;
mod process;

pub(crate) use deadline::{CALL_TIME, Deadline};
pub(crate) use process::{attend, command};
