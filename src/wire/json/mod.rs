//! Reads JSON into strings that are wiped when dropped (I8).
//!
//! `serde_json` parses; the visitor keeps what its own `Value` would lose or leave behind: wiped strings,
//! both of two members of one name, bounds on depth and number of values, and numbers as AWS cuts and clamps
//! them.

mod base64;
mod node;

#[cfg(test)]
mod tests;

pub(crate) use base64::decoded as base64_decoded;
pub(crate) use node::{Node, parse};
