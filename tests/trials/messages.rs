//! What people read when the system refuses: the path and the next step.

use crate::table::Row;

pub const ROWS: &[Row] = &[];
