//! A simulated machine with a vault on it: no threads, tiny segments, every operation inline.

use crate::common::rng::Rng;
use std::path::Path;
use std::sync::Arc;
use strongroom::__internals::crypto::{KdfParams, Unlock, key_file};
use strongroom::__internals::env::faults::Faults;
use strongroom::__internals::env::{Clock, Env, Fs, UnixMillis};
use strongroom::__internals::error::Result;
use strongroom::__internals::secret::SecretBytes;
use strongroom::__internals::store::{MemtableBytes, OrderedStore, Store};
use strongroom::__internals::vault::{
    CheckReport, Options, RotationFunctions, StoreChoice, Tuning, Vault, VaultDir,
};
use strongroom_fuzz_bodies::env::sim::{Sim, SimFs};

pub const DIR: &str = "/vault";
/// The rotation function of every vault here: the one that is built in.
pub const FUNCTION: &str = "arn:aws:lambda:us-east-1:000000000000:function:random";
const SEGMENT_BYTES: u64 = 8 << 10;

pub struct Machine {
    pub sim: Sim,
    pub faults: Faults,
    /// How many bytes of rows may wait for the state: so few that flushes fall between the acts of a script.
    pub memtable: Option<MemtableBytes>,
    /// What the next open finds for a state.
    pub kept: Option<Arc<OrderedStore>>,
}

/// The content of a key file.
pub type Key = Vec<u8>;

pub fn unlock(key: &[u8]) -> Unlock {
    Unlock::KeyFile(SecretBytes::copy_from(key))
}

impl Machine {
    pub fn new(seed: u64, faults: Faults) -> Self {
        Self { sim: Sim::new(seed), faults, memtable: small_memtable(seed), kept: None }
    }

    /// Another machine with this disk, at this time.
    pub fn with_disk(fs: SimFs, wall: i64, seed: u64) -> Self {
        let mut machine = Self::new(seed, Faults::none());
        machine.sim.fs = Arc::new(fs);
        machine.sim.clock.set_wall(UnixMillis(wall));
        machine
    }

    /// The next open finds `kept`, which is all there is of it: durable.
    pub fn keep(&mut self, kept: Option<Arc<OrderedStore>>) {
        self.kept = kept.map(|kept| {
            let kept = kept.fork();
            kept.checkpoint().unwrap();
            Arc::new(kept)
        });
    }

    pub fn wall(&self) -> i64 {
        self.sim.clock.wall().0
    }

    pub fn options(&self, fs: Option<Arc<dyn Fs>>) -> Options {
        let env = self.sim.reboot();
        let env = Env { fs: fs.unwrap_or_else(|| env.fs.clone()), ..env };
        let mut options = options_of(env, self.faults);
        options.tuning.memtable = self.memtable;
        options.tuning.kept_state = self.kept.as_ref().map(|kept| Arc::new(kept.fork()));
        options
    }

    /// Makes a vault; `on_key` gets its key as soon as there is one.
    pub fn create(&self, fs: Option<Arc<dyn Fs>>, on_key: impl FnOnce(&Key)) -> Result<Vault> {
        VaultDir::make(Path::new(DIR), &self.options(fs))?.create(|id| {
            let key = key_file::generate(id, self.sim.entropy.as_ref()).unwrap();
            on_key(&key.expose().to_vec());
            Ok(Unlock::KeyFile(key))
        })
    }

    pub fn open(&self, fs: Option<Arc<dyn Fs>>, key: &[u8]) -> Result<Vault> {
        self.options(fs).open(Path::new(DIR), &unlock(key))
    }

    pub fn check(&self, key: &[u8]) -> Result<CheckReport> {
        VaultDir::lock(Path::new(DIR), &self.options(None))?.check(&unlock(key), true)
    }
}

/// 8 to 32 KiB, and for one seed in eight none at all. A flush takes several transactions.
fn small_memtable(seed: u64) -> Option<MemtableBytes> {
    let mut rng = Rng::new(seed ^ 0x6d65_6d74);
    let max = 8 * 1024 + rng.below(24 * 1024) as u64;
    let transaction_rows = 1 + rng.below(30);
    (!rng.chance(12)).then(|| MemtableBytes { transaction_rows, ..MemtableBytes::of(max) })
}

pub fn options_of(env: Env, faults: Faults) -> Options {
    Options {
        rotation: RotationFunctions::default().with_random(FUNCTION, 12),
        tuning: Tuning {
            env: Some(env),
            store: StoreChoice::Memory,
            kept_state: None,
            memtable: None,
            background: false,
            segment_bytes_first: SEGMENT_BYTES,
            segment_bytes_max: SEGMENT_BYTES,
            reserve_bytes: SEGMENT_BYTES,
            kdf: Some(KdfParams::fast_for_tests()),
            memory_bytes: None,
            events_max: 10_000,
            faults,
        },
        ..Options::default()
    }
}
