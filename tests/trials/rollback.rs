//! A vault that went back in time.

use crate::table::Row;

pub const ROWS: &[Row] = &[];
