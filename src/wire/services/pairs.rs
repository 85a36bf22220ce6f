//! The key pairs that may sign now. They are made and revoked while the server runs (rule SOCK-9).

use super::operations::BROKEN_OFF;
use crate::env::Env;
use crate::error::Result;
use crate::vault::{Credential, Vault};
use crate::wire::reply::ReplyError;
use crate::wire::sigv4::Credentials;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

/// The pairs, as of a number of changes to them.
pub(crate) struct Pairs {
    known: RwLock<Arc<Credentials>>,
    changes: AtomicU64,
}

impl Pairs {
    /// These pairs, until the vault's change.
    pub(crate) fn new(pairs: Vec<Credential>, vault: &Vault, env: &Env) -> Result<Self> {
        let known = RwLock::new(Arc::new(Credentials::new(pairs, env)?));
        Ok(Self { known, changes: AtomicU64::new(vault.credential_changes()) })
    }

    /// The pairs that were last read.
    pub(crate) fn current(&self) -> Arc<Credentials> {
        Arc::clone(&self.known.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the pairs again if one was made or revoked. A request is refused if that fails: its pair may be
    /// revoked.
    pub(crate) async fn refresh(&self, vault: &Vault) -> std::result::Result<(), ReplyError> {
        let changes = vault.credential_changes();
        if changes == self.changes.load(Ordering::Acquire) {
            return Ok(());
        }
        let vault = vault.clone();
        let read = tokio::task::spawn_blocking(move || vault.credentials()).await;
        let pairs = read.map_err(|_| BROKEN_OFF)?.map_err(ReplyError::from)?;
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        // Another request may have read later changes meanwhile.
        if changes > self.changes.load(Ordering::Acquire) {
            *known = Arc::new(known.with_pairs(pairs));
            self.changes.store(changes, Ordering::Release);
        }
        Ok(())
    }
}
