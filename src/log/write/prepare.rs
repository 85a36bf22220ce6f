//! Making the next segment's file on another thread, so that appends do not wait for it.
//!
//! The file is made as `N.prep` and filled with zeros, so that its blocks are allocated; or a freed
//! segment, which has its blocks already, is reused. It is synced and renamed to `N.wal`, and the
//! folder is synced. If the log needs segment N before that, it makes the file itself, and the prepared
//! one is discarded.

use crate::env::OpenMode;
use crate::env::threads::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use crate::log::error::LogError;
use crate::log::files;
use crate::log::files::{FileKind, LogContext};
use crate::log::format::header_block::HEADER_BYTES;
use std::io;
use std::time::Duration;

/// What the log and its preparations share.
#[derive(Default)]
pub(crate) struct PreparationState {
    state: Mutex<Progress>,
    /// Notified when a preparation ends.
    ended: Condvar,
}

/// How long an append waits for a running preparation.
const WAIT_MAX: Duration = Duration::from_secs(2);

#[derive(Clone, Default)]
pub(crate) struct Progress {
    /// The newest segment that the log uses; only the one after it is worth preparing.
    pub(crate) last: u64,
    pub(crate) stage: Stage,
    /// Freed segments that the manifest on disk no longer names.
    pub(crate) spares: Vec<u64>,
    /// A caller has promised to prepare segment `last + 1` at once.
    promised: bool,
    /// The freed segment that a running preparation reuses.
    pub(crate) source: Option<u64>,
    attempts: u64,
}

/// How far the preparation of segment `last + 1` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) enum Stage {
    #[default]
    Idle,
    Running {
        attempt: u64,
    },
    Ready {
        capacity: u64,
    },
}

impl Progress {
    /// Whether the next segment is neither prepared, nor being prepared, nor promised.
    pub(crate) fn is_open(&self) -> bool {
        self.stage == Stage::Idle && !self.promised
    }
}

impl PreparationState {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Progress> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state for a fork of the log. `None`: a preparation is under way or promised.
    #[cfg(feature = "testkit")]
    pub(crate) fn fork(&self) -> Option<Self> {
        let state = self.lock();
        let is_quiet = !state.promised && !matches!(state.stage, Stage::Running { .. });
        is_quiet.then(|| Self { state: Mutex::new(state.clone()), ended: Condvar::default() })
    }

    /// Stops all preparation; a file that is being prepared is discarded.
    pub(crate) fn retire(&self) {
        let mut state = self.lock();
        state.last = u64::MAX;
        state.stage = Stage::Idle;
        state.promised = false;
        drop(state);
        self.ended.notify_all();
    }

    /// The capacity of the prepared file of segment `number`, which the log begins now. Waits a little
    /// for a running preparation, so that the append need not make the file itself; then goes ahead
    /// without it. Afterwards `number` is never prepared again: that would rename a file of zeros over
    /// the live segment.
    pub(crate) fn take(&self, number: u64) -> Option<u64> {
        let under_way =
            |state: &mut Progress| state.promised || matches!(state.stage, Stage::Running { .. });
        let waited = self.ended.wait_timeout_while(self.lock(), WAIT_MAX, under_way);
        let mut state = match waited {
            Ok((state, _)) => state,
            Err(poisoned) => poisoned.into_inner().0,
        };
        state.last = number;
        state.promised = false;
        match std::mem::take(&mut state.stage) {
            Stage::Ready { capacity } => Some(capacity),
            Stage::Running { .. } | Stage::Idle => None,
        }
    }
}

/// Work that may take long. It runs on any thread and holds no lock of the log.
pub struct Preparation {
    context: LogContext,
    preparing: Arc<PreparationState>,
    number: u64,
    capacity: u64,
}

/// What [`Preparation::run`] leaves behind, for [`crate::log::Log::prepared`].
#[must_use]
pub struct Prepared {
    pub(crate) _private: (),
}

impl Preparation {
    pub(crate) fn new(
        context: LogContext,
        preparing: Arc<PreparationState>,
        number: u64,
        capacity: u64,
    ) -> Self {
        Self { context, preparing, number, capacity }
    }

    /// Promises that another thread calls [`Self::run`] at once. An append that needs the segment then
    /// waits for it instead of making the file itself. Dropping the preparation withdraws the promise.
    #[must_use]
    pub fn promised(self) -> Self {
        let mut state = self.preparing.lock();
        if state.last.checked_add(1) == Some(self.number) {
            state.promised = true;
        }
        drop(state);
        self
    }

    /// Makes the file; does nothing if another preparation or the log itself was faster. An error
    /// leaves the log unchanged: the append that needs the segment makes it.
    pub fn run(self) -> Result<Prepared, LogError> {
        let Some((attempt, source)) = self.claim() else { return Ok(Prepared { _private: () }) };
        let made = fill(&self.context, self.number, self.capacity, source);
        let ended = self.end(attempt, made);
        self.preparing.ended.notify_all();
        ended
    }

    fn end(&self, attempt: u64, made: Result<(), LogError>) -> Result<Prepared, LogError> {
        let mut state = self.preparing.lock();
        state.source = None;
        let claimed = state.stage == Stage::Running { attempt };
        if claimed {
            state.stage = Stage::Idle;
        }
        if claimed && made.is_ok() {
            publish(&self.context, self.number)?;
            state.stage = Stage::Ready { capacity: self.capacity };
        } else if matches!(state.stage, Stage::Idle) {
            self.context.remove(FileKind::Preparing, self.number)?;
        }
        made.map(|()| Prepared { _private: () })
    }

    fn claim(&self) -> Option<(u64, Option<u64>)> {
        let mut state = self.preparing.lock();
        if state.last.checked_add(1) != Some(self.number) {
            return None;
        }
        state.promised = false;
        if state.stage != Stage::Idle {
            return None;
        }
        state.attempts += 1;
        let attempt = state.attempts;
        state.stage = Stage::Running { attempt };
        let source = state.spares.iter().position(|number| {
            self.context.len(FileKind::Segment, *number).ok().flatten() == Some(self.capacity)
        });
        state.source = source.map(|at| state.spares.swap_remove(at));
        Some((attempt, state.source))
    }
}

impl Drop for Preparation {
    fn drop(&mut self) {
        let mut state = self.preparing.lock();
        if state.promised && state.last.checked_add(1) == Some(self.number) {
            state.promised = false;
            self.preparing.ended.notify_all();
        }
    }
}

/// Makes the file of segment `number` at once, for an append that finds none prepared.
pub(crate) fn make_now(context: &LogContext, number: u64, capacity: u64) -> Result<(), LogError> {
    let name = FileKind::Segment.name(number);
    // No manifest has named this number, so an existing file of this name is useless.
    context.remove(FileKind::Segment, number)?;
    let made = context
        .fs()
        .open(&context.path(FileKind::Segment, number), OpenMode::CreateNew)
        .map_err(|error| LogError::open(&name, error))
        .and_then(|file| {
            files::fill_with_zeros(file.as_ref(), &name, 0, capacity)?;
            file.sync_all().map_err(|error| LogError::io("sync", &name, error))
        });
    match made {
        Ok(()) => context.sync_folder(),
        Err(error) => {
            // The number was never live. If even this fails, the next attempt removes it.
            let _ = context.remove(FileKind::Segment, number);
            Err(error)
        }
    }
}

fn fill(
    context: &LogContext,
    number: u64,
    capacity: u64,
    source: Option<u64>,
) -> Result<(), LogError> {
    let name = FileKind::Preparing.name(number);
    let path = context.path(FileKind::Preparing, number);
    context.remove(FileKind::Preparing, number)?;
    let recycled = match source {
        Some(old) => match context.fs().rename(&context.path(FileKind::Segment, old), &path) {
            Ok(()) => true,
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            Err(error) => return Err(LogError::io("rename", &name, error)),
        },
        None => false,
    };
    let mode = if recycled { OpenMode::Existing } else { OpenMode::CreateNew };
    let file = context.fs().open(&path, mode).map_err(|error| LogError::write(&name, error))?;
    let from = if recycled {
        let len = file.len().map_err(|error| LogError::io("stat", &name, error))?;
        // Old frames are never taken for new ones: their MACs cover the old id. The old header is wiped
        // only so that it does not mislead a person who looks at the file.
        files::fill_with_zeros(file.as_ref(), &name, 0, HEADER_BYTES as u64)?;
        len
    } else {
        0
    };
    files::fill_with_zeros(file.as_ref(), &name, from, capacity)?;
    file.sync_all().map_err(|error| LogError::io("sync", &name, error))
}

fn publish(context: &LogContext, number: u64) -> Result<(), LogError> {
    let name = FileKind::Segment.name(number);
    context
        .fs()
        .rename(
            &context.path(FileKind::Preparing, number),
            &context.path(FileKind::Segment, number),
        )
        .map_err(|error| LogError::io("rename", &name, error))?;
    context.sync_folder()
}
