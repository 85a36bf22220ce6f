//! Which unsynced changes a power cut keeps: all, none, a chosen one, a part of one, or any subset that D2
//! and D3 of `disk.rs` allow.

use std::path::PathBuf;

/// Which unsynced changes a power cut keeps. Changes are named by their [`Pending::number`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CrashPlan {
    /// All are gone.
    DropAll,
    /// All have reached the disk.
    KeepAll,
    /// Any legal subset, torn at sectors, chosen by the seed; the extremes included.
    Random(u64),
    /// All but this one have reached the disk. What builds on it goes with it (D2, D3).
    DropOne(u64),
    /// Only this one has: the last that was made, say, before all others.
    KeepOne(u64),
    /// All have, but of this write only the first so many sectors.
    Tear {
        /// Which.
        change: u64,
        /// How many of its sectors.
        sectors: u64,
    },
    /// Names have, bytes and lengths have not.
    NamesOnly,
    /// Bytes and lengths have, names have not.
    ContentOnly,
    /// Names and lengths have, bytes have not: zeros stand for what a file grew by.
    SizesOnly,
    /// Names have, and bytes as far as the old lengths reach.
    BytesOnly,
    /// All have, and one bit of what one file's changes changed is the wrong way round.
    Rot(u64),
}

/// An unsynced change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// Its place in the order of all of them.
    pub number: u64,
    /// Sectors that it writes; 0 if it is not a write.
    pub sectors: u64,
    /// What it changes.
    pub path: PathBuf,
}

/// What becomes of one change of a file.
pub(super) struct Fate {
    /// For each of its sectors, whether it reaches the disk.
    pub(super) sectors: Vec<bool>,
    /// Whether the new length does.
    pub(super) len: bool,
}

impl CrashPlan {
    pub(super) fn seed(self) -> Option<u64> {
        match self {
            Self::Random(seed) | Self::Rot(seed) => Some(seed),
            _ => None,
        }
    }

    /// Whether a change of directories reaches the disk if it builds on nothing else.
    pub(super) fn keeps_entry(self, number: u64) -> bool {
        match self {
            Self::DropAll | Self::ContentOnly => false,
            Self::DropOne(dropped) => number != dropped,
            Self::KeepOne(kept) => number == kept,
            _ => true,
        }
    }

    pub(super) fn drops_content(self) -> bool {
        matches!(self, Self::DropAll | Self::NamesOnly)
    }

    pub(super) fn keeps_content(self) -> bool {
        matches!(self, Self::KeepAll | Self::ContentOnly | Self::Rot(_))
    }

    /// What becomes of a change of a file that writes so many sectors.
    pub(super) fn fate(self, number: u64, sectors: usize) -> Fate {
        let whole = |reaches| Fate { sectors: vec![reaches; sectors], len: reaches };
        match self {
            Self::DropOne(dropped) => whole(number != dropped),
            Self::KeepOne(kept) => whole(number == kept),
            Self::Tear { change, sectors: first } if change == number => {
                let reach = |at| (at as u64) < first;
                Fate { sectors: (0..sectors).map(reach).collect(), len: false }
            }
            Self::SizesOnly => Fate { sectors: vec![false; sectors], len: true },
            Self::DropAll | Self::NamesOnly => whole(false),
            _ => whole(true),
        }
    }
}
