//! From a request body to the vault's request.

mod operation;
mod read;

pub(in crate::wire) use operation::Operation;
pub(in crate::wire) use read::{Call, Read, read};
