//! The background threads of an open vault, and how the vault ends: closed, or abandoned by its last handle.

use super::inner::Inner;
use super::maintenance::anchoring::refresh_at_close;
use super::maintenance::maintainer::{KeystoreFile, Maintainer};
use super::maintenance::threads::{Alarms, MaintenanceThreads};
use super::rotation::rotator::Rotator;
use super::rotation::threads::RotationThreads;
use super::runtime::status::Status;
use crate::env::threads::sync::Arc;
use crate::error::{ErrorKind, Result};

/// An open vault with its threads. All handles share it and no thread does, so it is dropped with the last
/// handle.
pub(crate) struct Running {
    inner: Arc<Inner>,
    pub(crate) maintainer: Arc<Maintainer>,
    pub(crate) rotator: Arc<Rotator>,
    maintenance: Option<MaintenanceThreads>,
    rotation: Option<RotationThreads>,
}

impl Running {
    /// Without background threads.
    pub(crate) fn new(inner: Arc<Inner>, keystore: KeystoreFile) -> Self {
        let maintainer = Arc::new(Maintainer::new(Arc::clone(&inner), keystore));
        let rotator = Arc::new(Rotator::new(Arc::clone(&inner)));
        Self { inner, maintainer, rotator, maintenance: None, rotation: None }
    }

    /// Starts the background threads.
    pub(crate) fn start(&mut self, alarms: Alarms) -> Result<()> {
        self.maintenance = Some(MaintenanceThreads::spawn(&self.maintainer, alarms)?);
        self.rotation = Some(RotationThreads::spawn(&self.rotator)?);
        Ok(())
    }

    /// Closes the vault cleanly: stops the threads, drains the queue, makes the state durable and writes the
    /// end mark (I6).
    pub(crate) fn close(&self) -> Result<()> {
        let Inner { shared, driver } = self.inner.as_ref();
        if shared.status.get() == Status::Closed {
            return Ok(());
        }
        if driver.is_own_thread() {
            // It would wait for itself.
            return Err(ErrorKind::Usage { what: "a callback must not close the vault" }.into());
        }
        shared.stop_work();
        if let Some(rotation) = &self.rotation {
            rotation.stop();
        }
        if let Some(maintenance) = &self.maintenance {
            maintenance.stop();
        }
        let _pass = self.maintainer.lock_pass();
        let Some(mut pipeline) = driver.stop() else { return Ok(()) };
        // A vault that is not in its place any more writes nothing, not even an end mark (I11).
        let _ = shared.env.fs.check_place();
        let displaced = shared.status.displaced();
        let is_clean = shared.status.get() == Status::Open && !shared.is_read_only;
        if is_clean {
            // The vault is whole without it: the next open finds the anchor behind, and refreshes it.
            let _ = refresh_at_close(&mut pipeline);
        }
        let state = shared.state.replace(None);
        shared.status.raise(Status::Closed);
        let closed = match &state {
            Some(state) if is_clean => pipeline.close(state),
            // Closed all the same: a reader may still hold it, and the next owner must not find it open.
            Some(state) => {
                let _ = state.close();
                Ok(())
            }
            None => Ok(()),
        };
        // Dropped before the lock: the next owner must not find our files open.
        drop((state, pipeline));
        shared.release_lock();
        displaced.map_or(closed, |kind| Err(kind.into()))
    }

    /// Ends the vault as after a crash, but without threads left behind and with the lock released.
    ///
    /// A callback may drop the last handle on the commit thread. That thread cannot wait for itself, nor for
    /// a thread that waits for it. All of them then end by themselves, and the last one releases the lock.
    fn abandon(&self) {
        let Inner { shared, driver } = self.inner.as_ref();
        shared.stop_work();
        if let Some(rotation) = &self.rotation {
            if driver.is_own_thread() {
                rotation.tell_to_stop();
            } else {
                rotation.stop();
            }
        }
        if let Some(maintenance) = &self.maintenance {
            if driver.is_own_thread() {
                maintenance.tell_to_stop();
            } else {
                maintenance.stop();
            }
        }
        if let Some(pipeline) = driver.stop() {
            drop(shared.state.replace(None));
            drop(pipeline);
            shared.release_lock();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.abandon();
    }
}
