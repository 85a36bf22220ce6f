//! A bounded queue from many threads to one, which can wait for several items at once. So a group of writers
//! wakes the thread that serves them once, and not once each.

use super::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::collections::VecDeque;
use std::time::Duration;

/// Why an item was not taken. It is given back.
pub(crate) enum Refused<T> {
    /// The queue is full.
    Full(T),
    /// The queue is closed.
    Closed(T),
}

struct State<T> {
    items: VecDeque<T>,
    /// How many items the receiver sleeps for. 0: it does not sleep.
    wanted: usize,
    /// Threads that wait for room.
    blocked: usize,
    is_closed: bool,
}

/// The queue.
pub(crate) struct Queue<T> {
    state: Mutex<State<T>>,
    capacity: usize,
    filled: Condvar,
    drained: Condvar,
}

impl<T> Queue<T> {
    /// A queue for so many items.
    pub(crate) fn new(capacity: usize) -> Self {
        let state = State { items: VecDeque::new(), wanted: 0, blocked: 0, is_closed: false };
        let (filled, drained) = (Condvar::new(), Condvar::new());
        Self { state: Mutex::new(state), capacity, filled, drained }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Items that wait.
    pub(crate) fn len(&self) -> usize {
        self.lock().items.len()
    }

    /// Whether no item waits and it is open.
    pub(crate) fn is_at_rest(&self) -> bool {
        let state = self.lock();
        state.items.is_empty() && !state.is_closed
    }

    /// Adds an item. Waits while the queue is full. The item comes back if it is closed.
    pub(crate) fn push(&self, item: T) -> Result<(), T> {
        let mut state = self.lock();
        while !state.is_closed && state.items.len() >= self.capacity {
            state.blocked += 1;
            state = self.drained.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.blocked -= 1;
        }
        if state.is_closed {
            return Err(item);
        }
        self.add(state, item);
        Ok(())
    }

    /// Adds an item without waiting.
    pub(crate) fn try_push(&self, item: T) -> Result<(), Refused<T>> {
        let state = self.lock();
        if state.is_closed {
            return Err(Refused::Closed(item));
        }
        if state.items.len() >= self.capacity {
            return Err(Refused::Full(item));
        }
        self.add(state, item);
        Ok(())
    }

    fn add(&self, mut state: MutexGuard<'_, State<T>>, item: T) {
        state.items.push_back(item);
        let is_enough = state.wanted > 0 && state.items.len() >= state.wanted;
        if is_enough {
            state.wanted = 0;
        }
        drop(state);
        if is_enough {
            self.filled.notify_one();
        }
    }

    /// Takes no more items. What was added before is still there for the receiver.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.is_closed = true;
        state.wanted = 0;
        drop(state);
        self.filled.notify_one();
        self.drained.notify_all();
    }

    /// Takes up to `most` items that are there.
    pub(crate) fn take(&self, most: usize, mut to: impl FnMut(T)) {
        let mut state = self.lock();
        let count = state.items.len().min(most);
        let taken: VecDeque<T> = if count == state.items.len() {
            std::mem::take(&mut state.items)
        } else {
            state.items.drain(..count).collect()
        };
        let is_awaited = count > 0 && state.blocked > 0;
        drop(state);
        if is_awaited {
            self.drained.notify_all();
        }
        taken.into_iter().for_each(&mut to);
    }

    /// Waits for an item. `false`: none is there and none will come.
    pub(crate) fn wait(&self) -> bool {
        let mut state = self.lock();
        while state.items.is_empty() {
            if state.is_closed {
                return false;
            }
            state.wanted = 1;
            state = self.filled.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.wanted = 0;
        true
    }

    /// Waits until so many items are there, but not longer than `time`. `false`: they are not.
    #[cfg(not(shuttle))]
    pub(crate) fn wait_for(&self, count: usize, time: Duration) -> bool {
        // Nobody can add more than fit.
        let count = count.min(self.capacity);
        let mut state = self.lock();
        state.wanted = count;
        let is_missing = |state: &mut State<T>| state.items.len() < count && !state.is_closed;
        let waited = self.filled.wait_timeout_while(state, time, is_missing);
        state = waited.unwrap_or_else(PoisonError::into_inner).0;
        state.wanted = 0;
        state.items.len() >= count
    }

    /// The same in an exploration, where time does not pass: it may be over whenever another thread has run.
    #[cfg(shuttle)]
    pub(crate) fn wait_for(&self, count: usize, _time: Duration) -> bool {
        use shuttle::rand::{Rng, thread_rng};
        loop {
            let state = self.lock();
            let (is_there, is_closed) = (state.items.len() >= count, state.is_closed);
            drop(state);
            if is_there || is_closed || thread_rng().gen_bool(0.5) {
                return is_there;
            }
            super::thread::yield_now();
        }
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use super::*;
    use std::thread;

    /// Long enough for any machine; no test waits for it to end.
    const LONG: Duration = Duration::from_secs(60);

    fn taken(queue: &Queue<u8>, most: usize) -> Vec<u8> {
        let mut taken = Vec::new();
        queue.take(most, |item| taken.push(item));
        taken
    }

    #[test]
    fn items_come_in_order_and_no_more_than_wanted() {
        let queue = Queue::new(3);
        for item in 1..=3 {
            assert!(queue.push(item).is_ok());
        }
        assert!(matches!(queue.try_push(4), Err(Refused::Full(4))));
        assert_eq!(taken(&queue, 2), [1, 2]);
        assert!(queue.try_push(5).is_ok());
        assert_eq!(queue.len(), 2);
        assert_eq!(taken(&queue, 9), [3, 5]);
        assert!(taken(&queue, 9).is_empty());
    }

    #[test]
    fn who_finds_it_full_goes_on_when_there_is_room() {
        let queue = Queue::new(1);
        assert!(queue.push(1).is_ok());
        thread::scope(|scope| {
            let blocked: Vec<_> = (2..6).map(|item| scope.spawn(move || item)).collect();
            for item in blocked {
                let (queue, item) = (&queue, item.join().unwrap_or_default());
                scope.spawn(move || assert!(queue.push(item).is_ok()));
            }
            let mut all = Vec::new();
            while all.len() < 5 {
                assert!(queue.wait());
                all.extend(taken(&queue, 9));
            }
            all.sort_unstable();
            assert_eq!(all, [1, 2, 3, 4, 5]);
        });
    }

    #[test]
    fn the_receiver_is_woken_by_as_many_as_it_waits_for() {
        let queue = Queue::new(8);
        thread::scope(|scope| {
            let receiver = scope.spawn(|| queue.wait_for(3, LONG));
            for item in 0..3 {
                assert!(queue.push(item).is_ok());
            }
            assert!(receiver.join().unwrap_or_default());
        });
        assert!(queue.wait_for(3, Duration::ZERO));
        assert!(!queue.wait_for(4, Duration::ZERO), "time is over");
        assert_eq!(queue.len(), 3);
    }

    #[test]
    fn a_closed_queue_gives_what_it_has_and_takes_nothing() {
        let queue = Queue::new(1);
        assert!(queue.push(1).is_ok());
        thread::scope(|scope| {
            let blocked = scope.spawn(|| queue.push(2));
            queue.close();
            // It may have come too late to be blocked at all.
            assert_eq!(blocked.join().ok(), Some(Err(2)));
        });
        assert_eq!(queue.push(3), Err(3));
        assert!(matches!(queue.try_push(4), Err(Refused::Closed(4))));
        assert!(queue.wait());
        assert_eq!(taken(&queue, 9), [1]);
        assert!(!queue.wait());
        assert!(!queue.wait_for(1, LONG));
    }
}
