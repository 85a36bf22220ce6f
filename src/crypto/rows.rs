//! Sealed rows: everything in the trees except wraps and chunks (ROW rules).
//!
//! ```text
//! version: u8 = 1 | row term: u32 | nonce (24) | ciphertext | tag (16)
//! AAD = "strongroom/v1/row" | vault id (16) | tree: u8 | row term: u32 | row key
//! ```

use super::aead::{Aad, OVERHEAD_BYTES};
use super::{CryptoError, Keyring};
use crate::codec::Reader;
use crate::env::Entropy;
use crate::model::Tree;
use zeroize::Zeroizing;

const VERSION: u8 = 1;
const HEAD_BYTES: usize = 5;
/// The longest plaintext of a row, in bytes. Records are far shorter.
const PLAIN_BYTES_MAX: usize = 1 << 20;

impl Keyring {
    /// Seals a row for its tree and key. Takes `plain` over and wipes it. The result is 45 bytes
    /// longer. [`CryptoError::TooLong`] above 1 MiB.
    pub fn seal_row(
        &self,
        tree: Tree,
        key: &[u8],
        plain: Vec<u8>,
        entropy: &dyn Entropy,
    ) -> Result<Vec<u8>, CryptoError> {
        let plain = Zeroizing::new(plain);
        if plain.len() > PLAIN_BYTES_MAX {
            return Err(CryptoError::TooLong);
        }
        let (term, seal_key) = self.rows().current()?;
        let mut head = [VERSION; HEAD_BYTES];
        let (_, term_bytes) = head.split_at_mut(1);
        term_bytes.copy_from_slice(&term.to_le_bytes());
        seal_key.seal(&head, &self.row_aad(tree, key, term), plain.len(), entropy, |body| {
            body.copy_from_slice(&plain);
        })
    }

    /// Opens a row in its place. Any bytes give the plaintext or an error.
    pub fn open_row(
        &self,
        tree: Tree,
        key: &[u8],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        const SHORT: CryptoError = CryptoError::Damaged { rule: "ROW-1" };
        let mut reader = Reader::new(sealed);
        check_version(reader.u8().map_err(|_| SHORT)?, "ROW-1")?;
        let term = reader.u32().map_err(|_| SHORT)?;
        let boxed = reader.rest();
        if !(OVERHEAD_BYTES..=OVERHEAD_BYTES + PLAIN_BYTES_MAX).contains(&boxed.len()) {
            return Err(CryptoError::Damaged { rule: "ROW-2" });
        }
        let seal_key = self.rows().of_term(term).ok_or(CryptoError::Damaged { rule: "ROW-3" })?;
        seal_key
            .open(&self.row_aad(tree, key, term), boxed)
            .ok_or(CryptoError::Damaged { rule: "ROW-4" })
    }

    fn row_aad(&self, tree: Tree, key: &[u8], term: u32) -> Aad {
        Aad::new("strongroom/v1/row", self.vault_id())
            .with(&[tree as u8])
            .with(&term.to_le_bytes())
            .with(key)
    }
}

/// Rows and wraps start with a version byte: 1 is known, higher ones are newer, 0 is invalid.
pub(super) fn check_version(found: u8, rule: &'static str) -> Result<(), CryptoError> {
    match found {
        VERSION => Ok(()),
        0 => Err(CryptoError::Damaged { rule }),
        _ => Err(CryptoError::NewerFormat { found: found.into(), known: VERSION.into() }),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use crate::crypto::testing;

    const DAMAGED: fn(&'static str) -> Option<CryptoError> =
        |rule| Some(CryptoError::Damaged { rule });

    #[test]
    fn a_row_opens_in_its_place_only() {
        let (_, keyring, _, entropy) = testing::vault(1);
        let sealed = keyring.seal_row(Tree::Secrets, b"key", b"row".to_vec(), &entropy).unwrap();
        assert_eq!(sealed.len(), 45 + 3);
        assert_eq!(keyring.open_row(Tree::Secrets, b"key", &sealed).unwrap().as_slice(), b"row");
        for (tree, key) in
            [(Tree::Versions, &b"key"[..]), (Tree::Secrets, b"kez"), (Tree::Secrets, b"key\0")]
        {
            assert_eq!(keyring.open_row(tree, key, &sealed).err(), DAMAGED("ROW-4"));
        }
        let (_, other, ..) = testing::vault(2);
        assert_eq!(other.open_row(Tree::Secrets, b"key", &sealed).err(), DAMAGED("ROW-4"));
    }

    #[test]
    fn an_empty_row_is_a_row_and_a_giant_is_not() {
        let (_, keyring, _, entropy) = testing::vault(1);
        let sealed = keyring.seal_row(Tree::Meta, b"", Vec::new(), &entropy).unwrap();
        assert!(keyring.open_row(Tree::Meta, b"", &sealed).unwrap().is_empty());
        let giant = keyring.seal_row(Tree::Meta, b"", vec![0; PLAIN_BYTES_MAX + 1], &entropy);
        assert_eq!(giant.err(), Some(CryptoError::TooLong));
    }

    #[test]
    fn the_same_row_is_never_the_same_bytes_twice() {
        let (_, keyring, _, entropy) = testing::vault(1);
        let seal = || keyring.seal_row(Tree::Meta, b"k", b"same".to_vec(), &entropy).unwrap();
        assert_ne!(seal()[5..29], seal()[5..29], "nonces repeat");
    }

    #[test]
    fn every_flipped_bit_and_every_truncation_of_a_row_is_refused() {
        let (_, keyring, _, entropy) = testing::vault(1);
        let sealed = keyring.seal_row(Tree::Meta, b"k", b"row".to_vec(), &entropy).unwrap();
        for bit in 0..sealed.len() * 8 {
            let mut flipped = sealed.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let error = keyring.open_row(Tree::Meta, b"k", &flipped).err();
            let expected = match bit / 8 {
                0 if bit == 0 => DAMAGED("ROW-1"),
                0 => Some(CryptoError::NewerFormat { found: 1 | 1 << bit, known: 1 }),
                1..5 => DAMAGED("ROW-3"),
                _ => DAMAGED("ROW-4"),
            };
            assert_eq!(error, expected, "bit {bit}");
        }
        for len in 0..sealed.len() {
            assert!(keyring.open_row(Tree::Meta, b"k", &sealed[..len]).is_err(), "length {len}");
        }
    }
}
