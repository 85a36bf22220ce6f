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

mod compact;
mod error;
mod files;
mod format;
#[cfg(feature = "__internals")]
#[doc(hidden)]
pub mod internals;
mod recover;
mod salvage;
mod write;

#[cfg(test)]
mod tests;

pub use compact::{Compacted, Compaction};
pub use error::{Damage, LogError};
pub use files::{Copy, GoodCopy, TWIN_HEADER_BYTES, Twin, TwinContent};
pub use format::frame::{
    FRAME_BYTES_MAX, FRAME_SETS_MAX, KEY_BYTES_MAX, SET_ROWS_MAX, VALUE_BYTES_MAX,
};
pub use recover::{Recovered, RowVisitor, Rows};
pub use salvage::Remains;
pub use write::{Log, Preparation, Prepared};

use crate::env::UnixMillis;
use crate::env::faults::Faults;
use crate::model::{ChangeSet, Lsn, Tree};

/// Keyed hashing for the log, handed in by `vault` (siblings never name each other).
pub trait Authenticator: Send + Sync {
    /// A 32-byte MAC over `domain` and `parts` (each length-prefixed by the implementation).
    fn tag(&self, domain: &'static str, parts: &[&[u8]]) -> [u8; 32];
    /// A fresh, empty sum over rows, whose digest is compared with the one in a frame.
    fn new_sum(&self) -> Box<dyn RowSum>;
}

/// The keyed set digest, computed over rows in any order.
pub trait RowSum: Send {
    /// Adds a live row. The caller leaves out rows of trees that are not digested.
    fn add(&mut self, tree: Tree, key: &[u8], value: &[u8]);
    /// The digest of all rows added, as a frame whose last LSN is `lsn` carries it.
    fn digest(&self, lsn: Lsn) -> [u8; 32];
}

/// State of the age clock, carried by every frame, snapshot and end mark (I9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct ClockNote {
    /// The wall clock when this was written.
    pub wall: UnixMillis,
    /// The age clock then.
    pub age: UnixMillis,
    /// How much of the wall clock's advance the age clock does not believe yet, in milliseconds.
    pub held_millis: i64,
    /// Since when (wall clock) it holds that back.
    pub held_since: UnixMillis,
}

/// One batch: what is made durable by one sync.
#[derive(Clone, PartialEq, Eq)]
pub struct Frame {
    /// Generation of the keystore that its rows were sealed under.
    pub keystore_generation: u64,
    /// State of the age clock.
    pub clock: ClockNote,
    /// Set digest of all rows after it.
    pub digest: [u8; 32],
    /// 1 to 256 change sets with consecutive LSNs.
    pub sets: Vec<ChangeSet>,
}

/// Where the truth ends, and what is known there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// The last operation.
    pub lsn: Lsn,
    /// Set digest of all rows after it.
    pub digest: [u8; 32],
    /// Generation of the keystore then.
    pub keystore_generation: u64,
    /// State of the age clock then, or at the clean close after it.
    pub clock: ClockNote,
}

/// Sizes, and switches of test builds. The defaults are those of the design.
#[derive(Clone, Debug)]
pub struct LogOptions {
    /// Size of the first segment in bytes, its 4 KiB header included.
    pub segment_bytes_first: u64,
    /// Segments double up to this, and to a quarter of the snapshot.
    pub segment_bytes_max: u64,
    /// Promises to break, for a harness to notice.
    pub faults: Faults,
}

impl Default for LogOptions {
    fn default() -> Self {
        Self {
            segment_bytes_first: 256 << 10,
            segment_bytes_max: 16 << 20,
            faults: Faults::default(),
        }
    }
}
