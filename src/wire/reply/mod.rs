//! What the server sends back: responses before they have headers, and errors.

mod error;
mod exception;
mod response;

pub(crate) use error::ReplyError;
pub(crate) use exception::{Exception, Text};
pub(crate) use response::{JSON, Reply};
