//! A key slot: one way to the master key (KEY-5, KEY-8).
//!
//! ```text
//! slot secret = Argon2id(passphrase, salt, cost)   |   the key file's 256 bits
//! HKDF-Expand(slot secret, label, vault, kind, salt) -> wrap key (32) | commitment (32)
//! box = wrap key seals master key; AAD = label, vault, master term, slot number, kind, cost, salt
//! ```
//!
//! XChaCha20-Poly1305 does not commit to its key: one box can be crafted to open under many keys. The
//! commitment is therefore compared, in constant time, before the box is opened.

use super::aead::{Aad, SealKey};
use super::kdf::{KdfParams, derive_from_passphrase, derive_key};
use super::keys::{KEY_BOX_BYTES, Key};
use super::{CryptoError, SlotKind, Unlock, VaultId, aead, key_file};
use crate::env::Entropy;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// A slot's public part: what the keystore holds.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) method: Method,
    pub(super) salt: [u8; 32],
    pub(super) commitment: [u8; 32],
    pub(super) boxed: [u8; KEY_BOX_BYTES],
}

/// How the slot secret is derived.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    /// The slot secret is the content of the key file.
    KeyFile,
    /// Argon2id at this cost, which was checked (KEY-6).
    Passphrase(KdfParams),
}

impl Method {
    /// The method's bytes, on disk and in the AAD: kind, 3 zeros, memory, passes, lanes.
    pub(super) fn encode(self) -> [u8; 16] {
        let (kind, cost) = match self {
            Self::KeyFile => (1, KdfParams { memory_kib: 0, passes: 0, lanes: 0 }),
            Self::Passphrase(cost) => (2, cost),
        };
        let mut bytes = [0; 16];
        let words = [kind, cost.memory_kib, cost.passes, cost.lanes];
        for (to, from) in bytes.iter_mut().zip(words.into_iter().flat_map(u32::to_le_bytes)) {
            *to = from;
        }
        bytes
    }

    /// The memory that trying a key needs, in bytes.
    pub(super) fn memory_bytes(self) -> u64 {
        match self {
            Self::KeyFile => 0,
            Self::Passphrase(cost) => cost.memory_bytes(),
        }
    }

    pub(super) fn kind(self) -> SlotKind {
        match self {
            Self::KeyFile => SlotKind::KeyFile,
            Self::Passphrase(_) => SlotKind::Passphrase,
        }
    }
}

/// Where a slot is. Part of its AAD, so that a slot does not work in another position.
#[derive(Clone, Copy)]
pub(super) struct SlotPosition {
    pub(super) vault: VaultId,
    pub(super) master_term: u32,
    pub(super) number: u8,
}

impl Slot {
    /// Makes a slot that `unlock` opens.
    pub(super) fn wrap(
        position: SlotPosition,
        unlock: &Unlock,
        cost: KdfParams,
        master: &Key,
        entropy: &dyn Entropy,
    ) -> Result<Self, CryptoError> {
        let method = match unlock {
            Unlock::KeyFile(_) => Method::KeyFile,
            Unlock::Passphrase(_) => Method::Passphrase(cost),
        };
        let salt = aead::random::<32>(entropy)?;
        let secret = derive_secret(unlock, method, &salt)?;
        let (wrap_key, commitment) = derive_slot_keys(position.vault, method, &salt, &secret);
        let boxed = master.wrap(&wrap_key, &aad(position, method, &salt), entropy)?;
        Ok(Self { method, salt, commitment, boxed })
    }

    /// The master key, if `unlock` fits. `Err` says that `unlock` itself is unusable.
    pub(super) fn unwrap(
        &self,
        position: SlotPosition,
        unlock: &Unlock,
    ) -> Result<Option<Key>, CryptoError> {
        if self.method.kind() != unlock.kind() {
            return Ok(None);
        }
        let secret = derive_secret(unlock, self.method, &self.salt)?;
        let (wrap_key, commitment) =
            derive_slot_keys(position.vault, self.method, &self.salt, &secret);
        if !bool::from(commitment.ct_eq(&self.commitment)) {
            return Ok(None);
        }
        Ok(Key::unwrap(&wrap_key, &aad(position, self.method, &self.salt), &self.boxed))
    }
}

fn derive_secret(
    unlock: &Unlock,
    method: Method,
    salt: &[u8; 32],
) -> Result<Zeroizing<[u8; 32]>, CryptoError> {
    match (unlock, method) {
        (Unlock::Passphrase(passphrase), _) if passphrase.is_empty() => {
            Err(CryptoError::EmptyPassphrase)
        }
        (Unlock::Passphrase(passphrase), Method::Passphrase(cost)) => {
            // EXPOSE: Argon2id reads the passphrase; it is wiped by its owner.
            derive_from_passphrase(passphrase.expose(), salt, cost)
        }
        // The vault in the header is not compared, so that a key file left by an interrupted creation
        // can be used again.
        (Unlock::KeyFile(text), Method::KeyFile) => key_file::parse(text),
        _ => Err(CryptoError::WrongKey),
    }
}

fn derive_slot_keys(
    vault: VaultId,
    method: Method,
    salt: &[u8; 32],
    secret: &[u8; 32],
) -> (SealKey, [u8; 32]) {
    let [kind, ..] = method.encode();
    let both = derive_key::<64>(secret, &[b"strongroom/v1/slot", &vault.0, &[kind], salt]);
    let mut wrap_key = Zeroizing::new([0; 32]);
    let mut commitment = [0; 32];
    let (first, second) = both.split_at(32);
    wrap_key.copy_from_slice(first);
    commitment.copy_from_slice(second);
    (SealKey::new(&wrap_key), commitment)
}

fn aad(position: SlotPosition, method: Method, salt: &[u8; 32]) -> Aad {
    Aad::new("strongroom/v1/slot", position.vault)
        .with(&position.master_term.to_le_bytes())
        .with(&[position.number])
        .with(&method.encode())
        .with(salt)
}
