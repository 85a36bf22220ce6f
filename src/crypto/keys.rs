//! Key material: 32 random bytes per key, with a kind and a term.

use super::aead::{Aad, OVERHEAD_BYTES, SealKey};
use super::kdf::derive_key;
use super::mac::MacKey;
use super::{CryptoError, VaultId};
use crate::env::Entropy;
use zeroize::Zeroizing;

/// The length of every box around a key. A box of variable length could be crafted to open under
/// many keys (a partitioning oracle attack).
pub(super) const KEY_BOX_BYTES: usize = 32 + OVERHEAD_BYTES;

/// 32 secret bytes on the heap, so that moving the owner leaves no copy. Wiped on drop.
pub(super) struct Key(Box<Zeroizing<[u8; 32]>>);

impl Key {
    pub(super) fn generate(entropy: &dyn Entropy) -> Result<Self, CryptoError> {
        let mut key = Self(Box::new(Zeroizing::new([0; 32])));
        entropy.fill(key.0.as_mut_slice()).map_err(|_| CryptoError::Entropy)?;
        Ok(key)
    }

    pub(super) fn copy_from(bytes: &[u8; 32]) -> Self {
        Self(Box::new(Zeroizing::new(*bytes)))
    }

    pub(super) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    pub(super) fn copy(&self) -> Self {
        Self::copy_from(self.bytes())
    }

    /// Wraps this key: `nonce | ciphertext | tag`.
    pub(super) fn wrap(
        &self,
        under: &SealKey,
        aad: &Aad,
        entropy: &dyn Entropy,
    ) -> Result<[u8; KEY_BOX_BYTES], CryptoError> {
        let boxed = under.seal(&[], aad, 32, entropy, |body| body.copy_from_slice(self.bytes()))?;
        boxed.try_into().map_err(|_| CryptoError::TooLong)
    }

    /// Unwraps a key. `None`: another key, another place, or tampered with.
    pub(super) fn unwrap(under: &SealKey, aad: &Aad, boxed: &[u8; KEY_BOX_BYTES]) -> Option<Self> {
        let plain = under.open(aad, boxed)?;
        Some(Self::copy_from(plain.as_slice().try_into().ok()?))
    }
}

/// What a key in the keystore is for. The numbers are on disk (KEY-7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(super) enum KeyKind {
    /// Keyed hashes of names, tokens and labels.
    Names = 1,
    /// Sealed rows.
    Row = 2,
    /// Tags of frames, segments, snapshots, manifest.
    Log = 3,
    /// The set digest.
    Digest = 4,
    /// Equality of payloads.
    Payload = 5,
    /// Reserved for the audit trail.
    Audit = 6,
    /// Wraps of data keys.
    Epoch = 7,
}

impl KeyKind {
    pub(super) const ALL: [Self; 7] =
        [Self::Names, Self::Row, Self::Log, Self::Digest, Self::Payload, Self::Audit, Self::Epoch];

    pub(super) fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u8 == number)
    }
}

/// A key with its place in the keystore.
pub(super) struct TermKey {
    pub(super) kind: KeyKind,
    /// From 1, never reused; the highest of a kind is the current one.
    pub(super) term: u32,
    pub(super) key: Key,
}

impl TermKey {
    pub(super) fn copy(&self) -> Self {
        Self { kind: self.kind, term: self.term, key: self.key.copy() }
    }
}

/// The vault's master key and the keys derived from it. It wraps other keys and nothing else (CR1).
pub(super) struct Master {
    key: Key,
    wrap: SealKey,
    keystore_mac: MacKey,
}

impl Master {
    pub(super) fn new(vault: VaultId, key: Key) -> Self {
        let wrap = derive_key::<32>(key.bytes(), &[b"strongroom/v1/master wrap", &vault.0]);
        let mac = derive_key::<32>(key.bytes(), &[b"strongroom/v1/master mac", &vault.0]);
        Self { wrap: SealKey::new(&wrap), keystore_mac: MacKey::new(&mac), key }
    }

    pub(super) fn copy(&self, vault: VaultId) -> Self {
        Self::new(vault, self.key.copy())
    }

    pub(super) fn key(&self) -> &Key {
        &self.key
    }

    pub(super) fn wrap(&self) -> &SealKey {
        &self.wrap
    }

    /// The tag over a keystore's bytes (KEY-9).
    pub(super) fn keystore_tag(&self, body: &[u8]) -> [u8; 32] {
        self.keystore_mac.mac("keystore", &[body])
    }

    pub(super) fn keystore_tag_fits(&self, body: &[u8], tag: &[u8; 32]) -> bool {
        self.keystore_mac.verify("keystore", &[body], tag)
    }
}
