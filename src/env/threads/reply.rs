//! One answer from one thread to another. The thread that waits sleeps until the answer is there. Spinning
//! would be useless, because the disk takes far longer.

use super::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

enum Slot<T> {
    Empty,
    /// Somebody sleeps until there is an answer.
    Awaited,
    Full(T),
    /// There will be no answer.
    Gone,
}

struct Place<T> {
    slot: Mutex<Slot<T>>,
    filled: Condvar,
}

impl<T> Place<T> {
    fn lock(&self) -> MutexGuard<'_, Slot<T>> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fill(&self, with: Slot<T>) {
        let before = std::mem::replace(&mut *self.lock(), with);
        // After the lock was released, because the woken thread takes it first.
        if matches!(before, Slot::Awaited) {
            self.filled.notify_one();
        }
    }
}

/// Where the answer is given. Dropped without one, it tells whoever waits that there is none.
pub(crate) struct Reply<T>(Option<Arc<Place<T>>>);

/// Where the answer is awaited.
pub(crate) struct Awaited<T>(Arc<Place<T>>);

/// A place for one answer.
pub(crate) fn reply<T>() -> (Reply<T>, Awaited<T>) {
    let place = Arc::new(Place { slot: Mutex::new(Slot::Empty), filled: Condvar::new() });
    (Reply(Some(Arc::clone(&place))), Awaited(place))
}

impl<T> Reply<T> {
    /// Gives the answer.
    pub(crate) fn send(mut self, answer: T) {
        if let Some(place) = self.0.take() {
            place.fill(Slot::Full(answer));
        }
    }
}

impl<T> Drop for Reply<T> {
    fn drop(&mut self) {
        if let Some(place) = self.0.take() {
            place.fill(Slot::Gone);
        }
    }
}

impl<T> Awaited<T> {
    /// Waits for the answer. `None`: there will be none.
    pub(crate) fn wait(self) -> Option<T> {
        let mut slot = self.0.lock();
        loop {
            match std::mem::replace(&mut *slot, Slot::Awaited) {
                Slot::Empty | Slot::Awaited => {}
                Slot::Full(answer) => return Some(answer),
                Slot::Gone => return None,
            }
            slot = self.0.filled.wait(slot).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn an_answer_arrives_whoever_comes_first() {
        let (give, take) = reply();
        give.send(1);
        assert_eq!(take.wait(), Some(1));
        let (give, take) = reply();
        thread::scope(|scope| {
            scope.spawn(move || assert_eq!(take.wait(), Some(2)));
            give.send(2);
        });
    }

    #[test]
    fn who_waits_learns_that_there_is_no_answer() {
        let (give, take) = reply::<u8>();
        drop(give);
        assert_eq!(take.wait(), None);
        let (give, take) = reply::<u8>();
        thread::scope(|scope| {
            scope.spawn(move || assert_eq!(take.wait(), None));
            drop(give);
        });
    }

    #[test]
    fn an_answer_that_nobody_awaits_is_dropped() {
        let (give, take) = reply();
        drop(take);
        let answer = Arc::new(());
        give.send(Arc::clone(&answer));
        assert_eq!(Arc::strong_count(&answer), 1);
    }
}
