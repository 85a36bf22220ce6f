//! The log: operations become durable here. It is the authoritative copy of a vault; the state is
//! rebuilt from it.
//!
//! ```text
//! manifest.a .b   which snapshot, which segments, end mark       twin, authenticated
//! log/N.snap      all rows at one LSN                            authenticated blocks, chained
//! log/N.wal       header, then frames: one frame is one batch    authenticated, chained
//! ```
//!
//! `docs/FORMAT.md` specifies the bytes (rules LOG, SNAP, MAN and TWIN). Rows arrive sealed: the log
//! encrypts nothing and authenticates everything (I5). Only `vault` calls it.
//!
//! - **L1** Everything that was appended before [`Log::sync`] returned is durable. An open finds it or
//!   reports damage.
//! - **L2** A torn write is not corruption: an open may ignore bytes that were never synced, and only
//!   at the very end. Limit: corruption of the very last frame after a crash looks the same.
//! - **L3** Every open and every undone append ends the segment. The header of the next one names the
//!   end.
//! - **L4** No error is retried. A failed sync poisons the log; a write to a full disk is undone.
//! - **L5** Opening writes nothing. Starting writes nothing after a clean close.
//! - **L6** Parsers are total and have limits: any bytes give an answer.
//!
//! One thread drives it: [`Log::create`], or [`Log::open`] with [`Recovered::replay`] and
//! [`Recovered::start`]; then [`Log::append`] and [`Log::sync`]; [`Log::free`] once the state is
//! durable; [`Log::close`]. [`Preparation`] and [`Compaction`] may run on other threads meanwhile.
//!
//! Files and folders, from the bottom up:
//!
//! ```text
//! authenticator.rs   the keyed hashing that `vault` provides
//! types.rs           frames, clock notes, the end of the log
//! error.rs           errors, and what is known about damage
//! options.rs         sizes of segments
//! files/             names, reading and syncing, twins
//! format/            the bytes of rows, frames, segments, snapshots and the manifest
//! read/              following the chain of frames, checking snapshots
//! write/             the open log: append, sync, segments, freeing files
//! compact.rs         merging the snapshot and ended segments into the next snapshot
//! recover/           opening, starting, repairing
//! salvage/           reading what is left of a log that does not open
//! ```

mod authenticator;
mod compact;
mod error;
mod files;
mod format;
#[cfg(feature = "__internals")]
#[doc(hidden)]
#[path = "../internals/log.rs"]
pub mod internals;
mod options;
mod read;
mod recover;
mod salvage;
mod types;
mod write;

#[cfg(test)]
mod tests;

pub use authenticator::{Authenticator, RowSum};
pub use compact::{Compacted, Compaction};
pub use error::{Damage, LogError};
pub(crate) use files::FOLDER;
pub use files::{GoodCopy, Slot, TWIN_HEADER_BYTES, Twin, TwinContent};
pub use format::frame::{FRAME_BYTES_MAX, FRAME_SETS_MAX, SET_ROWS_MAX};
pub use format::rows::{KEY_BYTES_MAX, RowVisitor, Rows, VALUE_BYTES_MAX};
pub use options::LogOptions;
pub use recover::Recovered;
pub use salvage::SalvageSource;
pub use types::{ClockNote, End, Frame, RowFormat};
pub use write::{Log, Preparation, Prepared};
