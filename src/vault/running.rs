//! The background threads of an open vault, and how the vault ends: closed, or abandoned by its last handle.

use super::events::courier::Courier;
use super::events::thread::DeliveryThread;
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
    pub(crate) courier: Arc<Courier>,
    maintenance: Option<MaintenanceThreads>,
    rotation: Option<RotationThreads>,
    delivery: Option<DeliveryThread>,
}

impl Running {
    /// Without background threads.
    pub(crate) fn new(inner: Arc<Inner>, keystore: KeystoreFile) -> Self {
        let maintainer = Arc::new(Maintainer::new(Arc::clone(&inner), keystore));
        let rotator = Arc::new(Rotator::new(Arc::clone(&inner)));
        let courier = Arc::new(Courier::new(Arc::clone(&inner)));
        let (maintenance, rotation, delivery) = (None, None, None);
        Self { inner, maintainer, rotator, courier, maintenance, rotation, delivery }
    }

    /// Starts the background threads.
    pub(crate) fn start(&mut self, alarms: Alarms) -> Result<()> {
        self.maintenance = Some(MaintenanceThreads::spawn(&self.maintainer, alarms)?);
        self.rotation = Some(RotationThreads::spawn(&self.rotator)?);
        self.delivery = Some(DeliveryThread::spawn(&self.courier)?);
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
        self.stop_threads();
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

    fn stop_threads(&self) {
        if let Some(rotation) = &self.rotation {
            rotation.stop();
        }
        if let Some(delivery) = &self.delivery {
            delivery.stop();
        }
        if let Some(maintenance) = &self.maintenance {
            maintenance.stop();
        }
    }

    fn tell_threads_to_stop(&self) {
        if let Some(rotation) = &self.rotation {
            rotation.tell_to_stop();
        }
        if let Some(delivery) = &self.delivery {
            delivery.tell_to_stop();
        }
        if let Some(maintenance) = &self.maintenance {
            maintenance.tell_to_stop();
        }
    }

    /// Ends the vault as after a crash, but without threads left behind and with the lock released.
    ///
    /// A callback may drop the last handle on the commit thread. That thread cannot wait for itself, nor for
    /// a thread that waits for it. All of them then end by themselves, and the last one releases the lock.
    fn abandon(&self) {
        let Inner { shared, driver } = self.inner.as_ref();
        shared.stop_work();
        if driver.is_own_thread() {
            self.tell_threads_to_stop();
        } else {
            self.stop_threads();
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
