//! Many clients at once, and those that never read.

use crate::table::Row;

pub const ROWS: &[Row] = &[];
