//! Commands that go through the process that holds the vault.

use crate::table::Row;

pub const ROWS: &[Row] = &[];
