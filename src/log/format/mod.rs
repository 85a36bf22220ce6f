//! The bytes of the log's files, as `docs/FORMAT.md` specifies them.
//!
//! ```text
//! frame.rs      one batch of change sets and its MAC
//! segment.rs    a segment's header, and walking its frames
//! snapshot.rs   all live rows at one LSN, in chained blocks
//! manifest.rs   which snapshot and which segments are live
//! ```

pub(crate) mod frame;
pub(crate) mod manifest;
pub(crate) mod segment;
pub(crate) mod snapshot;
