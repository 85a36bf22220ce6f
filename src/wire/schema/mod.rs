//! Members of requests: their types, and the check of a request body against them.

mod fields;

pub(in crate::wire) use fields::{Fields, Kind, Member};
