//! What tests and fuzz targets may use. No stability promise.

mod front;
pub mod member_facts;

pub use front::*;
