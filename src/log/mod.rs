//! The log: where an operation becomes durable.

use crate::env::UnixMillis;
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
