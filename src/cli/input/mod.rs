//! What the command reads.
//!
//! - `signal.rs`: Ctrl-C, also during a prompt
//! - `source.rs`: files, standard input and prompts
//! - `value.rs`: the value of `put`

pub(crate) mod signal;
mod source;
pub(crate) mod value;

pub(crate) use source::{Input, has_person, prompt, read, stdin_is_terminal};
