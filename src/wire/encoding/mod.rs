//! Text forms of HTTP requests and responses: forms and dates.

pub(crate) mod form;
pub(crate) mod time;
