//! The containment around sled (T3): its first error or panic takes it from everyone.
//!
//! sled commits tree by tree in memory, so one that failed midway shows half an operation (I4). A
//! panic may leave its locks and buffers in any state. So after either nothing is asked of it again
//! but to be dropped.
//!
//! Panics are only caught where they unwind. An embedder that builds with `panic = "abort"` is
//! served by the opening mark instead: the next start rebuilds.

use crate::store::StoreError;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock};

/// A `T` that is reached through contained calls only.
pub(super) struct Contained<T> {
    /// `None` once closed.
    inner: RwLock<Option<T>>,
    broken: AtomicBool,
}

impl<T> Contained<T> {
    pub(super) fn new(inner: T) -> Self {
        Self { inner: RwLock::new(Some(inner)), broken: AtomicBool::new(false) }
    }

    /// Fails if nothing may be asked any more.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        if self.broken.load(Ordering::Acquire) {
            return Err(StoreError::Broken { what: "sled failed earlier" });
        }
        Ok(())
    }

    /// Runs `work`. Its error or panic is the last that is heard of the inner.
    pub(super) fn call<R>(
        &self,
        what: &'static str,
        work: impl FnOnce(&T) -> sled::Result<R>,
    ) -> Result<R, StoreError> {
        self.check()?;
        let inner = self.inner.read().unwrap_or_else(PoisonError::into_inner);
        let Some(inner) = inner.as_ref() else {
            return Err(StoreError::Broken { what: "the state is closed" });
        };
        if let Some(Ok(done)) = contain(|| work(inner)) {
            // Another thread's failure may have shown this one half an operation.
            self.check()?;
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

/// Runs `work`; `None` if it panicked. What a panic leaves behind must not be used but dropped,
/// which is why asserting unwind safety is right.
pub(super) fn contain<R>(work: impl FnOnce() -> R) -> Option<R> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(done) => Some(done),
        Err(payload) => {
            // A payload whose own drop panics would leave by this door.
            std::mem::forget(payload);
            None
        }
    }
}
