//! A simulated machine: a clock that a test sets, random bytes from a seed, and a hostile disk in memory.
//!
//! The same calls in the same order give the same bytes, times and failures. See `docs/ENV.md` for how a
//! harness uses it.

use super::Env;
use crate::testkit::machine::prng::Prng;
pub use crate::testkit::machine::{SIM_START, SimClock, SimEntropy};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

mod content;
mod disk;
mod entries;
mod fault;
mod file;
mod fs;
mod plan;
mod state;
mod tools;

pub use disk::SECTOR_BYTES;
pub use fault::{CutPoint, Fault, Op, OpKind, PowerCut, Reach, is_power_cut};
pub use fs::SimFs;
pub use plan::{CrashPlan, Pending};

/// A simulated machine. A harness keeps it while vaults on it are opened and closed.
#[derive(Clone, Debug)]
pub struct Sim {
    /// Its clock.
    pub clock: Arc<SimClock>,
    /// Its random bytes.
    pub entropy: Arc<SimEntropy>,
    /// Its disk.
    pub fs: Arc<SimFs>,
}

impl Sim {
    /// A machine with an empty disk, at [`SIM_START`].
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            clock: Arc::new(SimClock::new(SIM_START)),
            entropy: Arc::new(SimEntropy::from_seed(seed)),
            fs: Arc::new(SimFs::new()),
        }
    }

    /// The same with a disk without durability ([`SimFs::volatile`]). It is faster, and a power cut loses
    /// nothing.
    #[must_use]
    pub fn volatile(seed: u64) -> Self {
        Self { fs: Arc::new(SimFs::volatile()), ..Self::new(seed) }
    }

    /// An independent copy of this machine; nothing is open on its disk.
    #[must_use]
    pub fn fork(&self) -> Self {
        Self {
            clock: Arc::new(self.clock.fork()),
            entropy: Arc::new(self.entropy.fork()),
            fs: Arc::new(self.fs.fork()),
        }
    }

    /// The environment of a vault.
    #[must_use]
    pub fn env(&self) -> Env {
        Env { clock: self.clock.clone(), entropy: self.entropy.clone(), fs: self.fs.clone() }
    }

    /// The environment of the next process: the same disk, wall clock and random bytes, and the monotonic
    /// clock at zero. After a power cut call [`SimFs::crash`] first. To simulate a `kill -9` call
    /// [`SimFs::kill`], which releases locks and handles.
    #[must_use]
    pub fn reboot(&self) -> Env {
        self.clock.restart_monotonic();
        self.env()
    }
}

/// A poisoned lock is ignored, so that one panicking test thread does not make every later call panic.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

// In the crate itself.
#[cfg(test)]
mod tests;
