//! Reading the live files through, without changing any.
//!
//! ```text
//! walk.rs        following the chain of frames over all live segments
//! read_back.rs   checking a whole snapshot against its digest
//! find.rs        one row of a snapshot, by its index
//! ```

mod find;
mod read_back;
mod walk;

pub(crate) use find::find_row;
pub(crate) use read_back::{read_back, write_verified};
pub(crate) use walk::{SegmentInfo, WalkError, fall_back, read_truth, walk_named};
