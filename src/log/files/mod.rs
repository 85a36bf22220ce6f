//! The log's files: their names, small steps on them, and twins.
//!
//! ```text
//! context.rs   where the log is, names of its files, reading and syncing
//! twin.rs      a small record kept in two files that are written in turn
//! ```

mod context;
mod twin;

pub(crate) use context::{
    FOLDER, Kind, Place, fill_with_zeros, read_up_to, same_tag, sync_dir, sync_dir_and_parent,
};
#[cfg(test)]
pub(crate) use twin::FILE_BYTES_MAX;
pub use twin::{Copy, GoodCopy, TWIN_HEADER_BYTES, Twin, TwinContent};
