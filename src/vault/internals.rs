//! What tests, benches and fuzz targets may look at. No stability promise.

use super::Vault;
use super::shared::Status;
use crate::crypto::Keyring;
use crate::model::Lsn;
use crate::store::Store;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// The keys in force.
#[must_use]
pub fn keyring(vault: &Vault) -> Arc<Keyring> {
    vault.inner.shared.keys()
}

/// Runs `look` on the state.
pub fn with_store<T>(vault: &Vault, look: impl FnOnce(&dyn Store) -> T) -> Option<T> {
    vault.inner.shared.state().ok().map(|state| look(state.store()))
}

/// Frames written since the vault was opened.
#[must_use]
pub fn frames(vault: &Vault) -> u64 {
    vault.inner.shared.frames.load(Ordering::Relaxed)
}

/// The last operation that is durable.
pub fn lsn(vault: &Vault) -> crate::error::Result<Lsn> {
    vault.inner.driver.control(|pipeline| pipeline.lsn)
}

/// Poisons the vault as a failed sync does.
pub fn poison(vault: &Vault) {
    vault.inner.shared.set_status(Status::Poisoned);
}

/// Takes the state from the readers, as a failed apply does.
pub fn break_state(vault: &Vault) {
    vault.inner.shared.break_state();
}

/// Bytes of the live rows, keys and values.
#[must_use]
pub fn live_bytes(vault: &Vault) -> u64 {
    with_store(vault, |store| {
        let mut bytes = 0_u64;
        for tree in crate::model::Tree::ALL {
            let _ = store.scan(tree, &mut |key, value| bytes += (key.len() + value.len()) as u64);
        }
        bytes
    })
    .unwrap_or(0)
}
