//! Who may own what: sudo, orchestrators, file modes.

use crate::table::Row;

pub const ROWS: &[Row] = &[];
