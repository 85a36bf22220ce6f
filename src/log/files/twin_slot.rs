//! One of a twin's two files, and what reading it gave.

use sha2::{Digest, Sha256};

pub(super) const MAGIC: [u8; 8] = *b"SRTWIN\r\n";

/// Which of the two files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Slot {
    A,
    B,
}

/// One copy whose checksum is good.
pub struct GoodCopy {
    /// Which file it is.
    pub slot: Slot,
    /// Its generation.
    pub generation: u64,
    /// The format of its body.
    pub format: u32,
    /// Its body.
    pub body: Vec<u8>,
}

impl Slot {
    /// The other one.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }
}

/// One copy as it was read.
#[derive(Clone)]
pub(super) enum SlotContent {
    Good { generation: u64, format: u32, body: Vec<u8> },
    Newer { generation: u64, format: u32 },
    Bad { rule: &'static str },
}

impl SlotContent {
    /// The generation, if the checksum is good.
    pub(super) fn generation(&self) -> Option<u64> {
        match self {
            Self::Good { generation, .. } | Self::Newer { generation, .. } => Some(*generation),
            Self::Bad { .. } => None,
        }
    }
}

/// The checksum covers every field, so that a flip anywhere in the file shows.
pub(super) fn sum(format: u32, stem: &[u8; 16], generation: u64, body: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(MAGIC);
    hash.update(stem);
    hash.update(format.to_le_bytes());
    hash.update((body.len() as u64).to_le_bytes());
    hash.update(generation.to_le_bytes());
    hash.update(body);
    hash.finalize().into()
}
