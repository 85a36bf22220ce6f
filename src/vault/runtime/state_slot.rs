//! The state that serves reads now, and whether it is broken.

use crate::env::threads::sync::atomic::{AtomicBool, Ordering};
use crate::env::threads::sync::{Arc, PoisonError, RwLock};
#[cfg(feature = "testkit")]
use crate::vault::state::serving::Backing;
use crate::vault::state::serving::State;

/// Holds the state. It is taken out while it is rebuilt, and when the vault is closed.
pub(crate) struct StateSlot {
    state: RwLock<Option<Arc<State>>>,
    is_broken: AtomicBool,
}

impl StateSlot {
    pub(super) fn new(state: State) -> Self {
        Self { state: RwLock::new(Some(Arc::new(state))), is_broken: AtomicBool::new(false) }
    }

    /// The same state for a fork of the vault. `None`: it is not in memory.
    #[cfg(feature = "testkit")]
    pub(super) fn fork(&self) -> Option<Self> {
        let current = self.get();
        let state = match current.as_deref().map(State::backing) {
            Some(Backing::Memory(rows)) => Some(State::new(Backing::Memory(rows.fork().ok()?))),
            Some(Backing::Sled(_)) => return None,
            None => None,
        };
        let state = state.map(Arc::new);
        let is_broken = AtomicBool::new(self.is_broken());
        Some(Self { state: RwLock::new(state), is_broken })
    }

    /// The state. `None`: it is broken or taken out.
    pub(super) fn get(&self) -> Option<Arc<State>> {
        if self.is_broken() {
            return None;
        }
        self.state.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether `state` is the one in use.
    pub(crate) fn is_current(&self, state: &Arc<State>) -> bool {
        let current = self.state.read().unwrap_or_else(PoisonError::into_inner);
        current.as_ref().is_some_and(|current| Arc::ptr_eq(current, state)) && !self.is_broken()
    }

    /// Puts a whole state in place of a broken one, or takes it out. Returns the state before.
    pub(crate) fn replace(&self, state: Option<State>) -> Option<Arc<State>> {
        let is_whole = state.is_some();
        let mut slot = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let old = std::mem::replace(&mut *slot, state.map(Arc::new));
        if is_whole {
            self.is_broken.store(false, Ordering::Release);
        }
        old
    }

    /// Keeps the state from readers until it is rebuilt.
    pub(crate) fn mark_broken(&self) {
        self.is_broken.store(true, Ordering::Release);
    }

    /// Bytes of rows that the state's memtable has and the state below lacks.
    pub(crate) fn waiting_bytes(&self) -> u64 {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        state.as_ref().map_or(0, |state| state.waiting_bytes())
    }

    pub(crate) fn is_broken(&self) -> bool {
        self.is_broken.load(Ordering::Acquire)
    }
}
