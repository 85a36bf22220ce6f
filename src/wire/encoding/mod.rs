//! Text forms of HTTP requests and responses: forms and dates.

pub(in crate::wire) mod form;
pub(in crate::wire) mod time;
