//! The log: where an operation becomes durable. It is the truth; the state is its picture.
//!
//! ```text
//! manifest.a .b   which snapshot, which segments, end mark       twin, authenticated
//! log/N.snap      all rows at one LSN                            authenticated blocks, chained
//! log/N.wal       header, then frames: one frame is one batch    authenticated, chained
//! ```
//!
//! Bytes are specified in `docs/FORMAT.md` (LOG-, SNAP-, MAN- and TWIN- rules). Rows arrive sealed:
//! nothing is encrypted here, everything is authenticated (I5). Caller: `vault`.
//!
//! - **L1** What [`Log::sync`] returned from is durable, and an open finds it or says *damaged*.
//! - **L2** Torn is not corrupt: only what was never synced may be passed over, and only at the
//!   very end. Limit: rot in the very last frame after a crash looks the same.
//! - **L3** Every open and every undone append ends the segment; the next header names that end.
//! - **L4** No error is retried. A failed sync poisons; a full disk is undone.
//! - **L5** Opening writes nothing. Starting writes nothing after a clean close.
//! - **L6** Parsers are total, with limits: any bytes give an answer.
//!
//! Life: [`Log::create`] or [`Log::open`], [`Recovered::replay`], [`Recovered::start`], then
//! [`Log::append`] and [`Log::sync`] by one thread; [`Preparation`] and [`Compaction`] run beside;
//! [`Log::free`] once the state is durable; [`Log::close`].

mod authenticator;
mod compact;
mod error;
mod files;
mod format;
#[cfg(feature = "__internals")]
#[doc(hidden)]
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
pub use files::{GoodCopy, Slot, TWIN_HEADER_BYTES, Twin, TwinContent};
pub use format::frame::{FRAME_BYTES_MAX, FRAME_SETS_MAX, SET_ROWS_MAX};
pub use format::rows::{KEY_BYTES_MAX, RowVisitor, Rows, VALUE_BYTES_MAX};
pub use options::LogOptions;
pub use recover::Recovered;
pub use salvage::SalvageSource;
pub use types::{ClockNote, End, Frame};
pub use write::{Log, Preparation, Prepared};
