//! The vault: the one place that orders effects.
//!
//! ```text
//! caller threads                     commit pipeline (one thread)        keeper (one thread)
//! seal the value, submit  --queue->  plan, seal rows, log, sync,         prune, sweep, compact,
//!                                    apply, answer                       checkpoint, switch epochs
//! readers ------------------------>  the store, never waiting for a sync
//! ```
//!
//! [`VaultDir`] is the folder with its lock held; opening or creating in it gives a [`Vault`], whose
//! clones share one vault between threads. Operations carry the names and members of the AWS API.

mod api;
mod builder;
mod caller;
mod commit;
mod credentials;
mod directory;
mod error;
mod job;
mod lifecycle;
mod log_keys;
mod maintenance;
mod options;
mod read;
mod repair;
mod rotation;
mod rotation_functions;
mod rows;
mod runtime;
mod salvage;
mod state;
mod unlock;
mod view;
mod worker;

#[cfg(feature = "__internals")]
#[doc(hidden)]
pub mod internals;
#[cfg(test)]
mod tests;

pub use crate::model::api::Write;
pub use api::Credential;
pub use builder::VaultBuilder;
pub use directory::{VaultDir, peek_id};
pub use options::{OnProgress, Options, Progress, StoreChoice, Tuning};
pub use repair::check::{CheckReport, Finding};
pub use repair::steps::{RepairOutcome, RepairReport};
pub use rotation_functions::{RotationError, RotationEvent, RotationFunction, RotationFunctions};
pub use salvage::build::Loss;

use crate::crypto::{Unlock, VaultId};
use crate::env::Env;
use crate::env::threads::sync::{Arc, Mutex, PoisonError};
use crate::error::{ErrorKind, Result};
use caller::Caller;
use commit::driver::Driver;
use lifecycle::create;
use maintenance::key_rotation::{self, KeystoreFile};
use maintenance::pass::Keeper;
use rotation::engine::Engine;
use runtime::shared::{Shared, Status};
use std::fmt;
use std::path::Path;
use std::sync::OnceLock;

/// An open vault. Clones share it; it can be used from any thread.
///
/// A handle acts for a caller: account 000000000000 in us-east-1, unless [`Vault::in_account`],
/// [`Vault::in_region`] or [`Vault::in_scope`] made it.
///
/// [`Vault::close`] ends it cleanly. Dropping the last clone without closing is safe but counts as
/// a crash: nothing acknowledged is lost, the next open works a little more.
#[derive(Clone)]
pub struct Vault {
    inner: Arc<Inner>,
    caller: Caller,
    /// Dropped with the last handle.
    _owner: Arc<Owner>,
}

/// One open vault, shared by its handles and the keeper.
struct Inner {
    shared: Arc<Shared>,
    driver: Driver,
    keeper: OnceLock<Keeper>,
    engine: OnceLock<Engine>,
    /// One pass of the keeper at a time.
    pass: Mutex<()>,
    /// Held while a segment is made ready, and while the log is replaced: what an older log's
    /// preparation makes must not take the place of a newer log's segment.
    preparing: Mutex<()>,
    keystore: Mutex<KeystoreFile>,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shared = &self.inner.shared;
        f.debug_struct("Vault")
            .field("dir", &shared.dir)
            .field("id", &shared.id)
            .field("status", &shared.status())
            .finish_non_exhaustive()
    }
}

/// What the handles share and the threads do not: its drop is the end of the last handle, whatever
/// the threads still hold.
struct Owner(Arc<Inner>);

impl Vault {
    /// A vault in memory with random keys, gone when dropped. Same code, cryptography and log as on
    /// disk, with the files in memory.
    pub fn in_memory() -> Result<Self> {
        Self::in_memory_with_rotation(RotationFunctions::default())
    }

    /// The same with functions that rotate its secrets.
    pub fn in_memory_with_rotation(rotation: RotationFunctions) -> Result<Self> {
        let mut options = Options { rotation, ..Options::default() };
        options.tuning.env = Some(Env::in_memory());
        options.tuning.segment_bytes_max = 1024 * 1024;
        options.tuning.reserve_bytes = 0; // no disk that could be full
        Self::in_memory_with(&options)
    }

    /// The same with what tests turn.
    #[doc(hidden)]
    pub fn in_memory_with(options: &Options) -> Result<Self> {
        VaultDir::make(Path::new("/vault"), options)?
            .create(|id| create::random_unlock(id, options))
    }

    /// Stops the background work, drains, syncs, writes the end mark and lets the lock go. Other
    /// handles fail with [`ErrorKind::Closed`] from now on.
    ///
    /// On an error nothing acknowledged is lost; the next open finds out what has to be done.
    pub fn close(&self) -> Result<()> {
        self.inner.close()
    }

    /// The vault's identity.
    #[must_use]
    pub fn id(&self) -> VaultId {
        self.inner.shared.id
    }

    /// Replaces the vault's key slot of `new`'s kind, or adds one: how a passphrase is changed. Both
    /// copies of the keystore are durable when this returns.
    pub fn change_unlock(&self, new: &Unlock) -> Result<()> {
        let _pass = self.inner.pass.lock().unwrap_or_else(PoisonError::into_inner);
        key_rotation::change_unlock(&self.inner, new)
    }

    /// Makes every purge so far real: switches the epoch and erases the older one, so that what is
    /// left of purged values opens with no key (I10). Costs a bounded operation per 200 versions.
    pub fn shred(&self) -> Result<()> {
        let _pass = self.inner.pass.lock().unwrap_or_else(PoisonError::into_inner);
        key_rotation::switch(&self.inner)
    }

    /// Every rotation that is due and one pass of pruner, compactor and checkpointer, now.
    pub fn maintain(&self) -> Result<()> {
        self.inner.maintain()
    }
}

impl Inner {
    /// Without threads of its own so far.
    fn new(shared: Arc<Shared>, driver: Driver, keystore: KeystoreFile) -> Self {
        Self {
            shared,
            driver,
            keeper: OnceLock::new(),
            engine: OnceLock::new(),
            pass: Mutex::new(()),
            preparing: Mutex::new(()),
            keystore: Mutex::new(keystore),
        }
    }

    fn close(&self) -> Result<()> {
        if self.shared.status() == Status::Closed {
            return Ok(());
        }
        if self.driver.is_own_thread() {
            // It would wait for itself.
            return Err(ErrorKind::Usage { what: "a callback must not close the vault" }.into());
        }
        self.shared.stop_work();
        if let Some(engine) = self.engine.get() {
            engine.stop(self);
        }
        if let Some(keeper) = self.keeper.get() {
            keeper.stop();
        }
        let _pass = self.pass.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(mut pipeline) = self.driver.stop() else { return Ok(()) };
        let clean = self.shared.status() == Status::Open;
        let state = self.shared.replace_state(None);
        self.shared.set_status(Status::Closed);
        let closed = match &state {
            Some(state) if clean => pipeline.close(state),
            // Closed all the same: a reader may hold it, and the next owner must not meet it.
            Some(state) => {
                let _ = state.close();
                Ok(())
            }
            None => Ok(()),
        };
        // Dropped before the lock: the next owner must not meet our descriptors.
        drop((state, pipeline));
        self.shared.release_lock();
        closed
    }

    /// What a drop does: as after a crash, but with the threads gone and the lock free.
    ///
    /// The last handle may be dropped by a callback, on the commit thread: that cannot wait for
    /// itself, nor for a keeper that waits for it. Both end by themselves then, and the last of them
    /// lets the lock go.
    fn abandon(&self) {
        self.shared.stop_work();
        if let Some(engine) = self.engine.get() {
            if self.driver.is_own_thread() {
                engine.tell_to_stop(self);
            } else {
                engine.stop(self);
            }
        }
        if let Some(keeper) = self.keeper.get() {
            if self.driver.is_own_thread() {
                keeper.tell_to_stop();
            } else {
                keeper.stop();
            }
        }
        if let Some(pipeline) = self.driver.stop() {
            drop(self.shared.replace_state(None));
            drop(pipeline);
            self.shared.release_lock();
        }
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.0.abandon();
    }
}
