//! From a request body to the vault's request.

mod operation;
mod read;

pub(crate) use operation::Operation;
pub(crate) use read::{Call, Read, read};
