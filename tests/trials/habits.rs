//! What programs expect of an endpoint made for others.

use crate::table::Row;

pub const ROWS: &[Row] = &[];
