//! A vault on a simulated machine: time stands still, random bytes come from a seed, and files are in
//! memory.
//!
//! It runs the same code, cryptography, log and checks as a vault on disk. With the same clock and random
//! bytes it writes the same files (`tests/api/testkit.rs` compares them byte for byte). It has no threads:
//! the caller's thread does all work, and [`Vault::maintain`] does the background work.

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

/// A deterministic vault and its machine. Dereferences to its [`Vault`].
///
/// Its keys protect nothing: they follow from the seed.
pub struct Ephemeral {
    seed: u64,
    vault: Vault,
    machine: Machine,
    /// Opens the vault again.
    key: Arc<SecretBytes>,
    options: Arc<Options>,
}

impl std::fmt::Debug for Ephemeral {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ephemeral").field("seed", &self.seed).finish_non_exhaustive()
    }
}

/// A snapshot of an [`Ephemeral`], for [`Ephemeral::restore`]. It costs as much as a fork.
#[derive(Debug)]
pub struct Snapshot(Ephemeral);

impl Vault {
    /// A deterministic vault in memory: with the same seed, the same calls give the same answers and
    /// the same bytes on any machine. For tests and fuzzing.
    pub fn ephemeral(seed: u64) -> Result<Ephemeral> {
        Ephemeral::new(seed, &Ephemeral::options())
    }
}

impl Ephemeral {
    /// The vault's folder on the simulated disk.
    pub const DIR: &'static str = "/vault";

    /// The options of [`Vault::ephemeral`], to which rotation functions can be added. They equal those
    /// of a vault on disk except for smaller files, because short-lived vaults write little.
    #[must_use]
    pub fn options() -> Options {
        let mut options = Options::default();
        options.tuning.segment_bytes_first = 32 * 1024;
        options.tuning.segment_bytes_max = 1024 * 1024;
        options.tuning.reserve_bytes = 0; // no disk that could be full
        options
    }

    /// A deterministic vault with these options. Their environment, store and threads are replaced.
    pub fn new(seed: u64, options: &Options) -> Result<Self> {
        let machine = Machine::new(seed);
        let mut options = options.clone();
        options.tuning.env = Some(machine.env());
        options.tuning.store = StoreChoice::Memory;
        options.tuning.background = false;
        let mut key = None;
        let vault = VaultDir::make(Path::new(Self::DIR), &options)?.create(|id| {
            let text = key_file::generate(id, machine.entropy.as_ref());
            let text = text.map_err(|_| ErrorKind::no_entropy())?;
            Ok(Unlock::KeyFile(copy(key.insert(text))))
        })?;
        let key = Arc::new(key.ok_or(ErrorKind::OutcomeUnknown)?);
        Ok(Self { seed, vault, machine, key, options: Arc::new(options) })
    }

    /// The seed of the vault.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The vault. A clone stays usable as long as it is held, even after a [`Self::restore`].
    #[must_use]
    pub fn vault(&self) -> &Vault {
        &self.vault
    }

    /// The machine: its clock, its random bytes, its disk.
    #[must_use]
    pub fn machine(&self) -> &Machine {
        &self.machine
    }

    /// The key that opens the vault's folder on the machine's disk.
    #[must_use]
    pub fn unlock(&self) -> Unlock {
        Unlock::KeyFile(copy(&self.key))
    }

    /// Lets time pass. Work that becomes due waits for [`Vault::maintain`].
    pub fn advance(&self, span: Duration) {
        self.machine.clock.advance(span);
    }

    /// Sets the wall clock; the monotonic one does not move.
    pub fn set_wall(&self, wall: UnixMillis) {
        self.machine.clock.set_wall(wall);
    }

    /// An independent copy of this vault. The same calls on both give the same answers and the same
    /// bytes.
    pub fn fork(&self) -> Result<Self> {
        let mut machine = None;
        let vault = self.vault.fork(|| machine.insert(self.machine.fork()).env())?;
        let machine = machine.ok_or(ErrorKind::OutcomeUnknown)?;
        let (key, options) = (Arc::clone(&self.key), Arc::clone(&self.options));
        Ok(Self { seed: self.seed, vault, machine, key, options })
    }

    /// A snapshot of the current state.
    pub fn snapshot(&self) -> Result<Snapshot> {
        self.fork().map(Snapshot)
    }

    /// Restores a snapshot of this vault or of another one.
    pub fn restore(&mut self, to: &Snapshot) -> Result<()> {
        *self = to.fork()?;
        Ok(())
    }

    /// Closes the vault and opens it again from its disk, as after a restart of the program.
    pub fn reopen(&mut self) -> Result<()> {
        self.vault.close()?;
        let mut options = (*self.options).clone();
        options.tuning.env = Some(self.machine.reboot());
        self.vault = options.open(Path::new(Self::DIR), &self.unlock())?;
        Ok(())
    }
}

impl Snapshot {
    /// A vault that continues from this snapshot.
    pub fn fork(&self) -> Result<Ephemeral> {
        self.0.fork()
    }

    /// A second copy of the same snapshot.
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
