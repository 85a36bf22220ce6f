//! The only place that knows how the crate's inner parts are spelled: a simulated machine with a
//! vault on it, and vaults on real folders with unusual options.

use std::path::{Path, PathBuf};
use std::time::Duration;
use strongroom::error::{ErrorKind, Result};
use strongroom::vault::{CheckReport, Vault};

/// A promise broken on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sabotage {
    AckBeforeSync,
    NullCipher,
}

#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// Threads of its own, or everything on the caller's.
    pub background: bool,
    /// First and largest segment, in bytes.
    pub segment_bytes: (u64, u64),
    pub sabotage: Option<Sabotage>,
}

impl Default for Setup {
    fn default() -> Self {
        Self { background: false, segment_bytes: (8 << 10, 8 << 10), sabotage: None }
    }
}

/// What a power cut does to bytes that were written and not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// All of it is gone.
    Dropped,
    /// All of it is there.
    Kept,
    /// Some writes are there, some are not, some are there in part.
    Torn,
}

/// A simulated machine: clock, chance and disk from one seed.
pub struct World {
    _seed: u64,
}

impl World {
    pub const START: i64 = 1_750_000_000_000;

    pub fn new(seed: u64) -> Self {
        Self { _seed: seed }
    }
    pub fn create(&self, _setup: &Setup) -> Result<Vault> {
        Err(ErrorKind::Closed.into())
    }
    pub fn open(&self, _setup: &Setup) -> Result<Vault> {
        Err(ErrorKind::Closed.into())
    }
    pub fn check(&self) -> Result<CheckReport> {
        Err(ErrorKind::Closed.into())
    }
    /// Runs whatever waits in the pipeline of a vault without threads.
    pub fn step(&self, _vault: &Vault) {}
    pub fn wall(&self) -> i64 {
        Self::START
    }
    /// Time passes.
    pub fn advance(&self, _time: Duration) {}
    /// The wall clock is set; no time passes.
    pub fn set_wall(&self, _millis: i64) {}
    /// Mutating calls of the file system so far.
    pub fn calls(&self) -> u64 {
        0
    }
    /// Every call from the `n`-th mutating one on fails: the power is gone.
    pub fn crash_at(&self, _n: u64) {}
    /// Power comes back: what was not synced is treated as `loss` says.
    pub fn restart(&self, _seed: u64, _loss: Loss) {}
    /// Syncs of file content so far, in the log folder.
    pub fn log_syncs(&self) -> u64 {
        0
    }
    /// How long each sync takes, in real time.
    pub fn set_sync_delay(&self, _delay: Duration) {}
    /// The next sync of file content fails, and all after it.
    pub fn fail_syncs(&self) {}
    pub fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        Vec::new()
    }
}

/// The content of a fresh key file.
pub fn new_key_file() -> Vec<u8> {
    Vec::new()
}

/// Makes a vault in a real folder.
pub fn create_in(_dir: &Path, _key_file: &[u8], _setup: &Setup) -> Result<Vault> {
    Err(ErrorKind::Closed.into())
}

/// Opens the vault in a real folder.
pub fn open_in(_dir: &Path, _key_file: &[u8], _setup: &Setup) -> Result<Vault> {
    Err(ErrorKind::Closed.into())
}

/// Looks at a vault in a real folder and changes nothing.
pub fn check_in(_dir: &Path, _key_file: &[u8]) -> Result<CheckReport> {
    Err(ErrorKind::Closed.into())
}

/// One sealed row: tree number, key, value.
pub type SealedRow = (u8, Vec<u8>, Vec<u8>);

/// All sealed rows that the state holds.
pub fn sealed_rows(_vault: &Vault) -> Vec<SealedRow> {
    Vec::new()
}

/// Whether the vault's keys open `value` as the row at `key` of tree `tree`.
pub fn opens_as(_vault: &Vault, _tree: u8, _key: &[u8], _value: &[u8]) -> bool {
    false
}

/// Overwrites a row of the state behind the vault's back.
pub fn overwrite_row(_vault: &Vault, _row: &SealedRow) {}
