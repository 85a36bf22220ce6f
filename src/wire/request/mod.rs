//! From a request body to the vault's request. An absent member stays absent: the rules of the API say what that
//! means.
//!
//! - `members.rs`: the members of every request
//! - `operation.rs`: the operations, by name

mod members;
mod operation;
#[cfg(test)]
mod tests;

pub(crate) use operation::{Call, Operation, Read};
