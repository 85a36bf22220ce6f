//! What is learned about a request while it is answered. The notes travel with the head of the request, so
//! that whoever learns something can add it.

use super::reasons::Cause;
use hyper::http::request::Parts;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Notes about one request.
#[derive(Clone, Default)]
pub(crate) struct Notes(Arc<Mutex<Noted>>);

#[derive(Default)]
pub(super) struct Noted {
    /// The operation, or what else was asked for.
    pub(super) operation: Option<&'static str>,
    /// Whether it asks how the server is. Programs do so every few seconds.
    pub(super) is_probe: bool,
    /// The secrets that it names, if they may be told.
    pub(super) names: Vec<String>,
    /// Why it is refused, and a detail.
    pub(super) refused: Option<(Cause, String)>,
}

impl Notes {
    /// The notes about the request with this head.
    pub(crate) fn of(head: &Parts) -> Self {
        head.extensions.get().cloned().unwrap_or_default()
    }

    pub(crate) fn operation(&self, name: &'static str) {
        self.lock().operation = Some(name);
    }

    pub(crate) fn probe(&self, name: &'static str) {
        let mut noted = self.lock();
        (noted.operation, noted.is_probe) = (Some(name), true);
    }

    pub(crate) fn names(&self, names: Vec<String>) {
        self.lock().names = names;
    }

    pub(crate) fn refused(&self, cause: Cause, detail: impl Into<String>) {
        self.lock().refused = Some((cause, detail.into()));
    }

    /// Why it is refused, and a detail.
    #[cfg(test)]
    pub(crate) fn why(&self) -> Option<(Cause, String)> {
        self.lock().refused.clone()
    }

    pub(super) fn take(&self) -> Noted {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Noted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
