//! The rotation schedule: which secret's rotation is due when.
//!
//! It may be wrong without harm. If a rotation is tried too early, `semantics` answers when to try again.

use crate::env::UnixMillis;
use crate::model::{RecordId, SecretRecord};
use crate::semantics::{Now, rotation_due};
use crate::vault::rotation_functions::{Function, RotationFunctions};
use crate::vault::worker::Waker;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// Rotations that are due, now or later.
pub(crate) struct RotationSchedule {
    functions: RotationFunctions,
    names: Arc<BTreeSet<String>>,
    entries: Mutex<Entries>,
    /// Wake the threads that rotate.
    wakers: OnceLock<Vec<Waker>>,
    stopping: Arc<AtomicBool>,
}

#[derive(Default)]
struct Entries {
    due: BTreeMap<RecordId, UnixMillis>,
    /// Secrets that a thread is rotating now.
    busy: BTreeSet<RecordId>,
}

impl RotationSchedule {
    pub(super) fn new(functions: RotationFunctions) -> Self {
        Self {
            names: Arc::new(functions.names()),
            functions,
            entries: Mutex::default(),
            wakers: OnceLock::new(),
            stopping: Arc::default(),
        }
    }

    /// The same schedule for a fork of the vault, where no rotation is running.
    #[cfg(feature = "testkit")]
    pub(super) fn fork(&self) -> Self {
        let due = self.lock().due.clone();
        Self {
            functions: self.functions.clone(),
            names: self.names(),
            entries: Mutex::new(Entries { due, busy: BTreeSet::new() }),
            wakers: OnceLock::new(),
            stopping: Arc::default(),
        }
    }

    /// The names of the functions that can be called.
    pub(crate) fn names(&self) -> Arc<BTreeSet<String>> {
        Arc::clone(&self.names)
    }

    /// Whether there is no function, so that nothing is ever rotated here.
    pub(crate) fn is_idle(&self) -> bool {
        self.functions.is_empty()
    }

    pub(crate) fn function(&self, arn: &str) -> Option<Function> {
        self.functions.functions.get(arn).cloned()
    }

    /// Registers the threads to wake when a rotation is noted.
    pub(crate) fn wake_on_note(&self, wakers: Vec<Waker>) {
        // Set once, when the vault is opened.
        let _ = self.wakers.set(wakers);
    }

    /// Asks running rotations to stop.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
    }

    /// Set once rotations should stop. Functions look at it.
    pub(crate) fn stopping(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.stopping)
    }

    /// Replaces what is known of a secret by what its committed record says.
    pub(crate) fn note(&self, id: RecordId, due: Option<UnixMillis>) {
        if self.is_idle() {
            return;
        }
        let mut entries = self.lock();
        match due {
            Some(due) => entries.due.insert(id, due),
            None => entries.due.remove(&id),
        };
        drop(entries);
        self.wake();
    }

    /// Notes a record that was read and may be out of date. It can only make its secret due earlier.
    pub(crate) fn note_read(&self, record: &SecretRecord, now: Now) {
        let Some(due) = rotation_due(record, now).filter(|_| !self.is_idle()) else { return };
        let mut entries = self.lock();
        let at = entries.due.entry(record.id).or_insert(due);
        *at = due.min(*at);
        drop(entries);
        self.wake();
    }

    /// Takes a secret that is due and marks it busy, so that no other thread takes it.
    pub(crate) fn take(&self, now: UnixMillis) -> Option<RecordId> {
        let mut entries = self.lock();
        let Entries { due, busy } = &mut *entries;
        let found = due.iter().find(|(id, at)| **at <= now && !busy.contains(id));
        let id = found.map(|(id, _)| *id)?;
        due.remove(&id);
        busy.insert(id);
        Some(id)
    }

    /// Puts a taken secret back, next due at `due`. A time that was noted meanwhile wins over `due`.
    pub(crate) fn put_back(&self, id: RecordId, due: Option<UnixMillis>) {
        let mut entries = self.lock();
        entries.busy.remove(&id);
        if let Some(due) = due {
            entries.due.entry(id).or_insert(due);
        }
    }

    fn wake(&self) {
        self.wakers.get().into_iter().flatten().for_each(Waker::wake);
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
