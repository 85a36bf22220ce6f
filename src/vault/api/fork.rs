//! Forks an open vault: an independent vault with the same content, made from its parts without an open.
//!
//! Each part (log, state, access marks, rotation schedule) is forked. Keys are shared, because a keyring
//! never changes. The caller copies the files, at a moment when none is being written.

use crate::env::Env;
use crate::env::threads::sync::{Arc, PoisonError};
use crate::error::{ErrorKind, Result};
use crate::vault::commit::driver::Driver;
use crate::vault::directory::lock_fork;
use crate::vault::handle::Vault;
use crate::vault::inner::Inner;
use crate::vault::maintenance::maintainer::KeystoreFile;
use crate::vault::running::Running;
use crate::vault::runtime::shared::{Shared, Wakers};
use crate::vault::worker::Alarm;

impl Vault {
    /// An independent vault with the same content, on the machine that `machine` makes with a copy
    /// of this one's files. For vaults without threads whose state is in memory; others are refused.
    pub(crate) fn fork(&self, machine: impl FnOnce() -> Env) -> Result<Self> {
        const REFUSED: ErrorKind =
            ErrorKind::Usage { what: "only a vault in memory without threads can be forked" };
        let inner = &self.inner;
        let Driver::Inline(pipeline) = &inner.driver else { return Err(REFUSED.into()) };
        // No file is written while both locks are held.
        let maintainer = &self.running.maintainer;
        let _pass = maintainer.lock_pass();
        let pipeline = pipeline.lock().unwrap_or_else(PoisonError::into_inner);
        let pipeline = pipeline.as_deref().ok_or(ErrorKind::Closed)?;
        let env = machine();
        let (env, lock) = lock_fork(&env, &inner.shared.dir)?;
        let wakers = Wakers { passes: Alarm::default().waker, segments: Alarm::default().waker };
        let shared = Arc::new(Shared::fork(&inner.shared, &env, wakers, lock).ok_or(REFUSED)?);
        let keystore = maintainer.lock_keystore();
        let keystore =
            KeystoreFile { twin: keystore.twin.fork(&env.fs), keystore: keystore.keystore.clone() };
        let driver = Driver::inline(pipeline.fork(Arc::clone(&shared))?);
        let inner = Arc::new(Inner { shared, driver });
        let running = Arc::new(Running::new(Arc::clone(&inner), keystore));
        Ok(Self { inner, caller: self.caller.clone(), running })
    }
}
