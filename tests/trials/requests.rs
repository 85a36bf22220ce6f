//! Requests that are costly, repeated, or sent under another name.

use crate::table::Row;

pub const ROWS: &[Row] = &[];
