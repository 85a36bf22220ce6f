//! JSON without a trace: a reader into wiped strings and a writer into a wiped buffer.
//!
//! Generic JSON values and printing through `format!` would leave copies of plaintext in freed
//! memory (I8).

mod node;
mod write;

#[cfg(test)]
mod tests;

pub(super) use node::{Node, parse};
pub(super) use write::{Writer, base64_decoded, base64_len, escaped_len};
