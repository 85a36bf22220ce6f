//! The keystore: key slots and wrapped keys, one body of fixed size (KEY rules).
//!
//! ```text
//!    0  magic "STRGKEYS" (8)
//!    8  format: u32 = 1
//!   12  vault id (16)
//!   28  generation: u64
//!   36  master term: u32
//!   40  wrapped keys in use: u16, zeros (22)
//!   64  slot x 8      kind: u8, zeros (3), memory KiB, passes, lanes: u32 each,
//!                     salt (32), commitment (32), nonce (24), master key (32), tag (16), zeros (8)
//! 1344  key x 64      kind: u8, zeros (3), term: u32, nonce (24), key (32), tag (16)
//! 6464  zeros
//! 8160  MAC (32) over all bytes before it, under a key derived from the master key
//! ```
//!
//! A [`Keystore`] is parsed and canonical, but not yet authenticated: [`Keystore::unlock`] checks the
//! MAC. The two files that hold the keystore, their checksums and the choice between them are the
//! business of the `log` module's twins.

mod decode;
mod encode;
#[cfg(test)]
mod tests;

use super::aead::Aad;
use super::keyring::Keyring;
use super::keys::{KEY_BOX_BYTES, Key, KeyKind, Master, TermKey};
use super::slot::{Slot, SlotPosition};
use super::{CryptoError, KdfParams, SlotKind, Unlock, VaultId};
use crate::env::Entropy;

pub(super) const MAGIC: &[u8; 8] = b"STRGKEYS";
/// The newest format that this version reads, and the one that it writes.
pub(super) const FORMAT: u32 = 1;
pub(super) const SLOTS: usize = 8;
pub(super) const KEYS: usize = 64;
const HEADER_BYTES: usize = 64;
const SLOT_BYTES: usize = 160;
const SLOT_ZEROS: usize = 8;
const WRAPPED_BYTES: usize = 8 + KEY_BOX_BYTES;
const MAC_BYTES: usize = 32;
const MAC_AT: usize = Keystore::BYTES - MAC_BYTES;

const _: () = assert!(HEADER_BYTES + SLOTS * SLOT_BYTES == 1344, "KEY-1 is frozen in format 1");
const _: () = assert!(1344 + KEYS * WRAPPED_BYTES == 6464, "KEY-1 is frozen in format 1");
const _: () = assert!(16 + 32 + 32 + KEY_BOX_BYTES + SLOT_ZEROS == SLOT_BYTES);

/// A keystore, parsed and canonical. Holds no key that is not wrapped.
#[derive(Clone, PartialEq, Eq)]
pub struct Keystore {
    vault: VaultId,
    generation: u64,
    master_term: u32,
    slots: [Option<Slot>; SLOTS],
    keys: Vec<WrappedKey>,
    mac: [u8; MAC_BYTES],
}

/// One key under the master key.
#[derive(Clone, PartialEq, Eq)]
struct WrappedKey {
    kind: KeyKind,
    term: u32,
    boxed: [u8; KEY_BOX_BYTES],
}

impl Keystore {
    /// The length of the encoded body, in bytes.
    pub const BYTES: usize = 8192;

    /// Makes the keystore of a new vault: generation 1, fresh keys, one slot that `unlock` opens.
    /// `params` matter only for a passphrase; they must lie between the floor and the ceiling.
    pub fn create(
        vault: VaultId,
        unlock: &Unlock,
        params: KdfParams,
        entropy: &dyn Entropy,
    ) -> Result<(Self, Keyring), CryptoError> {
        let master = Master::new(vault, Key::generate(entropy)?);
        let mut keystore = Self {
            vault,
            generation: 1,
            master_term: 1,
            slots: [const { None }; SLOTS],
            keys: Vec::new(),
            mac: [0; MAC_BYTES],
        };
        let mut keys = Vec::new();
        for kind in KeyKind::ALL {
            let key = TermKey { kind, term: 1, key: Key::generate(entropy)? };
            keystore.push_key(&master, &key, entropy)?;
            keys.push(key);
        }
        keystore.set_slot(&master, unlock, params, entropy)?;
        keystore.authenticate(&master);
        let keyring = Keyring::new(vault, 1, master, keys)?;
        Ok((keystore, keyring))
    }

    /// Tries every slot of `with`'s kind (KEY-8), then checks the MAC (KEY-9), then unwraps every key
    /// (KEY-10).
    ///
    /// A passphrase slot costs its Argon2id (memory and time), a key file's costs microseconds.
    /// A wrong key, a bad MAC and a wrapped key that does not authenticate all give
    /// [`CryptoError::WrongKey`]; nothing tells them apart (CR4).
    pub fn unlock(&self, with: &Unlock) -> Result<Keyring, CryptoError> {
        let mut found = None;
        for (number, slot) in (0_u8..).zip(&self.slots) {
            if let Some(slot) = slot
                && let Some(key) = slot.unwrap(self.position(number), with)?
            {
                found = Some(Master::new(self.vault, key));
                break;
            }
        }
        let master = found.ok_or(CryptoError::WrongKey)?;
        if !self.is_authentic(&master) {
            return Err(CryptoError::WrongKey);
        }
        let mut keys = Vec::with_capacity(self.keys.len());
        for wrapped in &self.keys {
            let aad = self.key_aad(wrapped.kind, wrapped.term);
            let key =
                Key::unwrap(master.wrap(), &aad, &wrapped.boxed).ok_or(CryptoError::WrongKey)?;
            keys.push(TermKey { kind: wrapped.kind, term: wrapped.term, key });
        }
        Keyring::new(self.vault, self.generation, master, keys)
    }

    /// Counts the changes of this keystore, from 1. Unlike the generation of the twin file, which
    /// only chooses between two copies, it is authenticated, and every frame carries it.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// The vault that it belongs to.
    #[must_use]
    pub fn vault_id(&self) -> VaultId {
        self.vault
    }

    /// The kinds of the slots in use, in the order of the slots.
    #[must_use]
    pub fn slots(&self) -> Vec<SlotKind> {
        self.slots.iter().flatten().map(|slot| slot.method.kind()).collect()
    }

    /// The memory that trying `with` on the slots of its kind needs, in bytes.
    #[must_use]
    pub fn memory_to_try(&self, with: &Unlock) -> u64 {
        let of_its_kind = self.slots.iter().flatten().map(|slot| slot.method);
        let costs = of_its_kind.filter(|method| method.kind() == with.kind());
        costs.map(super::slot::Method::memory_bytes).max().unwrap_or_default()
    }

    pub(super) fn is_authentic(&self, master: &Master) -> bool {
        master.keystore_tag_fits(&self.encode_body(), &self.mac)
    }

    /// Computes the MAC over the present content: the last step of every change.
    pub(super) fn authenticate(&mut self, master: &Master) {
        self.mac = master.keystore_tag(&self.encode_body());
    }

    pub(super) fn next_generation(&self) -> Result<Self, CryptoError> {
        let generation = self.generation.checked_add(1).ok_or(CryptoError::TooManyKeys)?;
        Ok(Self { generation, ..self.clone() })
    }

    /// Replaces the only slot of `unlock`'s kind, or takes the first free one.
    pub(super) fn set_slot(
        &mut self,
        master: &Master,
        unlock: &Unlock,
        params: KdfParams,
        entropy: &dyn Entropy,
    ) -> Result<(), CryptoError> {
        let is_kind = |slot: &Slot| slot.method.kind() == unlock.kind();
        let same = self.slots.iter().filter(|slot| slot.as_ref().is_some_and(is_kind)).count();
        // With several slots of the kind it is unknown which one the caller means.
        let position = match same {
            0 => self.slots.iter().position(Option::is_none),
            1 => self.slots.iter().position(|slot| slot.as_ref().is_some_and(is_kind)),
            _ => None,
        };
        let numbered = position.and_then(|at| Some((at, u8::try_from(at).ok()?)));
        let (at, number) = numbered.ok_or(CryptoError::TooManySlots)?;
        let slot = Slot::wrap(self.position(number), unlock, params, master.key(), entropy)?;
        if let Some(free) = self.slots.get_mut(at) {
            *free = Some(slot);
        }
        Ok(())
    }

    /// Adds a wrapped key. Its kind and term must not be there yet.
    pub(super) fn push_key(
        &mut self,
        master: &Master,
        key: &TermKey,
        entropy: &dyn Entropy,
    ) -> Result<(), CryptoError> {
        if self.keys.len() >= KEYS {
            return Err(CryptoError::TooManyKeys);
        }
        let aad = self.key_aad(key.kind, key.term);
        let boxed = key.key.wrap(master.wrap(), &aad, entropy)?;
        self.keys.push(WrappedKey { kind: key.kind, term: key.term, boxed });
        self.keys.sort_by_key(|wrapped| (wrapped.kind, wrapped.term));
        Ok(())
    }

    pub(super) fn retain_keys(&mut self, keep: impl Fn(KeyKind, u32) -> bool) {
        self.keys.retain(|wrapped| keep(wrapped.kind, wrapped.term));
    }

    fn position(&self, number: u8) -> SlotPosition {
        SlotPosition { vault: self.vault, master_term: self.master_term, number }
    }

    fn key_aad(&self, kind: KeyKind, term: u32) -> Aad {
        Aad::new("strongroom/v1/key", self.vault)
            .with(&self.master_term.to_le_bytes())
            .with(&[kind as u8])
            .with(&term.to_le_bytes())
    }
}
