//! `serve --events`: who is told when a staging label moves. `exec:/path`, `http://host:port/path` or
//! `file:PATH`.
//!
//! - `target.rs`: reads the argument
//! - `file.rs`: a file that gets a line for each event
//! - `receiver.rs`: hands an event over, and tells what went wrong

mod file;
mod receiver;
mod target;

pub(crate) use receiver::receiver;
