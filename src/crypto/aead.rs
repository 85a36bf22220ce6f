//! Hazmat: XChaCha20-Poly1305, in place. The only user of its crate.
//!
//! ```text
//! box = nonce (24, random) | ciphertext (as long as the plaintext) | tag (16)
//! ```
//!
//! One buffer per box: the plaintext is written where its ciphertext will stand, so there is no
//! second copy to wipe. A buffer that fails to seal or to open is wiped.

use super::{CryptoError, VaultId};
use crate::env::Entropy;
use crate::env::faults::{self, Fault};
use chacha20poly1305::aead::AeadInOut;
use chacha20poly1305::{KeyInit, XChaCha20Poly1305};
use zeroize::{Zeroize, Zeroizing};

pub(super) const NONCE_BYTES: usize = 24;
pub(super) const TAG_BYTES: usize = 16;
/// The length of a box minus the length of its plaintext.
pub(super) const OVERHEAD_BYTES: usize = NONCE_BYTES + TAG_BYTES;

/// Fresh random bytes (CR2).
pub(super) fn random<const N: usize>(entropy: &dyn Entropy) -> Result<[u8; N], CryptoError> {
    let mut bytes = [0; N];
    entropy.fill(&mut bytes).map_err(|_| CryptoError::Entropy)?;
    Ok(bytes)
}

/// Authenticated data: a label that names format and kind, the vault, then fields of fixed length
/// of which only the last may vary. Two different meanings never give the same bytes (CR3). Nothing in it is
/// secret: ids, terms, and keys of rows.
pub(super) struct Aad {
    bytes: [u8; Self::CAPACITY],
    len: usize,
    /// All of them, if they are more than that.
    long: Option<Vec<u8>>,
}

impl Aad {
    /// Room for the longest data, a wrap of a version id of 256 bytes, so that none needs a block of its own.
    const CAPACITY: usize = 320;

    pub(super) fn new(label: &'static str, vault: VaultId) -> Self {
        Self { bytes: [0; Self::CAPACITY], len: 0, long: None }
            .with(label.as_bytes())
            .with(&vault.0)
    }

    pub(super) fn with(mut self, field: &[u8]) -> Self {
        let end = self.len + field.len();
        match (&mut self.long, self.bytes.get_mut(self.len..end)) {
            (None, Some(place)) => {
                place.copy_from_slice(field);
                self.len = end;
            }
            (Some(long), _) => long.extend_from_slice(field),
            (None, None) => {
                self.long = Some([self.as_bytes(), field].concat());
            }
        }
        self
    }

    fn as_bytes(&self) -> &[u8] {
        let short = || self.bytes.get(..self.len).unwrap_or_default();
        self.long.as_deref().unwrap_or_else(short)
    }
}

/// A key of the cipher. Its crate's `zeroize` feature wipes it on drop. It is boxed, so that moving
/// its owner copies a pointer and not the key.
pub(super) struct SealKey(Box<XChaCha20Poly1305>);

impl SealKey {
    pub(super) fn new(key: &[u8; 32]) -> Self {
        Self(Box::new(XChaCha20Poly1305::new(key.into())))
    }

    /// `head | box`. `fill` writes the plaintext (`plain_bytes` long, initially zeros) in place.
    pub(super) fn seal(
        &self,
        head: &[u8],
        aad: &Aad,
        plain_bytes: usize,
        entropy: &dyn Entropy,
        fill: impl FnOnce(&mut [u8]),
    ) -> Result<Vec<u8>, CryptoError> {
        let nonce = random::<NONCE_BYTES>(entropy)?;
        let mut sealed =
            Zeroizing::new(Vec::with_capacity(head.len() + plain_bytes + OVERHEAD_BYTES));
        sealed.extend_from_slice(head);
        sealed.extend_from_slice(&nonce);
        let body_at = sealed.len();
        sealed.resize(body_at + plain_bytes, 0);
        let (_, body) = sealed.split_at_mut(body_at);
        fill(body);
        let tag = self.seal_in_place(&nonce, aad, body, is_null())?;
        sealed.extend_from_slice(&tag);
        Ok(std::mem::take(&mut *sealed))
    }

    /// The plaintext of a box. `None` if it does not authenticate or is not a box.
    pub(super) fn open(&self, aad: &Aad, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, rest) = sealed.split_first_chunk::<NONCE_BYTES>()?;
        let (body, tag) = rest.split_last_chunk::<TAG_BYTES>()?;
        let mut plain = Zeroizing::new(body.to_vec());
        self.open_in_place(nonce, aad, &mut plain, tag, is_null()).then_some(plain)
    }

    fn seal_in_place(
        &self,
        nonce: &[u8; NONCE_BYTES],
        aad: &Aad,
        buffer: &mut [u8],
        null: bool,
    ) -> Result<[u8; TAG_BYTES], CryptoError> {
        let plain = null.then(|| Zeroizing::new(buffer.to_vec()));
        let sealed =
            self.0.encrypt_inout_detached(nonce.into(), aad.as_bytes(), (&mut *buffer).into());
        let Ok(tag) = sealed else {
            buffer.zeroize();
            return Err(CryptoError::TooLong);
        };
        if let Some(plain) = plain {
            buffer.copy_from_slice(&plain);
        }
        Ok(tag.into())
    }

    fn open_in_place(
        &self,
        nonce: &[u8; NONCE_BYTES],
        aad: &Aad,
        buffer: &mut [u8],
        tag: &[u8; TAG_BYTES],
        null: bool,
    ) -> bool {
        use subtle::ConstantTimeEq;
        let opened = if null {
            let mut copy = Zeroizing::new(buffer.to_vec());
            let expected = self.0.encrypt_inout_detached(
                nonce.into(),
                aad.as_bytes(),
                copy.as_mut_slice().into(),
            );
            expected.is_ok_and(|expected| bool::from(expected.as_slice().ct_eq(tag)))
        } else {
            self.0
                .decrypt_inout_detached(
                    nonce.into(),
                    aad.as_bytes(),
                    (&mut *buffer).into(),
                    tag.into(),
                )
                .is_ok()
        };
        if !opened {
            buffer.zeroize();
        }
        opened
    }
}

/// Breaks confidentiality on purpose: boxes keep their plaintext in the clear (tags stay right), so that
/// a search for canaries on disk can prove that it would find them.
fn is_null() -> bool {
    faults::active(Fault::NullCipher)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use crate::crypto::testing::{NoEntropy, Stream};

    const VAULT: VaultId = VaultId([7; 16]);

    fn aad() -> Aad {
        Aad::new("strongroom/v1/test", VAULT).with(b"place")
    }

    fn sealed() -> (SealKey, Vec<u8>) {
        let key = SealKey::new(&[3; 32]);
        let sealed = key
            .seal(b"head", &aad(), 11, &Stream::new(1), |body| body.copy_from_slice(b"hello world"))
            .unwrap();
        (key, sealed)
    }

    /// Draft-irtf-cfrg-xchacha-03, appendix A.3.1: the crate implements the cipher.
    #[test]
    fn the_cipher_is_xchacha20_poly1305() {
        let key: [u8; 32] = std::array::from_fn(|i| 0x80 + u8::try_from(i).unwrap());
        let nonce: [u8; 24] = std::array::from_fn(|i| 0x40 + u8::try_from(i).unwrap());
        let bytes = [0x50, 0x51, 0x52, 0x53, 0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7];
        let empty = Aad { bytes: [0; Aad::CAPACITY], len: 0, long: None };
        let aad = empty.with(&bytes);
        let mut text = b"Ladies and Gentlemen of the class of '99: If I could offer you \
                         only one tip for the future, sunscreen would be it."
            .to_vec();
        let tag = SealKey::new(&key).seal_in_place(&nonce, &aad, &mut text, false).unwrap();
        assert_eq!(&text[..8], &[0xbd, 0x6d, 0x17, 0x9d, 0x3e, 0x83, 0xd4, 0x3b]);
        assert_eq!(
            tag,
            [
                0xc0, 0x87, 0x59, 0x24, 0xc1, 0xc7, 0x98, 0x79, 0x47, 0xde, 0xaf, 0xd8, 0x78, 0x0a,
                0xcf, 0x49
            ]
        );
    }

    #[test]
    fn a_box_opens_with_its_key_and_place_only() {
        let (key, sealed) = sealed();
        assert_eq!(sealed.len(), 4 + OVERHEAD_BYTES + 11);
        assert!(sealed.starts_with(b"head"));
        assert_eq!(key.open(&aad(), &sealed[4..]).unwrap().as_slice(), b"hello world");
        assert!(SealKey::new(&[4; 32]).open(&aad(), &sealed[4..]).is_none());
        assert!(key.open(&aad().with(b"x"), &sealed[4..]).is_none());
        assert!(key.open(&Aad::new("strongroom/v1/test", VAULT), &sealed[4..]).is_none());
    }

    #[test]
    fn data_of_any_length_is_kept_whole() {
        let label = "strongroom/v1/test";
        for lens in [[0, 0], [286, 0], [285, 1], [286, 1], [287, 1], [100, 900], [900, 100]] {
            let fields = lens.map(|len| vec![u8::try_from(len % 251).unwrap(); len]);
            let aad = fields.iter().fold(Aad::new(label, VAULT), |aad, field| aad.with(field));
            let expected = [label.as_bytes(), &VAULT.0, &fields.concat()].concat();
            assert_eq!(aad.as_bytes(), expected, "{lens:?}");
        }
    }

    #[test]
    fn every_flipped_bit_and_every_truncation_is_refused() {
        let (key, sealed) = sealed();
        for bit in 32..sealed.len() * 8 {
            let mut flipped = sealed.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(key.open(&aad(), &flipped[4..]).is_none(), "bit {bit}");
        }
        for len in 4..sealed.len() {
            assert!(key.open(&aad(), &sealed[4..len]).is_none(), "length {len}");
        }
    }

    #[test]
    fn a_failed_opening_leaves_nothing_in_the_buffer() {
        let (key, sealed) = sealed();
        let (nonce, rest) = sealed[4..].split_first_chunk().unwrap();
        let mut buffer = rest[..11].to_vec();
        assert!(!key.open_in_place(nonce, &aad(), &mut buffer, &[0; 16], false));
        assert_eq!(buffer, [0; 11]);
    }

    #[test]
    fn without_entropy_nothing_is_sealed() {
        let key = SealKey::new(&[3; 32]);
        let sealed = key.seal(b"", &aad(), 1, &NoEntropy, |_| ());
        assert_eq!(sealed.err(), Some(CryptoError::Entropy));
    }

    /// The switch itself is process-wide, so the test calls what it switches.
    #[test]
    fn the_null_cipher_keeps_plaintext_and_still_authenticates() {
        let key = SealKey::new(&[3; 32]);
        let nonce = [9; 24];
        let mut buffer = b"canary".to_vec();
        let tag = key.seal_in_place(&nonce, &aad(), &mut buffer, true).unwrap();
        assert_eq!(buffer, b"canary");
        assert!(key.open_in_place(&nonce, &aad(), &mut buffer, &tag, true));
        assert_eq!(buffer, b"canary");
        let other = aad().with(b"x");
        assert!(!key.open_in_place(&nonce, &other, &mut buffer, &tag, true));
    }
}
