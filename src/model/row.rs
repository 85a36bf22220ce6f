//! Rows: what the log and the store move about. Keys and values are opaque (sealed) bytes here.

use super::RecordId;

/// Log sequence number: the order of operations, from 1, never reused. 0 is the empty vault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Lsn(pub u64);

impl Lsn {
    /// The one after.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// The trees of the store, numbered as on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Tree {
    /// `H(account, region, name) -> secret id`
    Names = 1,
    /// `secret id -> record`
    Secrets = 2,
    /// `secret id | seq -> metadata, and the box of data key and payload MAC`
    Versions = 3,
    /// `secret id | seq -> wrap of data key and payload MAC`. Only in rows of format 1: since format 2 the wrap
    /// lies in the row of its version.
    Keys = 4,
    /// `secret id | seq | chunk -> 4 KiB of the sealed value`
    Blobs = 5,
    /// `secret id | H(version id) -> seq`
    Tokens = 6,
    /// `secret id -> all labels of the secret, each with the seq of its version`
    Labels = 7,
    /// Facts about the vault as a whole.
    Meta = 8,
    /// `LSN | number -> event of a label move that waits to be delivered`. Since format 2.
    Events = 9,
}

impl Tree {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 9] = [
        Self::Names,
        Self::Secrets,
        Self::Versions,
        Self::Keys,
        Self::Blobs,
        Self::Tokens,
        Self::Labels,
        Self::Meta,
        Self::Events,
    ];

    /// The tree of a number read from disk.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|tree| *tree as u8 == number)
    }

    /// The secret whose row it is, by its key. `None`: rows of this tree are not of one secret.
    #[must_use]
    pub fn secret_of(self, key: &[u8]) -> Option<&[u8]> {
        match self {
            Self::Names | Self::Meta | Self::Events => None,
            Self::Secrets
            | Self::Versions
            | Self::Keys
            | Self::Blobs
            | Self::Tokens
            | Self::Labels => key.get(..size_of::<RecordId>()),
        }
    }

    /// Whether the set digest covers its rows. Chunks are covered through their version's record,
    /// which holds their number and the sealed value's tag (I6).
    #[must_use]
    pub fn is_digested(self) -> bool {
        !matches!(self, Self::Blobs)
    }
}

/// The state of one row after an operation: absolute, so that applying it twice is harmless.
#[derive(Clone, PartialEq, Eq)]
pub struct RowChange {
    /// Where.
    pub tree: Tree,
    /// At most 64 bytes.
    pub key: Box<[u8]>,
    /// `None`: the row is gone (a tombstone).
    pub value: Option<Box<[u8]>>,
}

impl RowChange {
    /// Bytes of its key and value.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        (self.key.len() + self.value.as_ref().map_or(0, |value| value.len())) as u64
    }
}

/// All that one operation changes: applied and shown whole or not at all (I2, I3).
#[derive(Clone, PartialEq, Eq)]
pub struct ChangeSet {
    /// The operation's place in the order.
    pub lsn: Lsn,
    /// At most 256 rows, each (tree, key) at most once.
    pub rows: Vec<RowChange>,
}
