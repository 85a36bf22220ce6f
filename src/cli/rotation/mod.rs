//! `--rotation`: which function rotates what. `ARN=exec:/path`, `ARN=http://host:port/path`,
//! `ARN=random[:length]`, or a file of such lines.
//!
//! - `call.rs`: what all calls of functions share: the caller, the deadline, the event
//! - `readings.rs`: what a line may mean: its quoting and encoding undone
//! - `mask.rs`: removes secrets from what a command says
//! - `report.rs`: the line about a call that failed
//! - `command.rs`: a local command as a function
//! - `http.rs`: an HTTP address as a function
//! - `functions.rs`: reads the arguments
//!
//! Functions are made before the server listens and call it back. They wait for the [`Caller`], which says
//! where the server is and which pair signs requests to it.

mod call;
mod command;
mod functions;
mod http;
mod mask;
mod readings;
mod report;
#[cfg(test)]
mod tests;

pub(crate) use call::{Caller, CallerCell};
pub(crate) use functions::functions;
