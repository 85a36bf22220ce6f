//! The switches of test builds. Tests run in parallel threads: a switch belongs to one vault, to one
//! thread, or (the null cipher alone) to the process.

use super::Fault;
use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Found in a binary that was built with these switches.
#[used]
pub static MARKER: [u8; 28] = *b"strongroom-fault-switches-v1";

impl Fault {
    /// All of them.
    pub const ALL: [Self; 32] = [
        Self::AckBeforeSync,
        Self::NoopAtPlanTime,
        Self::HoldFramesBack,
        Self::RetryFailedSync,
        Self::SkipFrameMac,
        Self::SkipRewriteOfLastFrame,
        Self::FreeBeforeReadBack,
        Self::FreeBeforeFlush,
        Self::MigrationFreesFirst,
        Self::PublishBeforeSync,
        Self::RepairFromLagging,
        Self::BelieveState,
        Self::AgeByWall,
        Self::DropEpochEarly,
        Self::WrapWhenSealed,
        Self::SecondCopyForWrongKey,
        Self::EventsRemovedFirst,
        Self::LockFollowsPath,
        Self::LabelOnTwoVersions,
        Self::PreviousNotMoved,
        Self::PrunedTooEarly,
        Self::TokenReuseAccepted,
        Self::PurgedAtOnce,
        Self::RestoreForgetsPolicy,
        Self::ReplicaShowsNothing,
        Self::PromotionLosesCurrent,
        Self::PageOmitsSecret,
        Self::BatchLosesRow,
        Self::FlushDropsTombstone,
        Self::FlushNamesItsEnd,
        Self::KeepsStaleRow,
        Self::NullCipher,
    ];
}

/// The faults of one vault.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults(u64);

impl Faults {
    /// A sound build.
    #[must_use]
    pub const fn none() -> Self {
        Self(0)
    }

    /// These faults and this one.
    #[must_use]
    pub const fn with(self, fault: Fault) -> Self {
        Self(self.0 | 1 << fault as u32)
    }

    /// Whether this vault has the fault.
    #[must_use]
    pub const fn active(self, fault: Fault) -> bool {
        self.0 & 1 << fault as u32 != 0
    }
}

impl From<Option<Fault>> for Faults {
    fn from(fault: Option<Fault>) -> Self {
        fault.map_or(Self::none(), |fault| Self::none().with(fault))
    }
}

impl From<Fault> for Faults {
    fn from(fault: Fault) -> Self {
        Some(fault).into()
    }
}

thread_local! {
    static OF_THREAD: Cell<Option<Fault>> = const { Cell::new(None) };
}

static OF_PROCESS: AtomicU64 = AtomicU64::new(0);

/// Whether this thread or the process has the fault.
#[must_use]
pub fn active(fault: Fault) -> bool {
    of_thread() == Some(fault) || Faults(OF_PROCESS.load(Ordering::SeqCst)).active(fault)
}

/// Gives this thread a fault, or none.
pub fn for_thread(fault: Option<Fault>) {
    OF_THREAD.set(fault);
}

/// The fault of this thread.
#[must_use]
pub fn of_thread() -> Option<Fault> {
    OF_THREAD.get()
}

/// Gives the whole process a fault, for good: boxes that are sealed without it do not open with it.
pub fn for_process(fault: Fault) {
    OF_PROCESS.fetch_or(Faults::from(fault).0, Ordering::SeqCst);
}

/// What a fault keeps for later. Always empty in a sound build.
#[derive(Debug)]
pub struct Stash<T>(Mutex<Option<T>>);

impl<T> Default for Stash<T> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<T: Clone> Stash<T> {
    /// Keeps `value` and gives back what was kept before.
    pub fn replace(&self, value: Option<T>) -> Option<T> {
        std::mem::replace(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner), value)
    }

    /// A copy of what is kept.
    pub fn get(&self) -> Option<T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
