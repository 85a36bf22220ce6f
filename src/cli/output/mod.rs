//! What the command prints.
//!
//! - `text.rs`: texts for people
//! - `streams.rs`: standard output and standard error
//! - `json.rs`: the documents of `--output json`
//! - `progress.rs`: the progress of a long opening

pub(crate) mod json;
pub(crate) mod progress;
mod streams;
pub(crate) mod text;

#[cfg(feature = "server")]
pub(crate) use streams::raw_lines;
pub(crate) use streams::{
    data, data_is_seen, failure, note, notes_are_seen, raw_note, secret, warn,
};
