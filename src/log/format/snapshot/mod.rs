//! Snapshots: all live rows at one LSN, sorted, in chained authenticated blocks.
//!
//! ```text
//! 0     header block 4096:  magic "SRSNAPS\n" 8 | format u32 | zero u32 | vault 16 | number u64
//!                           | id 16 | tail of the chain 144 | zeros | MAC 32
//! 4096  blocks:             payload length u32 | rows u32 | index u64 | payload | MAC 32
//!       index, an entry for each block:
//!                           tree u8 | 0 u8 | key length u16 | offset u64 | MAC of the block 32 | key
//! end-80  footer:           magic "SRSNEND\n" 8 | rows u64 | blocks u64 | file length u64
//!                           | offset of the index u64 | zero u64 | MAC 32
//! ```
//!
//! Format 1 has no index and a footer of 64 bytes, without the last two numbers.
//!
//! Implements SNAP-1 to SNAP-9. The MAC of each block covers the MAC before it, beginning with that of
//! the header; the MAC of the footer covers that of the last block, and the index. The manifest holds the
//! footer's MAC, which thus authenticates the whole file. A payload is at most 64 KiB of rows, or one longer
//! row.

//!
//! ```text
//! record.rs   a snapshot as the manifest names it
//! layout.rs   header, blocks and footer
//! writer.rs   writing one from front to back
//! reader.rs   reading one from front to back
//! lookup.rs   finding one row by the index
//! ```

mod layout;
mod lookup;
mod reader;
mod record;
mod writer;

#[cfg(feature = "__internals")]
pub(crate) use layout::sealed;
pub(crate) use lookup::SnapshotIndex;
pub(crate) use reader::{SnapshotReader, SnapshotRow};
pub(crate) use record::SnapshotRecord;
pub(crate) use writer::SnapshotWriter;
