//! Programs that people run against the server.

use crate::table::Row;

pub const ROWS: &[Row] = &[];
