//! The simulated machine of a sequence: no threads, tiny segments, every operation inline.

use super::draw::FUNCTION;
use crate::env::sim::{Sim, SimClock, SimEntropy, SimFs};
use std::path::Path;
use std::sync::Arc;
use strongroom::__internals::crypto::{Unlock, key_file};
use strongroom::__internals::env::faults;
use strongroom::__internals::env::{Clock as _, Env, Fs, UnixMillis};
use strongroom::__internals::error::Result;
use strongroom::__internals::secret::SecretBytes;
use strongroom::__internals::store::MemtableBytes;
use strongroom::__internals::vault::{
    CheckReport, Options, RotationFunctions, StoreChoice, Tuning, Vault, VaultDir,
};

const DIR: &str = "/vault";
const SEGMENT_BYTES: u64 = 8 << 10;
/// The length of a value from the rotation function. No value of the pools is as long.
pub(super) const RANDOM_CHARS: usize = 13;

/// The content of a key file.
pub(super) type Key = Vec<u8>;

pub(super) struct Machine {
    pub(super) sim: Sim,
    /// How many bytes of rows may wait for the state.
    memtable: Option<MemtableBytes>,
}

impl Machine {
    /// With an empty disk.
    pub(super) fn new(seed: u64) -> Self {
        Self { sim: Sim::new(seed), memtable: memtable(seed) }
    }

    /// With a copy of this disk, at this time.
    pub(super) fn on(fs: &SimFs, wall: i64, seed: u64) -> Self {
        Self {
            sim: Sim {
                clock: Arc::new(SimClock::new(UnixMillis(wall))),
                entropy: Arc::new(SimEntropy::from_seed(seed)),
                fs: Arc::new(fs.fork()),
            },
            memtable: memtable(seed),
        }
    }

    pub(super) fn wall(&self) -> i64 {
        self.sim.clock.wall().0
    }

    fn options(&self, fs: Option<Arc<dyn Fs>>) -> Options {
        let env = self.sim.reboot();
        Options {
            rotation: RotationFunctions::default().with_random(FUNCTION, RANDOM_CHARS),
            tuning: Tuning {
                env: Some(Env { fs: fs.unwrap_or_else(|| env.fs.clone()), ..env }),
                store: StoreChoice::Memory,
                memtable: self.memtable,
                background: false,
                segment_bytes_first: SEGMENT_BYTES,
                segment_bytes_max: SEGMENT_BYTES,
                reserve_bytes: SEGMENT_BYTES,
                faults: faults::of_thread().into(),
                ..Tuning::default()
            },
            ..Options::default()
        }
    }

    pub(super) fn create(&self) -> Result<(Vault, Key)> {
        let mut made = Key::new();
        let vault = VaultDir::make(Path::new(DIR), &self.options(None))?.create(|id| {
            let key = key_file::generate(id, self.sim.entropy.as_ref()).unwrap();
            // EXPOSE: the key of a simulated machine.
            made = key.expose().to_vec();
            Ok(Unlock::KeyFile(key))
        })?;
        Ok((vault, made))
    }

    /// With a layer between the vault and its disk, if one is given.
    pub(super) fn open(&self, fs: Option<Arc<dyn Fs>>, key: &[u8]) -> Result<Vault> {
        self.options(fs).open(Path::new(DIR), &unlock(key))
    }

    pub(super) fn check(&self, key: &[u8]) -> Result<CheckReport> {
        VaultDir::lock(Path::new(DIR), &self.options(None))?.check(&unlock(key), true)
    }

    /// A key file for this vault.
    pub(super) fn another_key(&self, vault: &Vault) -> Key {
        let key = key_file::generate(vault.id(), self.sim.entropy.as_ref()).unwrap();
        // EXPOSE: the key of a simulated machine.
        key.expose().to_vec()
    }
}

/// Every other machine has a memtable, of 4 to 16 KiB, whose flushes take several transactions, so that they
/// fall between the steps.
fn memtable(seed: u64) -> Option<MemtableBytes> {
    let mixed = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    let transaction_rows = 1 + usize::try_from((mixed >> 14) % 30).unwrap_or_default();
    let bytes = MemtableBytes::of(4096 + (mixed >> 1) % (12 * 1024));
    (mixed & 1 == 1).then(|| MemtableBytes { transaction_rows, ..bytes })
}

pub(super) fn unlock(key: &[u8]) -> Unlock {
    Unlock::KeyFile(SecretBytes::copy_from(key))
}
