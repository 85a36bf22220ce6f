//! The keys of an unlocked vault, ready to use, and the changes of its keystore.
//!
//! What the keyring seals with them stands in `envelope` (values), `wrap` (data keys), `rows` and
//! `index`.
//!
//! Every change gives a new keystore and the keyring that goes with it; nothing is changed in
//! place. The caller makes the keystore durable in both files, then switches keyrings (I10).

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
    /// As in the keystore: kinds and terms rising.
    keys: Vec<TermKey>,
    names: MacKey,
    log: Arc<MacKey>,
    digest: Arc<MacKey>,
    payload: MacKey,
    rows: Cabinet,
    epochs: Cabinet,
}

/// Shared between all threads of a vault.
const _: fn() = || {
    fn is_shared<T: Send + Sync>() {}
    is_shared::<Keyring>();
};

/// The sealing keys of one kind by term, the current one last.
pub(super) struct Cabinet(Vec<(u32, SealKey)>);

impl Cabinet {
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
            rows: Cabinet::new(&keys, KeyKind::Row),
            epochs: Cabinet::new(&keys, KeyKind::Epoch),
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

    pub(super) fn rows(&self) -> &Cabinet {
        &self.rows
    }

    pub(super) fn epochs(&self) -> &Cabinet {
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

    /// Makes `new` the only way of its kind into the vault: replaces the slot of that kind or adds
    /// one. The other slots and all keys stay.
    ///
    /// `keystore` must be the one that this keyring came from, else [`CryptoError::WrongKey`].
    /// Several slots of the kind, or none free: [`CryptoError::TooManySlots`].
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

    /// Adds a fresh epoch as the current one and keeps the older ones to read: step one of I10.
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

    /// Forgets every epoch but the current one: what they wrapped is gone for good. The last step
    /// of I10, after the truth holds no wrap of theirs. The old keys themselves are wiped when the
    /// last `Arc` of the keyring before is dropped.
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

    /// Puts the right MAC on whatever a keystore says: what lies behind it is to be fuzzed.
    #[cfg(feature = "__internals")]
    #[doc(hidden)]
    pub fn forge_mac(&self, keystore: &mut Keystore) {
        keystore.authenticate(&self.master);
    }

    /// The start of every change: a keystore that is proven to be ours, one generation on.
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
