//! The same three doors, deterministic: a clock that moves when told, chance from a seed, and a
//! hostile disk in memory.
//!
//! The same calls in the same order give the same bytes, times and failures. See
//! `docs/ENV.md` for how a harness uses it. [`SimFs::volatile`] is also what vaults in memory
//! keep their files in; [`SimEntropy`] must never make a real key.

use super::{Clock, Entropy, Env, UnixMillis};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

mod content;
mod disk;
mod entries;
mod fault;
mod file;
mod fs;
mod plan;
mod prng;
mod state;
mod tools;

pub use disk::SECTOR_BYTES;
pub use fault::{CutPoint, Fault, Op, OpKind, PowerCut, Reach, is_power_cut};
pub use fs::SimFs;
pub use plan::{CrashPlan, Pending};
use prng::Prng;

/// Where a simulated wall clock starts: 2025-01-01T00:00:00Z.
pub const SIM_START: UnixMillis = UnixMillis(1_735_689_600_000);

/// A clock that stands still until it is told to move.
#[derive(Debug)]
pub struct SimClock {
    readings: Mutex<(UnixMillis, Duration)>,
}

impl SimClock {
    /// A clock that shows `wall`, its monotonic side at zero.
    #[must_use]
    pub fn new(wall: UnixMillis) -> Self {
        Self { readings: Mutex::new((wall, Duration::ZERO)) }
    }

    /// Lets time pass: both readings move together.
    pub fn advance(&self, span: Duration) {
        let mut readings = lock(&self.readings);
        // Whole milliseconds as counted from the start, so that small steps are not lost.
        let before = readings.1.as_millis();
        readings.1 = readings.1.saturating_add(span);
        let millis = readings.1.as_millis() - before;
        readings.0 = readings.0.plus(i64::try_from(millis).unwrap_or(i64::MAX));
    }

    /// Sets the wall clock; the monotonic one does not move.
    pub fn set_wall(&self, wall: UnixMillis) {
        lock(&self.readings).0 = wall;
    }

    /// Moves the wall clock by `millis`, either way; the monotonic one does not move.
    pub fn jump_wall(&self, millis: i64) {
        let mut readings = lock(&self.readings);
        readings.0 = readings.0.plus(millis);
    }

    /// Starts the monotonic clock at zero again, as a new process finds it.
    pub fn restart_monotonic(&self) {
        lock(&self.readings).1 = Duration::ZERO;
    }
}

impl Clock for SimClock {
    fn wall(&self) -> UnixMillis {
        lock(&self.readings).0
    }

    fn monotonic(&self) -> Duration {
        lock(&self.readings).1
    }
}

/// Bytes that look random and follow from a seed. **Never for real keys**: who knows the seed, or
/// enough of the stream, knows all of it.
#[derive(Debug)]
pub struct SimEntropy(Mutex<Prng>);

impl SimEntropy {
    /// The stream of `seed`.
    #[must_use]
    pub fn from_seed(seed: u64) -> Self {
        Self(Mutex::new(Prng::new(seed)))
    }
}

impl Entropy for SimEntropy {
    fn fill(&self, buffer: &mut [u8]) -> io::Result<()> {
        lock(&self.0).fill(buffer);
        Ok(())
    }
}

/// A simulated machine: what a harness holds while vaults come and go on it.
#[derive(Clone, Debug)]
pub struct Sim {
    /// Its time.
    pub clock: Arc<SimClock>,
    /// Its chance.
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

    /// The same with a disk without durability ([`SimFs::volatile`]): faster, and no power cut
    /// takes anything.
    #[must_use]
    pub fn volatile(seed: u64) -> Self {
        Self { fs: Arc::new(SimFs::volatile()), ..Self::new(seed) }
    }

    /// A second machine just like this one, independent from now on; nothing is open on its disk.
    #[must_use]
    pub fn fork(&self) -> Self {
        Self {
            clock: Arc::new(SimClock { readings: Mutex::new(*lock(&self.clock.readings)) }),
            entropy: Arc::new(SimEntropy(Mutex::new(lock(&self.entropy.0).clone()))),
            fs: Arc::new(self.fs.fork()),
        }
    }

    /// The doors, for a vault.
    #[must_use]
    pub fn env(&self) -> Env {
        Env { clock: self.clock.clone(), entropy: self.entropy.clone(), fs: self.fs.clone() }
    }

    /// The doors as the next process finds them: the same disk, wall clock and chance, the
    /// monotonic clock at zero. After a power cut call [`SimFs::crash`] first; without it this is
    /// the start after a mere `kill -9`, for which [`SimFs::kill`] lets locks and handles go.
    #[must_use]
    pub fn reboot(&self) -> Env {
        self.clock.restart_monotonic();
        self.env()
    }
}

/// A panicking test thread must not turn every later call into a second panic.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
