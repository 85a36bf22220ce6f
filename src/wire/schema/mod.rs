//! Members of requests: their types, and the check of a request body against them.

mod fields;

pub(crate) use fields::{Fields, Kind, Member};
