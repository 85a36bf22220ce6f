//! Which secret's rotation is due when, as far as is known. Being wrong is harmless: who is asked too
//! early answers when to ask again.

use crate::env::UnixMillis;
use crate::env::threads::channel::Sender;
use crate::model::{RecordId, SecretRecord};
use crate::semantics::rotation_due;
use crate::vault::rotation_functions::{Function, RotationFunctions};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// The list of what is due.
pub(crate) struct Agenda {
    functions: RotationFunctions,
    names: Arc<BTreeSet<String>>,
    entries: Mutex<Entries>,
    /// Wake the threads that rotate.
    bells: OnceLock<Vec<Sender<()>>>,
    pub(crate) stopping: Arc<AtomicBool>,
}

#[derive(Default)]
struct Entries {
    due: BTreeMap<RecordId, UnixMillis>,
    /// Somebody is at it.
    busy: BTreeSet<RecordId>,
}

impl Agenda {
    pub(crate) fn new(functions: RotationFunctions) -> Self {
        Self {
            names: Arc::new(functions.names()),
            functions,
            entries: Mutex::default(),
            bells: OnceLock::new(),
            stopping: Arc::default(),
        }
    }

    /// The same list for a fork of the vault, where nobody is at anything.
    #[cfg(feature = "testkit")]
    pub(crate) fn fork(&self) -> Self {
        let due = self.lock().due.clone();
        Self {
            functions: self.functions.clone(),
            names: self.names(),
            entries: Mutex::new(Entries { due, busy: BTreeSet::new() }),
            bells: OnceLock::new(),
            stopping: Arc::default(),
        }
    }

    /// The functions that can be called.
    pub(crate) fn names(&self) -> Arc<BTreeSet<String>> {
        Arc::clone(&self.names)
    }

    /// Whether nothing will ever be rotated here.
    pub(crate) fn is_idle(&self) -> bool {
        self.functions.is_empty()
    }

    pub(crate) fn function(&self, arn: &str) -> Option<Function> {
        self.functions.functions.get(arn).cloned()
    }

    /// Who is to be woken when something is noted.
    pub(crate) fn ring_at(&self, bells: Vec<Sender<()>>) {
        // Set once, when the vault is opened.
        let _ = self.bells.set(bells);
    }

    /// Asks whoever rotates to come to an end.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
    }

    /// A record was committed: what it says counts.
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
        self.ring();
    }

    /// A record was read, perhaps not the newest: it can only bring a look forward.
    pub(crate) fn note_read(&self, record: &SecretRecord) {
        let Some(due) = rotation_due(record).filter(|_| !self.is_idle()) else { return };
        let mut entries = self.lock();
        let at = entries.due.entry(record.id).or_insert(due);
        *at = due.min(*at);
        drop(entries);
        self.ring();
    }

    /// Somebody whose time has come and whom nobody is at. The caller is at it from now on.
    pub(crate) fn take(&self, now: UnixMillis) -> Option<RecordId> {
        let mut entries = self.lock();
        let Entries { due, busy } = &mut *entries;
        let found = due.iter().find(|(id, at)| **at <= now && !busy.contains(id));
        let id = found.map(|(id, _)| *id)?;
        due.remove(&id);
        busy.insert(id);
        Some(id)
    }

    /// The caller is no longer at it; what was noted meanwhile counts more than `due`.
    pub(crate) fn leave(&self, id: RecordId, due: Option<UnixMillis>) {
        let mut entries = self.lock();
        entries.busy.remove(&id);
        if let Some(due) = due {
            entries.due.entry(id).or_insert(due);
        }
    }

    fn ring(&self) {
        for bell in self.bells.get().into_iter().flatten() {
            let _ = bell.try_send(());
        }
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
