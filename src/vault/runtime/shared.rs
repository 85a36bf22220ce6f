//! What readers, callers and the threads of one open vault share.

use super::label_events::LabelEvents;
use super::pending::PendingSecrets;
use super::rotation_schedule::RotationSchedule;
use super::segments::SegmentHandover;
use super::space::Space;
use super::state_slot::StateSlot;
use super::status::{Status, StatusCell};
use crate::crypto::{Keyring, VaultId};
use crate::env::Env;
use crate::env::faults::Stash;
use crate::env::locked::HeldFolder;
use crate::env::threads::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use crate::env::threads::sync::{Arc, Mutex, PoisonError, RwLock};
use crate::error::{ErrorKind, Result};
use crate::log::Preparation;
use crate::vault::anchor::Anchor;
use crate::vault::directory::VaultDir;
use crate::vault::options::{Options, Tuning};
use crate::vault::rows::Outbox;
use crate::vault::state::serving::State;
use crate::vault::view::access_marks::AccessMarks;
use crate::vault::worker::Waker;
use std::path::PathBuf;

/// Wakes the threads of maintenance.
pub(crate) struct Wakers {
    pub(crate) passes: Waker,
    pub(crate) segments: Waker,
}

/// What all handles and threads of an open vault share.
pub(crate) struct Shared {
    pub(crate) env: Env,
    pub(crate) dir: PathBuf,
    pub(crate) id: VaultId,
    pub(crate) tuning: Tuning,
    keys: RwLock<Arc<Keyring>>,
    pub(crate) state: StateSlot,
    pub(crate) status: StatusCell,
    pub(crate) space: Space,
    pub(crate) access_marks: AccessMarks,
    /// Always empty, for views that must show no marks.
    pub(crate) no_marks: AccessMarks,
    pub(crate) pending: PendingSecrets,
    pub(crate) rotation_schedule: RotationSchedule,
    pub(crate) label_events: LabelEvents,
    pub(crate) segments: SegmentHandover,
    /// Wakes the thread that runs passes of maintenance.
    passes: Waker,
    /// Frames written since the vault was opened.
    pub(crate) frames: AtomicU64,
    /// How often a key pair was made or revoked since the vault was opened.
    pub(crate) credential_changes: AtomicU64,
    /// Odd while a batch is being published. A reader of several secrets compares it before and after.
    published: AtomicU64,
    /// The keys when the write was sealed that is handed in late (`internals::hand_in_late`).
    pub(crate) sealed_under: Stash<Arc<Keyring>>,
    /// The vault is being closed: long work in the background ends at its next step.
    is_stopping: AtomicBool,
    /// The file outside the vault that knows how far the vault has come.
    pub(crate) anchor: Option<Anchor>,
    /// The vault was found without its state after an end that was not clean.
    pub(crate) has_lost_its_state: bool,
    /// Nothing can be written: the file system is read-only, or it lacks space to bring the vault over.
    pub(crate) is_read_only: bool,
    lacks_space: bool,
    /// The vault's lock, held until the vault is closed. It is the last field, so that state and log
    /// are dropped before it if the vault is never closed.
    lock: Mutex<Option<HeldFolder>>,
}

impl Shared {
    /// What is shared of the vault in `place`, once its keys and its state are there.
    pub(crate) fn new(
        place: VaultDir,
        keys: Arc<Keyring>,
        (state, outbox): (State, Outbox),
        wakers: Wakers,
        (anchor, has_lost_its_state): (Option<Anchor>, bool),
    ) -> Self {
        let VaultDir { env, dir, lock, options, is_read_only, lacks_space } = place;
        let Options { tuning, rotation, on_label_updated, .. } = options;
        let Wakers { passes, segments } = wakers;
        Self {
            id: keys.vault_id(),
            keys: RwLock::new(keys),
            state: StateSlot::new(state),
            status: StatusCell::new(Status::Open, &lock.0),
            space: Space::new(&env.fs, &dir, tuning.reserve_bytes),
            access_marks: AccessMarks::default(),
            no_marks: AccessMarks::default(),
            pending: PendingSecrets::default(),
            rotation_schedule: RotationSchedule::new(rotation),
            label_events: LabelEvents::new(on_label_updated, outbox),
            segments: SegmentHandover::new(tuning.background.then_some(segments)),
            passes,
            frames: AtomicU64::new(0),
            credential_changes: AtomicU64::new(0),
            published: AtomicU64::new(0),
            sealed_under: Stash::default(),
            is_stopping: AtomicBool::new(false),
            anchor,
            has_lost_its_state,
            is_read_only,
            lacks_space,
            lock: Mutex::new(Some(lock)),
            env,
            dir,
            tuning,
        }
    }

    /// The same for a fork of the vault on `env`. `None`: the state is not in memory.
    #[cfg(feature = "testkit")]
    pub(crate) fn fork(&self, env: &Env, wakers: Wakers, lock: HeldFolder) -> Option<Self> {
        let state = self.state.fork()?;
        let count = |counter: &AtomicU64| AtomicU64::new(counter.load(Ordering::Acquire));
        let Wakers { passes, segments } = wakers;
        Some(Self {
            env: env.clone(),
            dir: self.dir.clone(),
            id: self.id,
            tuning: Tuning { env: Some(env.clone()), ..self.tuning.clone() },
            keys: RwLock::new(self.keys()),
            state,
            status: StatusCell::new(self.status.get(), &lock.0),
            space: self.space.fork(&env.fs),
            access_marks: self.access_marks.fork(),
            no_marks: AccessMarks::default(),
            pending: self.pending.fork(),
            rotation_schedule: self.rotation_schedule.fork(),
            label_events: self.label_events.fork(),
            segments: SegmentHandover::new(self.tuning.background.then_some(segments)),
            passes,
            frames: count(&self.frames),
            credential_changes: count(&self.credential_changes),
            published: count(&self.published),
            sealed_under: Stash::default(),
            is_stopping: AtomicBool::new(self.is_stopping()),
            anchor: None,
            has_lost_its_state: self.has_lost_its_state,
            is_read_only: self.is_read_only,
            lacks_space: self.lacks_space,
            lock: Mutex::new(Some(lock)),
        })
    }

    /// The keys in force. A switch of the epoch may come between them and the read of a row, which then does
    /// not open and is read again.
    pub(crate) fn keys(&self) -> Arc<Keyring> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn set_keys(&self, keys: Arc<Keyring>) {
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
    }

    /// Why no write is taken, if so.
    pub(crate) fn refuses_writes(&self) -> Option<ErrorKind> {
        let is_open = self.status.get() == Status::Open;
        let kind = if self.lacks_space { ErrorKind::OldFormat } else { ErrorKind::ReadOnly };
        let read_only = (is_open && self.is_read_only).then_some(kind);
        read_only.or_else(|| self.status.refuses_writes())
    }

    /// The state, for one read or one batch.
    pub(crate) fn state(&self) -> Result<Arc<State>> {
        if self.status.get() == Status::Closed {
            return Err(ErrorKind::Closed.into());
        }
        self.state.get().ok_or_else(|| ErrorKind::StateBroken.into())
    }

    /// How often a batch has begun or ended to be published. `None`: one is being published.
    pub(crate) fn published(&self) -> Option<u64> {
        let count = self.published.load(Ordering::Acquire);
        count.is_multiple_of(2).then_some(count)
    }

    /// A batch begins or ends to be published.
    pub(crate) fn turn_published(&self) {
        self.published.fetch_add(1, Ordering::AcqRel);
    }

    /// Wakes maintenance for a pass. It may be busy or absent.
    pub(crate) fn wake_maintenance(&self) {
        self.passes.wake();
    }

    /// Hands the next log segment over to be prepared. Given back: there is no thread for that.
    pub(crate) fn hand_over_segment(&self, preparation: Preparation) -> Option<Preparation> {
        self.segments.hand_over(preparation, || self.is_stopping())
    }

    /// Asks long work in the background to end.
    pub(crate) fn stop_work(&self) {
        self.is_stopping.store(true, Ordering::Release);
        // The preparation that waits will not run any more, so no append must wait for it.
        drop(self.segments.take());
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.is_stopping.load(Ordering::Acquire)
    }

    /// Fails once the vault is being closed.
    pub(crate) fn fail_if_stopping(&self) -> Result<()> {
        if self.is_stopping() { Err(ErrorKind::Closed.into()) } else { Ok(()) }
    }

    /// Whether the vault's lock is held.
    #[cfg(feature = "cli")]
    pub(crate) fn is_locked(&self) -> bool {
        self.lock.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Releases the vault's lock: the next process may open it.
    pub(crate) fn release_lock(&self) {
        drop(self.lock.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}
