//! A background thread of an open vault, woken by calls and stopped before the pipeline.

use super::Inner;
use crate::env::threads::channel::{Receiver, RecvTimeoutError, Sender, TryRecvError, bounded};
use crate::env::threads::sync::{Arc, Mutex, PoisonError};
use crate::env::threads::thread::{self, JoinHandle};
use crate::error::{Error, Result};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

/// Both ends of a worker's bell: a call while one waits already is the same call.
pub(super) fn bell() -> (Sender<()>, Receiver<()>) {
    bounded(1)
}

/// A background thread.
pub(super) struct Worker {
    call: Sender<()>,
    stop: Mutex<Option<Sender<()>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Drop for Worker {
    /// Nobody is left who would stop it.
    fn drop(&mut self) {
        self.tell_to_stop();
    }
}

impl Worker {
    /// Starts a thread that does `work` at every call, and every `tick` without one. It shares the
    /// vault until it is stopped, which the last handle's drop does. A panic of one round is not the
    /// end of all.
    pub(super) fn spawn(
        name: &str,
        inner: &Arc<Inner>,
        (call, calls): (Sender<()>, Receiver<()>),
        tick: Duration,
        mut work: impl FnMut(&Inner) + Send + 'static,
    ) -> Result<Self> {
        let (stop, stopped) = bounded(0);
        let inner = Arc::clone(inner);
        let run = move || {
            loop {
                let called = calls.recv_timeout(tick);
                let is_over = matches!(called, Err(RecvTimeoutError::Disconnected))
                    || matches!(stopped.try_recv(), Err(TryRecvError::Disconnected));
                if is_over {
                    return;
                }
                let _ = catch_unwind(AssertUnwindSafe(|| work(&inner)));
            }
        };
        let thread = thread::Builder::new()
            .name(name.to_owned())
            .spawn(run)
            .map_err(|error| Error::io("start a background thread", error))?;
        Ok(Self { call, stop: Mutex::new(Some(stop)), thread: Mutex::new(Some(thread)) })
    }

    /// Asks it to stop after the round that it is in.
    pub(super) fn tell_to_stop(&self) {
        drop(self.stop.lock().unwrap_or_else(PoisonError::into_inner).take());
        let _ = self.call.try_send(());
    }

    /// Stops it after the round that it is in, and waits for that.
    pub(super) fn stop(&self) {
        self.tell_to_stop();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread
            && thread.thread().id() != thread::current().id()
        {
            let _ = thread.join();
        }
    }
}
