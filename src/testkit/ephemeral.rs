//! A vault on a simulated machine: time stands still, chance follows from a seed, files are memory.
//!
//! It is the vault that also lies on disks: the same code, cryptography, log and checks. What it
//! writes is what a vault on a disk writes with the same clock and chance (`tests/api/testkit.rs`
//! compares them byte for byte). It has no threads: whoever calls does the work, and
//! [`Vault::maintain`] what the background would do.

use super::machine::Machine;
use crate::crypto::{Unlock, key_file};
use crate::env::UnixMillis;
use crate::error::{ErrorKind, Result};
use crate::secret::SecretBytes;
use crate::vault::{Options, StoreChoice, Vault, VaultDir};
use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// A vault that follows from a seed, and the machine that it runs on. Dereferences to its [`Vault`].
///
/// Nothing real is behind its keys: who knows the seed knows them.
pub struct Ephemeral {
    seed: u64,
    vault: Vault,
    machine: Machine,
    /// What opens it again.
    key: Arc<SecretBytes>,
    options: Arc<Options>,
}

impl std::fmt::Debug for Ephemeral {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ephemeral").field("seed", &self.seed).finish_non_exhaustive()
    }
}

/// A moment of an [`Ephemeral`], kept to come back to. Costs what a fork costs.
#[derive(Debug)]
pub struct Snapshot(Ephemeral);

impl Vault {
    /// A vault in memory that follows from `seed`: the same calls give the same answers and the
    /// same bytes, on any machine. For tests and fuzzing.
    pub fn ephemeral(seed: u64) -> Result<Ephemeral> {
        Ephemeral::new(seed, &Ephemeral::options())
    }
}

impl Ephemeral {
    /// Where its folder is on its simulated disk.
    pub const DIR: &'static str = "/vault";

    /// The options of [`Vault::ephemeral`], to add rotation functions to. They are those of a vault
    /// on disk, but for smaller files: short lives write little.
    #[must_use]
    pub fn options() -> Options {
        let mut options = Options::default();
        options.tuning.segment_bytes_first = 32 * 1024;
        options.tuning.segment_bytes_max = 1024 * 1024;
        options.tuning.reserve_bytes = 0; // no disk that could be full
        options
    }

    /// A vault that follows from `seed`. Of `options` the environment, the store and the threads
    /// are replaced.
    pub fn new(seed: u64, options: &Options) -> Result<Self> {
        let machine = Machine::new(seed);
        let mut options = options.clone();
        options.tuning.env = Some(machine.env());
        options.tuning.store = StoreChoice::Memory;
        options.tuning.background = false;
        let mut key = None;
        let vault = VaultDir::make(Path::new(Self::DIR), &options)?.create(|id| {
            let text = key_file::generate(id, machine.entropy.as_ref());
            let text = text.map_err(|_| ErrorKind::Io { op: "random bytes" })?;
            Ok(Unlock::KeyFile(copy(key.insert(text))))
        })?;
        let key = Arc::new(key.ok_or(ErrorKind::OutcomeUnknown)?);
        Ok(Self { seed, vault, machine, key, options: Arc::new(options) })
    }

    /// The seed that it began with.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The vault. Clones of it live as long as they are held, also past a [`Self::restore`].
    #[must_use]
    pub fn vault(&self) -> &Vault {
        &self.vault
    }

    /// The machine: its clock, its chance, its disk.
    #[must_use]
    pub fn machine(&self) -> &Machine {
        &self.machine
    }

    /// What opens the vault, for whoever opens its folder on the machine's disk.
    #[must_use]
    pub fn unlock(&self) -> Unlock {
        Unlock::KeyFile(copy(&self.key))
    }

    /// Lets time pass. What is due then waits for [`Vault::maintain`].
    pub fn advance(&self, span: Duration) {
        self.machine.clock.advance(span);
    }

    /// Sets the wall clock; the monotonic one does not move.
    pub fn set_wall(&self, wall: UnixMillis) {
        self.machine.clock.set_wall(wall);
    }

    /// A second vault just like this one, independent from now on: the same calls on both give the
    /// same answers and the same bytes.
    pub fn fork(&self) -> Result<Self> {
        let mut machine = None;
        let vault = self.vault.fork(|| machine.insert(self.machine.fork()).env())?;
        let machine = machine.ok_or(ErrorKind::OutcomeUnknown)?;
        let (key, options) = (Arc::clone(&self.key), Arc::clone(&self.options));
        Ok(Self { seed: self.seed, vault, machine, key, options })
    }

    /// This moment, to come back to.
    pub fn snapshot(&self) -> Result<Snapshot> {
        self.fork().map(Snapshot)
    }

    /// Goes back to a moment, of this vault or of another one.
    pub fn restore(&mut self, to: &Snapshot) -> Result<()> {
        *self = to.fork()?;
        Ok(())
    }

    /// Closes the vault and opens it again from its disk, as a program does that starts anew.
    pub fn reopen(&mut self) -> Result<()> {
        self.vault.close()?;
        let mut options = (*self.options).clone();
        options.tuning.env = Some(self.machine.reboot());
        self.vault = options.open(Path::new(Self::DIR), &self.unlock())?;
        Ok(())
    }
}

impl Snapshot {
    /// A vault that goes on from here.
    pub fn fork(&self) -> Result<Ephemeral> {
        self.0.fork()
    }

    /// The same moment once more.
    pub fn copy(&self) -> Result<Self> {
        self.fork().map(Self)
    }
}

impl Deref for Ephemeral {
    type Target = Vault;

    fn deref(&self) -> &Vault {
        &self.vault
    }
}

fn copy(key: &SecretBytes) -> SecretBytes {
    // EXPOSE: a copy inside the fence.
    SecretBytes::copy_from(key.expose())
}
