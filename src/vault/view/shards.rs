//! A table in parts, each behind a lock of its own, so that readers seldom wait for each other.

use crate::env::threads::sync::{Mutex, MutexGuard, PoisonError};

const COUNT: usize = 64;

/// The parts.
pub(super) struct Shards<T>(Box<[Mutex<T>]>);

impl<T: Default> Default for Shards<T> {
    fn default() -> Self {
        Self(std::iter::repeat_with(Mutex::default).take(COUNT).collect())
    }
}

impl<T> Shards<T> {
    /// The part of what has this number. There is one for every number.
    pub(super) fn of(&self, number: u64) -> Option<MutexGuard<'_, T>> {
        let at = usize::try_from(number % COUNT as u64).ok()?;
        self.0.get(at).map(lock)
    }

    /// All parts, one after the other.
    pub(super) fn each(&self) -> impl Iterator<Item = MutexGuard<'_, T>> {
        self.0.iter().map(lock)
    }
}

/// A poisoned lock is ignored: no code under it can panic halfway through a change.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
