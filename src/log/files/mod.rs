//! The log's files: their names, small steps on them, and twins.
//!
//! ```text
//! names.rs       the kinds of files and their names
//! io.rs          reading, filling and syncing
//! context.rs     where the log is, and with which key: what every other part needs
//! twin_slot.rs   one of a twin's two files
//! twin.rs        a small record kept in two files that are written in turn
//! ```

mod context;
mod io;
mod names;
mod twin;
mod twin_slot;

pub(crate) use context::LogContext;
pub(crate) use io::{fill_with_zeros, read_up_to, same_tag, sync_dir, sync_dir_and_parent};
pub(crate) use names::{FOLDER, FileKind};
#[cfg(test)]
pub(crate) use twin::FILE_BYTES_MAX;
pub use twin::{TWIN_HEADER_BYTES, Twin, TwinContent};
pub use twin_slot::{GoodCopy, Slot};
