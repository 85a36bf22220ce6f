//! Bounded channels with the interface of crossbeam's, on the locks of the exploring scheduler.

pub(crate) use crossbeam::channel::{RecvError, RecvTimeoutError, TryRecvError, TrySendError};
use shuttle::rand::{Rng, thread_rng};
use shuttle::sync::{Condvar, Mutex, MutexGuard};
use shuttle::thread;
use std::collections::VecDeque;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

/// A timeout at least this long is a tick: a thread wakes up to look for work that nobody announced.
const TICK_MIN: Duration = Duration::from_millis(100);
/// How many ticks one channel has. Without a limit, an execution would never end.
const TIMEOUTS_MAX: u32 = 3;

struct Queue<T> {
    items: VecDeque<T>,
    senders: usize,
    has_receiver: bool,
    timeouts: u32,
}

struct Shared<T> {
    queue: Mutex<Queue<T>>,
    changed: Condvar,
    capacity: usize,
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, Queue<T>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, queue: MutexGuard<'a, Queue<T>>) -> MutexGuard<'a, Queue<T>> {
        self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner)
    }
}

/// The sending half.
pub(crate) struct Sender<T>(Arc<Shared<T>>);

/// The receiving half.
pub(crate) struct Receiver<T>(Arc<Shared<T>>);

/// A channel for `capacity` items; 0 only for channels through which nothing is sent.
pub(crate) fn bounded<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    let (items, timeouts) = (VecDeque::new(), 0);
    let queue = Queue { items, senders: 1, has_receiver: true, timeouts };
    let shared = Arc::new(Shared { queue: Mutex::new(queue), changed: Condvar::new(), capacity });
    (Sender(Arc::clone(&shared)), Receiver(shared))
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.0.lock().senders += 1;
        Self(Arc::clone(&self.0))
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.0.lock().senders -= 1;
        self.0.changed.notify_all();
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let mut queue = self.0.lock();
        queue.has_receiver = false;
        let left = std::mem::take(&mut queue.items);
        drop(queue);
        self.0.changed.notify_all();
        drop(left);
    }
}

impl<T> Sender<T> {
    pub(crate) fn try_send(&self, item: T) -> Result<(), TrySendError<T>> {
        let mut queue = self.0.lock();
        if !queue.has_receiver {
            return Err(TrySendError::Disconnected(item));
        }
        if queue.items.len() >= self.0.capacity {
            return Err(TrySendError::Full(item));
        }
        queue.items.push_back(item);
        drop(queue);
        self.0.changed.notify_all();
        Ok(())
    }
}

impl<T> Receiver<T> {
    pub(crate) fn recv(&self) -> Result<T, RecvError> {
        let mut queue = self.0.lock();
        loop {
            if let Some(item) = queue.items.pop_front() {
                drop(queue);
                self.0.changed.notify_all();
                return Ok(item);
            }
            if queue.senders == 0 {
                return Err(RecvError);
            }
            queue = self.0.wait(queue);
        }
    }

    pub(crate) fn try_recv(&self) -> Result<T, TryRecvError> {
        let mut queue = self.0.lock();
        if let Some(item) = queue.items.pop_front() {
            drop(queue);
            self.0.changed.notify_all();
            return Ok(item);
        }
        Err(if queue.senders == 0 { TryRecvError::Disconnected } else { TryRecvError::Empty })
    }

    /// The timeout may expire whenever the channel is empty. A short one always expires eventually,
    /// because another thread may be waiting for this one.
    pub(crate) fn recv_timeout(&self, time: Duration) -> Result<T, RecvTimeoutError> {
        loop {
            match self.try_recv() {
                Ok(item) => return Ok(item),
                Err(TryRecvError::Disconnected) => return Err(RecvTimeoutError::Disconnected),
                Err(TryRecvError::Empty) => {}
            }
            let may_end = time < TICK_MIN || self.0.lock().timeouts < TIMEOUTS_MAX;
            if may_end && thread_rng().gen_bool(0.5) {
                self.0.lock().timeouts += 1;
                return Err(RecvTimeoutError::Timeout);
            }
            if time < TICK_MIN {
                thread::yield_now();
            } else {
                return self.recv().map_err(|RecvError| RecvTimeoutError::Disconnected);
            }
        }
    }
}
