//! Media that refuse something: read-only mounts, file systems without chmod, locks or folder
//! syncs, little memory, wrong clocks.

use crate::table::Row;

pub const ROWS: &[Row] = &[];
