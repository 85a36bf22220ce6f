//! The key of a row as the table of opened rows keeps it: without a block of its own, hashed in few steps.

use crate::model::Tree;
use std::hash::{BuildHasherDefault, Hash, Hasher};

/// The longest key of a row that is kept.
const BYTES_MAX: usize = 32;

/// Tree and key of a row.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct RowKey {
    tree: Tree,
    len: u8,
    /// The key, and zeros.
    bytes: [u8; BYTES_MAX],
}

impl RowKey {
    /// `None`: the key is longer than any of a row that is kept.
    pub(super) fn of(tree: Tree, key: &[u8]) -> Option<Self> {
        let mut bytes = [0; BYTES_MAX];
        bytes.get_mut(..key.len())?.copy_from_slice(key);
        Some(Self { tree, len: u8::try_from(key.len()).ok()?, bytes })
    }

    /// The key.
    pub(super) fn key(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }
}

impl Hash for RowKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.tree as u64);
        let (words, _) = self.bytes.as_chunks();
        for word in words {
            state.write_u64(u64::from_le_bytes(*word));
        }
    }
}

/// Makes hashers for keys of rows and ids of secrets. They are keyed hashes, or begin with one and count up,
/// so nobody can choose keys that collide. A plain hash is enough.
pub(super) type PlainHash = BuildHasherDefault<PlainHasher>;

/// See [`PlainHash`].
#[derive(Default)]
pub(super) struct PlainHasher(u64);

impl Hasher for PlainHasher {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks();
        for word in words {
            self.write_u64(u64::from_le_bytes(*word));
        }
        for byte in rest {
            self.write_u64((*byte).into());
        }
    }

    fn write_u64(&mut self, word: u64) {
        /// Odd, with bits in no pattern: the fraction of the golden ratio.
        const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
        self.0 = (self.0.rotate_left(23) ^ word).wrapping_mul(SPREAD);
    }

    fn finish(&self) -> u64 {
        // Tables use both ends, and only the upper one depends on every bit.
        self.0 ^ (self.0 >> 32)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use std::hash::BuildHasher;

    #[test]
    fn a_key_comes_back_and_differs_from_its_neighbours() {
        for len in 0..=BYTES_MAX {
            let key = vec![0; len];
            let found = RowKey::of(Tree::Tokens, &key).unwrap();
            assert_eq!(found.key(), key);
            assert!(found != RowKey::of(Tree::Labels, &key).unwrap());
            assert!(RowKey::of(Tree::Tokens, &[&key[..], &[0]].concat()) != Some(found));
        }
        assert!(RowKey::of(Tree::Tokens, &[0; BYTES_MAX + 1]).is_none());
    }

    #[test]
    fn keys_that_count_up_spread() {
        let hash = |n: u64| {
            let key = [&b"12345678"[..], &n.to_be_bytes(), &1_u64.to_be_bytes()].concat();
            PlainHash::default().hash_one(RowKey::of(Tree::Versions, &key).unwrap())
        };
        let low: HashSet<u64> = (0..1000).map(|n| hash(n) % 4096).collect();
        let high: HashSet<u64> = (0..1000).map(|n| hash(n) >> 52).collect();
        assert!(low.len() > 800 && high.len() > 800, "{} {}", low.len(), high.len());
    }
}
