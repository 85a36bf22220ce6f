//! The last step of opening and of making a vault: its parts become a vault that serves.

use crate::crypto::Keyring;
use crate::env::age::AgeClock;
use crate::env::threads::sync::Arc;
use crate::error::Result;
use crate::log::Log;
use crate::vault::anchor::Anchor;
use crate::vault::caller::Caller;
use crate::vault::commit::driver::Driver;
use crate::vault::commit::pipeline::Pipeline;
use crate::vault::directory::VaultDir;
use crate::vault::handle::Vault;
use crate::vault::inner::Inner;
use crate::vault::maintenance::maintainer::KeystoreFile;
use crate::vault::maintenance::threads::Alarms;
use crate::vault::rows;
use crate::vault::running::Running;
use crate::vault::runtime::shared::{Shared, Wakers};
use crate::vault::state::opener::Opened;

/// The parts of a vault that is about to serve.
pub(super) struct Parts {
    pub(super) place: VaultDir,
    pub(super) keystore: KeystoreFile,
    pub(super) keys: Keyring,
    pub(super) log: Log,
    pub(super) opened: Opened,
    pub(super) age: AgeClock,
    pub(super) anchor: Option<Anchor>,
    pub(super) has_lost_its_state: bool,
}

impl Parts {
    /// Starts the pipeline and the background threads.
    pub(super) fn serve(self) -> Result<Vault> {
        let Self { place, keystore, keys, log, opened, age, anchor, has_lost_its_state } = self;
        let Opened { state, sum } = opened;
        let outbox = rows::outbox(state.store(), &keys).inspect_err(|_| {
            // Closed, so that it can be opened again.
            let _ = state.close();
        })?;
        let has_threads = place.options.tuning.background;
        let alarms = Alarms::default();
        let (passes, segments) = (alarms.passes.waker.clone(), alarms.segments.waker.clone());
        let wakers = Wakers { passes, segments };
        let shared = Arc::new(Shared::new(
            place,
            Arc::new(keys),
            (state, outbox),
            wakers,
            (anchor, has_lost_its_state),
        ));
        let pipeline = Pipeline::new(Arc::clone(&shared), log, sum, age);
        let driver = if has_threads { Driver::spawn(pipeline)? } else { Driver::inline(pipeline) };
        let inner = Arc::new(Inner { shared, driver });
        // If a thread cannot be started, dropping `running` stops the others.
        let mut running = Running::new(Arc::clone(&inner), keystore);
        running.courier.turn_on()?;
        if has_threads {
            running.start(alarms)?;
        }
        Ok(Vault { inner, caller: Caller::default(), running: Arc::new(running) })
    }
}
