//! A background thread of an open vault. It works when it is woken and at every tick, until it is stopped.

use crate::env::threads::channel::{Receiver, RecvTimeoutError, Sender, TryRecvError, bounded};
use crate::env::threads::sync::{Mutex, PoisonError};
use crate::env::threads::thread::{self, JoinHandle};
use crate::error::{Error, Result};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

/// Wakes a worker. To wake a worker that has not yet noticed the last call is the same as one call.
#[derive(Clone)]
pub(crate) struct Waker(Sender<()>);

impl Waker {
    /// Wakes the worker, which may be busy or gone.
    pub(crate) fn wake(&self) {
        let _ = self.0.try_send(());
    }
}

/// A waker and the end at which its worker listens.
pub(crate) struct Alarm {
    /// For everyone who wakes the worker.
    pub(crate) waker: Waker,
    calls: Receiver<()>,
}

impl Default for Alarm {
    fn default() -> Self {
        let (call, calls) = bounded(1);
        Self { waker: Waker(call), calls }
    }
}

/// A background thread.
pub(crate) struct Worker {
    waker: Waker,
    stop: Mutex<Option<Sender<()>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Drop for Worker {
    /// Stops the thread. The owner is gone, so no one else would.
    fn drop(&mut self) {
        self.tell_to_stop();
    }
}

impl Worker {
    /// Starts a thread that does `work` whenever `alarm` goes off, and every `tick` without it. A panic ends
    /// one round, not the thread.
    pub(crate) fn spawn(
        name: &str,
        alarm: Alarm,
        tick: Duration,
        mut work: impl FnMut() + Send + 'static,
    ) -> Result<Self> {
        let (stop, stopped) = bounded(0);
        let Alarm { waker, calls } = alarm;
        let run = move || {
            loop {
                let called = calls.recv_timeout(tick);
                let is_over = matches!(called, Err(RecvTimeoutError::Disconnected))
                    || matches!(stopped.try_recv(), Err(TryRecvError::Disconnected));
                if is_over {
                    return;
                }
                let _ = catch_unwind(AssertUnwindSafe(&mut work));
            }
        };
        let thread = thread::Builder::new()
            .name(name.to_owned())
            .spawn(run)
            .map_err(|error| Error::io("start a background thread", "", error))?;
        Ok(Self { waker, stop: Mutex::new(Some(stop)), thread: Mutex::new(Some(thread)) })
    }

    /// Asks the thread to stop after its current round.
    pub(crate) fn tell_to_stop(&self) {
        drop(self.stop.lock().unwrap_or_else(PoisonError::into_inner).take());
        self.waker.wake();
    }

    /// Stops the thread after its current round, and waits for that.
    pub(crate) fn stop(&self) {
        self.tell_to_stop();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread
            && thread.thread().id() != thread::current().id()
        {
            let _ = thread.join();
        }
    }
}
