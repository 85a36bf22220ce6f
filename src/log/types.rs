//! What the log stores: frames, and what is known at the end of one.

use crate::codec::{CodecError, Reader};
use crate::env::UnixMillis;
use crate::model::{ChangeSet, Lsn, Tree};

/// State of the age clock, carried by every frame, snapshot and end mark (I9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct ClockNote {
    /// The wall clock when this was written.
    pub wall: UnixMillis,
    /// The age clock then.
    pub age: UnixMillis,
    /// By how many milliseconds the wall clock advanced without the age clock following yet.
    pub held_millis: i64,
    /// Since when (wall clock) the age clock has held that back.
    pub held_since: UnixMillis,
}

/// The format of the rows of a log, as its manifest says. A log of an older one is read and repaired, and
/// gets no operation before it is brought over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RowFormat {
    /// Data keys and labels have rows of their own.
    One = 1,
    /// Data keys lie in the rows of their versions, the labels of a secret in one row.
    Two = 2,
}

impl RowFormat {
    /// The one that is written.
    pub const NEWEST: Self = Self::Two;

    /// The number on disk.
    #[must_use]
    pub fn number(self) -> u32 {
        self as u32
    }

    /// The format of a number.
    #[must_use]
    pub fn of(number: u32) -> Option<Self> {
        [Self::One, Self::Two].into_iter().find(|format| format.number() == number)
    }

    /// Whether rows of this format are in that tree.
    #[must_use]
    pub fn has(self, tree: Tree) -> bool {
        match tree {
            Tree::Keys => self == Self::One,
            Tree::Events => self >= Self::Two,
            _ => true,
        }
    }
}

/// One batch of change sets, made durable by one sync.
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

/// The end of the log, and what is known there.
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

impl End {
    /// Bytes of an end on disk.
    pub(super) const BYTES: usize = 80;

    /// Appends the encoding: LSN, digest, keystore generation, clock.
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.lsn.0.to_le_bytes());
        out.extend_from_slice(&self.digest);
        out.extend_from_slice(&self.keystore_generation.to_le_bytes());
        encode_clock(&self.clock, out);
    }

    /// Reads what [`Self::encode`] wrote.
    pub(super) fn decode(reader: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self {
            lsn: Lsn(reader.u64()?),
            digest: reader.array()?,
            keystore_generation: reader.u64()?,
            clock: decode_clock(reader)?,
        })
    }

    /// Whether both are the same point in the log; the clock may have been noted later.
    #[must_use]
    pub fn same_point(&self, other: &Self) -> bool {
        self.lsn == other.lsn && self.digest == other.digest
    }
}

/// Appends the four times of a clock note.
pub(super) fn encode_clock(clock: &ClockNote, out: &mut Vec<u8>) {
    for millis in [clock.wall.0, clock.age.0, clock.held_millis, clock.held_since.0] {
        out.extend_from_slice(&millis.to_le_bytes());
    }
}

/// Reads what [`encode_clock`] wrote.
pub(super) fn decode_clock(reader: &mut Reader<'_>) -> Result<ClockNote, CodecError> {
    Ok(ClockNote {
        wall: UnixMillis(reader.i64()?),
        age: UnixMillis(reader.i64()?),
        held_millis: reader.i64()?,
        held_since: UnixMillis(reader.i64()?),
    })
}
