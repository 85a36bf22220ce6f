//! What readers, callers and the commit pipeline of one vault share.

use super::rotation_schedule::Agenda;
use crate::crypto::{Keyring, VaultId};
use crate::env::faults::Stash;
use crate::env::threads::channel::Sender;
use crate::env::threads::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use crate::env::threads::sync::{Arc, Mutex, PoisonError, RwLock};
use crate::env::{Env, LockGuard};
use crate::error::{ErrorKind, Result};
use crate::log::{Log, Preparation};
use crate::model::RecordId;
use crate::vault::rotation_functions::RotationFunctions;
use crate::vault::state::opener::State;
use crate::vault::view::access_marks::Marks;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Whether the vault takes writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Status {
    /// Reads and writes.
    Open = 0,
    /// Reads only: a sync failed (I4).
    Poisoned = 1,
    /// Nothing.
    Closed = 2,
}

/// State shared by all handles and threads of an open vault.
pub(crate) struct Shared {
    pub(crate) env: Env,
    pub(crate) dir: PathBuf,
    pub(crate) id: VaultId,
    pub(crate) marks: Marks,
    /// Always empty: the marks of views that must not show any.
    pub(crate) no_marks: Marks,
    pub(crate) tuning: crate::vault::options::Tuning,
    /// The keys when the write was sealed that is handed in late (`internals::hand_in_late`).
    pub(crate) sealed_under: Stash<Arc<Keyring>>,
    keys: RwLock<Arc<Keyring>>,
    state: RwLock<Option<Arc<State>>>,
    status: AtomicU8,
    broken: AtomicBool,
    /// Frames written since the vault was opened.
    pub(crate) frames: AtomicU64,
    /// Free bytes below which the vault does not grow, as of the last batch.
    pub(crate) space_needed: AtomicU64,
    /// Odd while a batch is being applied; how readers of several secrets notice one.
    published: AtomicU64,
    nudges: Mutex<BTreeSet<RecordId>>,
    /// Rotations that are due, now or later.
    pub(crate) agenda: Agenda,
    /// Wakes the keeper.
    call: Sender<()>,
    /// Wakes whoever makes segments ready, and what is to be done.
    call_for_segment: Sender<()>,
    preparation: Mutex<Option<Preparation>>,
    /// The vault is being closed: long work in the background ends at its next step.
    stopping: AtomicBool,
    /// The vault's lock, held until it is closed. The last field: where nobody closes, whoever lets
    /// go of the vault last drops state and log before it.
    lock: Mutex<Option<Box<dyn LockGuard>>>,
}

impl Shared {
    pub(crate) fn new(
        env: Env,
        dir: PathBuf,
        keys: Arc<Keyring>,
        state: State,
        (tuning, rotation): (crate::vault::options::Tuning, RotationFunctions),
        (call, call_for_segment): (Sender<()>, Sender<()>),
        lock: Box<dyn LockGuard>,
    ) -> Self {
        Self {
            env,
            dir,
            id: keys.vault_id(),
            marks: Marks::default(),
            no_marks: Marks::default(),
            sealed_under: Stash::default(),
            tuning,
            keys: RwLock::new(keys),
            state: RwLock::new(Some(Arc::new(state))),
            status: AtomicU8::new(Status::Open as u8),
            broken: AtomicBool::new(false),
            frames: AtomicU64::new(0),
            space_needed: AtomicU64::new(0),
            published: AtomicU64::new(0),
            nudges: Mutex::new(BTreeSet::new()),
            agenda: Agenda::new(rotation),
            call,
            call_for_segment,
            preparation: Mutex::new(None),
            stopping: AtomicBool::new(false),
            lock: Mutex::new(Some(lock)),
        }
    }

    /// What a fork of the vault shares, on `env`. `None`: the state is not in memory.
    #[cfg(feature = "testkit")]
    pub(crate) fn fork(
        &self,
        env: &Env,
        (call, call_for_segment): (Sender<()>, Sender<()>),
        lock: Box<dyn LockGuard>,
    ) -> Option<Self> {
        let state = match self.state.read().unwrap_or_else(PoisonError::into_inner).as_deref() {
            Some(State::Memory(rows)) => Some(Arc::new(State::Memory(rows.fork()))),
            Some(State::Sled(_)) => return None,
            None => None,
        };
        let nudges = self.nudges.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let count = |counter: &AtomicU64| AtomicU64::new(counter.load(Ordering::Acquire));
        Some(Self {
            env: env.clone(),
            dir: self.dir.clone(),
            id: self.id,
            marks: self.marks.fork(),
            no_marks: Marks::default(),
            sealed_under: Stash::default(),
            tuning: crate::vault::options::Tuning { env: Some(env.clone()), ..self.tuning.clone() },
            keys: RwLock::new(self.keys()),
            state: RwLock::new(state),
            status: AtomicU8::new(self.status.load(Ordering::Acquire)),
            broken: AtomicBool::new(self.state_is_broken()),
            frames: count(&self.frames),
            space_needed: count(&self.space_needed),
            published: count(&self.published),
            nudges: Mutex::new(nudges),
            agenda: self.agenda.fork(),
            call,
            call_for_segment,
            preparation: Mutex::new(None),
            stopping: AtomicBool::new(self.is_stopping()),
            lock: Mutex::new(Some(lock)),
        })
    }

    /// The keys in force. Take them *after* reading a wrapped key, not before: an epoch switch may
    /// come in between.
    pub(crate) fn keys(&self) -> Arc<Keyring> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn set_keys(&self, keys: Arc<Keyring>) {
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
    }

    /// The state, for one read or one batch.
    pub(crate) fn state(&self) -> Result<Arc<State>> {
        if self.status() == Status::Closed {
            return Err(ErrorKind::Closed.into());
        }
        if self.state_is_broken() {
            return Err(ErrorKind::StateBroken.into());
        }
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        state.clone().ok_or_else(|| ErrorKind::StateBroken.into())
    }

    /// Whether `state` is the one in use.
    pub(crate) fn is_current(&self, state: &Arc<State>) -> bool {
        let current = self.state.read().unwrap_or_else(PoisonError::into_inner);
        current.as_ref().is_some_and(|current| Arc::ptr_eq(current, state))
            && !self.state_is_broken()
    }

    /// Puts a whole state in place of a broken one; `None` while there is none.
    pub(crate) fn replace_state(&self, state: Option<State>) -> Option<Arc<State>> {
        let whole = state.is_some();
        let mut place = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let old = std::mem::replace(&mut *place, state.map(Arc::new));
        if whole {
            self.broken.store(false, Ordering::Release);
        }
        old
    }

    /// Takes the state from the readers until it is rebuilt.
    pub(crate) fn break_state(&self) {
        self.broken.store(true, Ordering::Release);
    }

    pub(crate) fn state_is_broken(&self) -> bool {
        self.broken.load(Ordering::Acquire)
    }

    pub(crate) fn status(&self) -> Status {
        match self.status.load(Ordering::Acquire) {
            0 => Status::Open,
            1 => Status::Poisoned,
            _ => Status::Closed,
        }
    }

    pub(crate) fn set_status(&self, status: Status) {
        self.status.fetch_max(status as u8, Ordering::AcqRel);
    }

    /// Why no write is taken, if so.
    pub(crate) fn refuses_writes(&self) -> Option<ErrorKind> {
        match self.status() {
            Status::Open => None,
            Status::Poisoned => Some(ErrorKind::Poisoned),
            Status::Closed => Some(ErrorKind::Closed),
        }
    }

    /// The number of batches begun and ended; `None` while one is being applied.
    pub(crate) fn published(&self) -> Option<u64> {
        let count = self.published.load(Ordering::Acquire);
        count.is_multiple_of(2).then_some(count)
    }

    /// A batch begins or ends to be applied.
    pub(crate) fn turn_published(&self) {
        self.published.fetch_add(1, Ordering::AcqRel);
    }

    /// Asks long work in the background to end.
    pub(crate) fn stop_work(&self) {
        self.stopping.store(true, Ordering::Release);
        // Nobody will run it any more, so nobody shall wait for it.
        drop(self.take_preparation());
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// Lets the vault's lock go: the next owner may come.
    pub(crate) fn release_lock(&self) {
        drop(self.lock.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    /// Wakes the keeper, which may be busy or absent.
    pub(crate) fn call_keeper(&self) {
        let _ = self.call.try_send(());
    }

    /// Hands the next log segment over to be made ready. Given back: there is no thread for that.
    pub(crate) fn call_for_segment(&self, preparation: Preparation) -> Option<Preparation> {
        if !self.tuning.background {
            return Some(preparation);
        }
        let mut place = self.preparation.lock().unwrap_or_else(PoisonError::into_inner);
        if place.is_none() && !self.is_stopping() {
            *place = Some(preparation.promised());
            let _ = self.call_for_segment.try_send(());
        }
        None
    }

    /// What was handed over.
    pub(crate) fn take_preparation(&self) -> Option<Preparation> {
        self.preparation.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Tells the pruner where there may be something to do.
    pub(crate) fn nudge(&self, ids: impl IntoIterator<Item = RecordId>) {
        self.nudges.lock().unwrap_or_else(PoisonError::into_inner).extend(ids);
    }

    /// Where there may be something to do, and forgets it.
    pub(crate) fn take_nudges(&self) -> BTreeSet<RecordId> {
        std::mem::take(&mut *self.nudges.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether the disk could not hold the next snapshot and two more segments (I4).
    pub(crate) fn is_short_of_space(&self, log: &Log) -> bool {
        self.note_space_needed(log);
        self.lacks_space()
    }

    /// Finds out how much space the vault needs to grow, for whoever asks without the log.
    pub(crate) fn note_space_needed(&self, log: &Log) {
        let needed = log
            .snapshot_bytes()
            .saturating_mul(2)
            .saturating_add(log.segment_bytes().saturating_mul(2));
        self.space_needed.store(needed, Ordering::Relaxed);
    }

    /// Whether the disk has less than what was needed when that was last found out.
    pub(crate) fn lacks_space(&self) -> bool {
        let reserve = super::reserve::bytes(self);
        let needed = self.space_needed.load(Ordering::Relaxed);
        match self.env.fs.free_bytes(&self.dir) {
            Ok(free) => free.saturating_add(reserve) < needed,
            Err(_) => false,
        }
    }

    /// Gives the reserve's blocks back to a full disk. `false`: there was none.
    pub(crate) fn release_reserve(&self) -> bool {
        super::reserve::release(self)
    }
}
