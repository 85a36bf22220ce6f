//! The machine of an [`Ephemeral`](super::Ephemeral): a clock that a test sets, random bytes from a seed,
//! files in memory.

use crate::env::memory::MemoryFs;
use crate::env::{Clock, Entropy, Env, UnixMillis};
use prng::Prng;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

#[doc(hidden)] // for the hostile disk of the harnesses
#[path = "prng.rs"]
pub mod prng;

/// Where a simulated wall clock starts: 2025-01-01T00:00:00Z.
pub const SIM_START: UnixMillis = UnixMillis(1_735_689_600_000);

/// A clock that stands still until it is moved.
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
        // Milliseconds are computed from the total, so that small steps add up.
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

    /// An independent clock with the same time.
    #[must_use]
    pub fn fork(&self) -> Self {
        Self { readings: Mutex::new(*lock(&self.readings)) }
    }

    /// Sets the monotonic clock to zero, as in a new process.
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

/// Deterministic bytes that look random. **Never use it for real keys**: the seed, or enough of the
/// stream, reveals all of it.
#[derive(Debug)]
pub struct SimEntropy(Mutex<Prng>);

impl SimEntropy {
    /// The stream of `seed`.
    #[must_use]
    pub fn from_seed(seed: u64) -> Self {
        Self(Mutex::new(Prng::new(seed)))
    }

    /// An independent stream that continues in the same way.
    #[must_use]
    pub fn fork(&self) -> Self {
        Self(Mutex::new(lock(&self.0).clone()))
    }
}

impl Entropy for SimEntropy {
    fn fill(&self, buffer: &mut [u8]) -> io::Result<()> {
        lock(&self.0).fill(buffer);
        Ok(())
    }
}

/// The machine of an [`Ephemeral`](super::Ephemeral). A clone is a handle to the same machine;
/// [`Machine::fork`] makes an independent one.
#[derive(Clone, Debug)]
pub struct Machine {
    /// Its clock.
    pub clock: Arc<SimClock>,
    /// Its random bytes.
    pub entropy: Arc<SimEntropy>,
    /// Its files.
    pub fs: Arc<MemoryFs>,
}

impl Machine {
    /// A machine without files, at [`SIM_START`].
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            clock: Arc::new(SimClock::new(SIM_START)),
            entropy: Arc::new(SimEntropy::from_seed(seed)),
            fs: Arc::new(MemoryFs::new()),
        }
    }

    /// An independent copy of this machine, on which nothing is open.
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

    /// The environment of the next process: the same files, wall clock and random bytes, and the monotonic
    /// clock at zero.
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
