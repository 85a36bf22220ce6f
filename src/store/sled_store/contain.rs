//! Contains sled (SL3): after its first error or panic sled is not called again.
//!
//! sled commits tree by tree in memory, so a failed transaction can leave half an operation visible
//! (I4). A panic may leave its locks and buffers in any state. After either, sled is only dropped.
//!
//! Panics can be caught only where they unwind. In a program built with `panic = "abort"` the opening
//! mark helps instead: the next start rebuilds the state.

use crate::store::StoreError;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock};

/// A `T` that can be reached through contained calls only.
pub(super) struct Contained<T> {
    /// `None` once closed.
    inner: RwLock<Option<T>>,
    broken: AtomicBool,
}

impl<T> Contained<T> {
    pub(super) fn new(inner: T) -> Self {
        Self { inner: RwLock::new(Some(inner)), broken: AtomicBool::new(false) }
    }

    /// Fails if sled must not be called any more.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        if self.broken.load(Ordering::Acquire) {
            return Err(StoreError::Broken { what: "sled failed earlier" });
        }
        Ok(())
    }

    /// Runs `work` concurrently with other calls. After an error or panic no call is made again.
    pub(super) fn call<R>(
        &self,
        what: &'static str,
        work: impl FnOnce(&T) -> sled::Result<R>,
    ) -> Result<R, StoreError> {
        let inner = self.inner.read().unwrap_or_else(PoisonError::into_inner);
        self.run(inner.as_ref(), what, work)
    }

    /// Runs `work` while no other call runs. If it fails, later calls fail before they can see what it
    /// left. sled blocks readers during a transaction anyway, so they do not wait longer.
    pub(super) fn call_alone<R>(
        &self,
        what: &'static str,
        work: impl FnOnce(&T) -> sled::Result<R>,
    ) -> Result<R, StoreError> {
        let inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        self.run(inner.as_ref(), what, work)
    }

    fn run<R>(
        &self,
        inner: Option<&T>,
        what: &'static str,
        work: impl FnOnce(&T) -> sled::Result<R>,
    ) -> Result<R, StoreError> {
        self.check()?;
        let inner = inner.ok_or(StoreError::Broken { what: "the state is closed" })?;
        if let Some(Ok(done)) = contain(|| work(inner)) {
            return Ok(done);
        }
        self.broken.store(true, Ordering::Release);
        Err(StoreError::Broken { what })
    }

    /// Drops the inner once every call has returned. `false` if that panicked.
    pub(super) fn drop_inner(&self) -> bool {
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        let inner = inner.take();
        contain(|| drop(inner)).is_some()
    }
}

/// Runs `work`; `None` if it panicked. After a panic the value is only dropped, so it is sound to
/// assert unwind safety.
pub(super) fn contain<R>(work: impl FnOnce() -> R) -> Option<R> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(done) => Some(done),
        Err(payload) => {
            // Dropping the payload may panic itself; that must not escape either.
            std::mem::forget(payload);
            None
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    fn is_broken<R>(result: &Result<R, StoreError>) -> bool {
        matches!(result, Err(StoreError::Broken { .. }))
    }

    #[test]
    fn the_first_error_or_panic_is_the_last() {
        let failures: [fn(&u8) -> sled::Result<u8>; 2] = [
            |_| Err(sled::Error::ReportableBug(String::new())),
            |_| std::panic::resume_unwind(Box::new("silent")),
        ];
        for failure in failures {
            let contained = Contained::new(7_u8);
            assert_eq!(contained.call("read", |inner| Ok(*inner)).unwrap(), 7);
            assert!(is_broken(&contained.call("fail", failure)));
            assert!(is_broken(&contained.check()));
            assert!(is_broken(&contained.call("read", |inner| Ok(*inner))));
        }
    }

    /// Goal: nobody sees the partial changes of a failed transaction. Method: a reader waits for the
    /// lock while the transaction changes one of two values and panics.
    #[test]
    fn a_waiting_reader_does_not_see_a_failed_transaction() {
        let contained = Contained::new((Mutex::new(0), Mutex::new(0)));
        let (inside, entered) = std::sync::mpsc::channel();
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| {
                contained.call_alone::<()>("fail", |(first, _)| {
                    *first.lock().unwrap() = 1;
                    inside.clone().send(()).unwrap();
                    std::thread::sleep(std::time::Duration::from_millis(30));
                    std::panic::resume_unwind(Box::new("silent"))
                })
            });
            entered.recv().unwrap();
            let read = contained.call("read", |(first, second)| {
                Ok((*first.lock().unwrap(), *second.lock().unwrap()))
            });
            assert!(is_broken(&read));
            assert!(is_broken(&writer.join().unwrap()));
        });
    }
}
