//! From a request body to the vault's request. An absent member stays absent: the rules of the API say what
//! that means.
//!
//! - `members.rs`: the members of every request
//! - `operation.rs`: from the name of an operation to its request

mod members;
mod operation;
#[cfg(test)]
mod tests;

#[cfg(feature = "__internals")]
pub(crate) use operation::members;
pub(crate) use operation::{from_target, read};
