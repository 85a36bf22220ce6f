//! What maintenance works on, and the locks that keep its parts apart.

use crate::crypto::Keystore;
use crate::env::threads::sync::{Arc, Mutex, MutexGuard, PoisonError};
use crate::log::Twin;
use crate::model::Lsn;
use crate::vault::inner::Inner;
use std::time::Duration;

/// The keystore on disk.
pub(crate) struct KeystoreFile {
    pub(crate) twin: Twin,
    pub(crate) keystore: Keystore,
}

/// Maintains one open vault.
pub(crate) struct Maintainer {
    pub(crate) inner: Arc<Inner>,
    pass: Mutex<()>,
    preparing: Mutex<()>,
    keystore: Mutex<KeystoreFile>,
    /// The last operation that a pass saw, and when it saw it first.
    pub(super) seen: Mutex<(Lsn, Duration)>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Maintainer {
    pub(crate) fn new(inner: Arc<Inner>, keystore: KeystoreFile) -> Self {
        let keystore = Mutex::new(keystore);
        let (pass, preparing, seen) = (Mutex::new(()), Mutex::new(()), Mutex::default());
        Self { inner, pass, preparing, keystore, seen }
    }

    /// Held for one pass, one change of the keystore, or the close of the vault: never two at a time.
    pub(crate) fn lock_pass(&self) -> MutexGuard<'_, ()> {
        lock(&self.pass)
    }

    /// Held while a log segment is prepared, and while the log is replaced. A segment that was prepared for
    /// the old log must not take the place of one of the new log.
    pub(crate) fn lock_preparing(&self) -> MutexGuard<'_, ()> {
        lock(&self.preparing)
    }

    /// Held while the keystore is read or replaced.
    pub(crate) fn lock_keystore(&self) -> MutexGuard<'_, KeystoreFile> {
        lock(&self.keystore)
    }
}
