//! The bytes of the log's files, as `docs/FORMAT.md` specifies them.
//!
//! ```text
//! rows.rs           one row
//! frame.rs          one batch of change sets and its MAC
//! tail.rs           where the chain of frames stands
//! header_block.rs   the signed header of segments and snapshots
//! segment.rs        one segment file: its header, and the frames in it
//! snapshot/         all live rows at one LSN, in chained blocks
//! manifest.rs       which snapshot and which segments are live
//! ```

pub(crate) mod frame;
pub(crate) mod header_block;
pub(crate) mod manifest;
pub(crate) mod rows;
pub(crate) mod segment;
pub(crate) mod snapshot;
pub(crate) mod tail;
