//! The handle of an open vault.

#[cfg(feature = "cli")]
use super::anchor::{Anchor, NoteFor};
use super::caller::Caller;
use super::inner::Inner;
#[cfg(feature = "server")]
use super::read::measures::Measures;
use super::running::Running;
use crate::crypto::{Unlock, VaultId};
#[cfg(feature = "cli")]
use crate::env::Env;
use crate::env::threads::sync::Arc;
use crate::error::Result;
#[cfg(all(feature = "cli", feature = "server"))]
use crate::secret::SecretValue;
use std::fmt;
#[cfg(feature = "cli")]
use std::path::Path;

/// An open vault. Clones share it; it can be used from any thread.
///
/// A handle acts for a caller: account 000000000000 in us-east-1, unless [`Vault::in_account`],
/// [`Vault::in_region`] or [`Vault::in_scope`] made it.
///
/// [`Vault::close`] ends it cleanly. Dropping the last clone without closing is safe but counts as
/// a crash: nothing acknowledged is lost, the next open works a little more.
#[derive(Clone)]
pub struct Vault {
    pub(crate) inner: Arc<Inner>,
    pub(crate) caller: Caller,
    /// Dropped with the last handle.
    pub(crate) running: Arc<Running>,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shared = &self.inner.shared;
        f.debug_struct("Vault")
            .field("dir", &shared.dir)
            .field("id", &shared.id)
            .field("status", &shared.status.get())
            .finish_non_exhaustive()
    }
}

impl Vault {
    /// Device and inode of the folder that is locked, whatever its path leads to now.
    #[cfg(feature = "cli")]
    pub(crate) fn folder_identity(&self) -> Option<(u64, u64)> {
        let shared = &self.inner.shared;
        Some(shared.env.fs.metadata(&shared.dir).ok()??.identity)
    }

    /// The folder that the vault was opened in, if it has one.
    #[cfg(feature = "cli")]
    pub(crate) fn folder(&self) -> Option<&Path> {
        let shared = &self.inner.shared;
        shared.env.fs.is_real().then_some(shared.dir.as_path())
    }

    /// Clock, entropy and files of the vault.
    #[cfg(feature = "cli")]
    pub(crate) fn env(&self) -> &Env {
        &self.inner.shared.env
    }

    /// Whether the vault was closed.
    #[cfg(feature = "cli")]
    pub(crate) fn is_closed(&self) -> bool {
        matches!(self.takes_writes(), Err(error) if *error.kind() == crate::error::ErrorKind::Closed)
    }

    /// Whether the vault has let its folder go, so that somebody else may hold it.
    #[cfg(feature = "cli")]
    pub(crate) fn has_let_go(&self) -> bool {
        !self.inner.shared.is_locked()
    }

    /// Does work that must not meet the end of the vault: a close waits for it, as for a pass of maintenance.
    #[cfg(feature = "cli")]
    pub(crate) fn while_open<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let _pass = self.running.maintainer.lock_pass();
        if self.is_closed() { Err(crate::error::ErrorKind::Closed.into()) } else { work() }
    }

    /// The vault's identity.
    #[must_use]
    pub fn id(&self) -> VaultId {
        self.inner.shared.id
    }

    /// Fails with the reason if the next write would fail: the vault takes no writes, has no space to grow,
    /// cannot read, or its commit thread is gone. For probes that route requests or restart servers. It waits
    /// for the commit thread, as a write does.
    pub fn ready(&self) -> Result<()> {
        self.inner.ready()
    }

    /// Sizes and counts, for monitoring.
    #[cfg(feature = "server")]
    pub(crate) fn measures(&self) -> Measures {
        self.inner.measures()
    }

    /// The values of all versions of a secret, for those who must keep them out of what they tell.
    #[cfg(all(feature = "cli", feature = "server"))]
    pub(crate) fn values_of(&self, secret_id: &str) -> Result<Vec<SecretValue>> {
        self.inner.values(self.caller.scope()?, secret_id)
    }

    /// Fails with the reason if the vault takes no writes. Asks neither disk nor threads.
    #[cfg(feature = "cli")]
    pub(crate) fn takes_writes(&self) -> Result<()> {
        self.inner.shared.refuses_writes().map_or(Ok(()), |kind| Err(kind.into()))
    }

    /// What is worth telling about the anchor when the vault was opened.
    #[cfg(feature = "cli")]
    pub(crate) fn anchor_note(&self) -> Option<String> {
        Anchor::note_of(self.inner.shared.anchor.as_ref(), NoteFor::Open)
    }

    /// Whether the vault was found without its state after an end that was not clean.
    #[cfg(feature = "cli")]
    pub(crate) fn has_lost_its_state(&self) -> bool {
        self.inner.shared.has_lost_its_state
    }

    /// Stops the background work, drains, syncs, writes the end mark and releases the lock. Other
    /// handles fail with [`ErrorKind::Closed`](crate::error::ErrorKind::Closed) from now on.
    ///
    /// On an error nothing acknowledged is lost; the next open finds out what has to be done.
    pub fn close(&self) -> Result<()> {
        self.inner.named(self.running.close())
    }

    /// Replaces the vault's key slot of `new`'s kind, or adds one: how a passphrase is changed. Both
    /// copies of the keystore are durable when this returns.
    pub fn change_unlock(&self, new: &Unlock) -> Result<()> {
        self.inner.named(self.running.maintainer.change_unlock(new))
    }

    /// Makes every purge so far final: switches the epoch and erases the older one, so that no key opens what
    /// is left of purged values (I10). Costs a bounded operation per 200 versions.
    pub fn shred(&self) -> Result<()> {
        self.inner.named(self.running.maintainer.shred())
    }

    /// Runs every rotation that is due and one pass of pruner, compactor and checkpointer, and delivers the
    /// events that wait, now.
    pub fn maintain(&self) -> Result<()> {
        let maintained = self.running.maintainer.full_pass();
        // Functions and receivers may take long, so nothing that waits for a pass waits for them.
        let rotated = self.running.rotator.rotate_due();
        let delivered = self.running.courier.deliver();
        self.inner.named(maintained.and(rotated).and(delivered))
    }
}
