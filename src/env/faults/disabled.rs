//! No switch: every question is answered by a constant, and nothing takes space.

use super::Fault;
use std::marker::PhantomData;

/// The faults of one vault: none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults(());

#[allow(clippy::unused_self)] // as the enabled side
impl Faults {
    /// A sound build.
    #[must_use]
    pub const fn none() -> Self {
        Self(())
    }

    /// No vault has the fault.
    #[must_use]
    pub const fn active(self, _: Fault) -> bool {
        false
    }
}

impl From<Option<Fault>> for Faults {
    fn from(_: Option<Fault>) -> Self {
        Self(())
    }
}

/// No thread and no process has the fault.
#[must_use]
pub const fn active(_: Fault) -> bool {
    false
}

/// Gives this thread no fault.
pub const fn for_thread(_: Option<Fault>) {}

/// No thread has a fault.
#[must_use]
pub const fn of_thread() -> Option<Fault> {
    None
}

/// What a fault keeps for later: nothing.
#[derive(Debug)]
pub struct Stash<T>(PhantomData<fn() -> T>);

impl<T> Default for Stash<T> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

#[allow(clippy::unused_self)] // as the enabled side
impl<T> Stash<T> {
    /// Keeps nothing, so nothing was kept before.
    pub fn replace(&self, _: Option<T>) -> Option<T> {
        None
    }

    /// Nothing.
    pub fn get(&self) -> Option<T> {
        None
    }
}
