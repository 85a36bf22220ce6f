//! The keys of an unlocked vault, ready to use, and the changes of its keystore.
//!
//! `envelope` (values), `wrap` (data keys), `rows` and `index` add the operations that use them.
//!
//! Nothing is changed in place: every change returns a new keystore and its keyring. The caller
//! makes the keystore durable in both files and then switches keyrings (I10).

use super::aead::SealKey;
use super::keys::{Key, KeyKind, Master, TermKey};
use super::mac::MacKey;
use super::{CryptoError, KdfParams, Keystore, Unlock, VaultId};
use crate::env::Entropy;
use std::sync::Arc;

/// The keys of an unlocked vault. Shared as `Arc<Keyring>`; all keys are wiped when it drops. No
/// `Debug`, no `Clone`.
pub struct Keyring {
    vault: VaultId,
    generation: u64,
    master: Master,
    /// In the order of the keystore: rising kinds and terms.
    keys: Vec<TermKey>,
    names: MacKey,
    log: Arc<MacKey>,
    digest: Arc<MacKey>,
    payload: MacKey,
    rows: KeysByTerm,
    epochs: KeysByTerm,
}

/// Shared between all threads of a vault.
const _: fn() = || {
    fn is_shared<T: Send + Sync>() {}
    is_shared::<Keyring>();
};

/// The sealing keys of one kind by term, the current one last.
pub(super) struct KeysByTerm(Vec<(u32, SealKey)>);

impl KeysByTerm {
    fn new(keys: &[TermKey], kind: KeyKind) -> Self {
        let of_kind = keys.iter().filter(|key| key.kind == kind);
        Self(of_kind.map(|key| (key.term, SealKey::new(key.key.bytes()))).collect())
    }

    /// The current term and its key.
    pub(super) fn current(&self) -> Result<(u32, &SealKey), CryptoError> {
        let (term, key) = self.0.last().ok_or(CryptoError::Damaged { rule: "KEY-7" })?;
        Ok((*term, key))
    }

    pub(super) fn of_term(&self, term: u32) -> Option<&SealKey> {
        self.0.iter().find(|(have, _)| *have == term).map(|(_, key)| key)
    }
}

impl Keyring {
    /// `keys` in the keystore's order, with every kind at least once (KEY-7).
    pub(super) fn new(
        vault: VaultId,
        generation: u64,
        master: Master,
        keys: Vec<TermKey>,
    ) -> Result<Self, CryptoError> {
        let current = |kind| {
            let key = keys.iter().rfind(|key| key.kind == kind);
            key.map(|key| MacKey::new(key.key.bytes()))
                .ok_or(CryptoError::Damaged { rule: "KEY-7" })
        };
        Ok(Self {
            names: current(KeyKind::Names)?,
            log: Arc::new(current(KeyKind::Log)?),
            digest: Arc::new(current(KeyKind::Digest)?),
            payload: current(KeyKind::Payload)?,
            rows: KeysByTerm::new(&keys, KeyKind::Row),
            epochs: KeysByTerm::new(&keys, KeyKind::Epoch),
            vault,
            generation,
            master,
            keys,
        })
    }

    /// The vault that these keys are of.
    #[must_use]
    pub fn vault_id(&self) -> VaultId {
        self.vault
    }

    /// The generation of the keystore that they came from.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Hashes names, version ids and labels into row keys; see also [`Keyring::name_index`].
    #[must_use]
    pub fn names(&self) -> &MacKey {
        &self.names
    }

    /// Authenticates frames, segments, snapshots and the manifest.
    #[must_use]
    pub fn log(&self) -> &MacKey {
        &self.log
    }

    /// The key of [`SetSum`](super::SetSum).
    #[must_use]
    pub fn digest_key(&self) -> &MacKey {
        &self.digest
    }

    /// The key of [`Keyring::log`], for a holder that must not keep the other keys alive.
    #[must_use]
    pub fn share_log(&self) -> Arc<MacKey> {
        Arc::clone(&self.log)
    }

    /// The key of [`Keyring::digest_key`], for a holder that must not keep the other keys alive.
    #[must_use]
    pub fn share_digest_key(&self) -> Arc<MacKey> {
        Arc::clone(&self.digest)
    }

    pub(super) fn payload(&self) -> &MacKey {
        &self.payload
    }

    pub(super) fn rows(&self) -> &KeysByTerm {
        &self.rows
    }

    pub(super) fn epochs(&self) -> &KeysByTerm {
        &self.epochs
    }

    /// The epoch that data keys are wrapped under now.
    #[must_use]
    pub fn epoch(&self) -> u32 {
        self.epochs.0.last().map_or(0, |(term, _)| *term)
    }

    /// The oldest epoch whose wraps still open. Equal to [`Keyring::epoch`] outside a rotation.
    #[must_use]
    pub fn oldest_epoch(&self) -> u32 {
        self.epochs.0.first().map_or(0, |(term, _)| *term)
    }

    /// Replaces the slot of `new`'s kind, or adds one if there is none. Other slots and all keys
    /// stay.
    ///
    /// Fails with [`CryptoError::WrongKey`] if this keyring did not come from `keystore`, and with
    /// [`CryptoError::TooManySlots`] if there are several slots of the kind or no free one.
    pub fn change_slot(
        &self,
        keystore: &Keystore,
        new: &Unlock,
        params: KdfParams,
        entropy: &dyn Entropy,
    ) -> Result<(Keystore, Self), CryptoError> {
        let mut next = self.next(keystore)?;
        next.set_slot(&self.master, new, params, entropy)?;
        self.finish(next, self.keys.iter().map(TermKey::copy).collect())
    }

    /// Adds a fresh epoch as the current one and keeps the older ones for reading: step one of I10.
    /// [`CryptoError::TooManyKeys`] if there is no room: drop the old epochs first.
    pub fn begin_epoch(
        &self,
        keystore: &Keystore,
        entropy: &dyn Entropy,
    ) -> Result<(Keystore, Self), CryptoError> {
        let mut next = self.next(keystore)?;
        let term = self.epoch().checked_add(1).ok_or(CryptoError::TooManyKeys)?;
        let epoch = TermKey { kind: KeyKind::Epoch, term, key: Key::generate(entropy)? };
        next.push_key(&self.master, &epoch, entropy)?;
        let mut keys: Vec<TermKey> = self.keys.iter().map(TermKey::copy).collect();
        keys.push(epoch);
        self.finish(next, keys)
    }

    /// Forgets every epoch but the current one: nothing can open what they wrapped. This is the last
    /// step of I10, taken once the log holds no wrap of theirs. The old keys are wiped when the last
    /// `Arc` of the previous keyring is dropped.
    pub fn drop_old_epochs(
        &self,
        keystore: &Keystore,
        _entropy: &dyn Entropy,
    ) -> Result<(Keystore, Self), CryptoError> {
        let mut next = self.next(keystore)?;
        let keep = |kind, term| kind != KeyKind::Epoch || term == self.epoch();
        next.retain_keys(keep);
        let kept = self.keys.iter().filter(|key| keep(key.kind, key.term));
        self.finish(next, kept.map(TermKey::copy).collect())
    }

    /// Puts the right MAC on any keystore, so that fuzzing reaches the code behind the MAC.
    #[cfg(feature = "__internals")]
    #[doc(hidden)]
    pub fn forge_mac(&self, keystore: &mut Keystore) {
        keystore.authenticate(&self.master);
    }

    /// The first step of every change: checks that `keystore` belongs to this keyring and increments its
    /// generation.
    fn next(&self, keystore: &Keystore) -> Result<Keystore, CryptoError> {
        let ours = keystore.vault_id() == self.vault
            && keystore.generation() == self.generation
            && keystore.is_authentic(&self.master);
        if ours { keystore.next_generation() } else { Err(CryptoError::WrongKey) }
    }

    fn finish(
        &self,
        mut keystore: Keystore,
        keys: Vec<TermKey>,
    ) -> Result<(Keystore, Self), CryptoError> {
        keystore.authenticate(&self.master);
        let master = self.master.copy(self.vault);
        let keyring = Self::new(self.vault, keystore.generation(), master, keys)?;
        Ok((keystore, keyring))
    }
}
