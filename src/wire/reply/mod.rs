//! What the server sends back: responses before they have headers, and errors.

mod error;
mod response;

pub(crate) use error::Failure;
pub(crate) use response::{JSON, Reply};
