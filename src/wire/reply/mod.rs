//! What the server sends back: responses before they have headers, and errors.

mod error;

pub(in crate::wire) use error::{Failure, JSON, Reply};
