//! How a vault is opened, and what tests may turn.

use super::error::keystore_error;
use super::label_event::{EVENTS_MAX, OnLabelUpdated};
use super::rotation_functions::RotationFunctions;
use crate::crypto::{KdfParams, Keyring, Keystore, Unlock};
use crate::env::faults::Faults;
use crate::env::{Env, memory_bytes};
use crate::error::{ErrorKind, Result};
use crate::log::LogOptions;
use crate::store::{MemtableBytes, OrderedStore};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// What opening is busy with, for a progress display.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress {
    /// The state is being rebuilt from the log: this many of that many rows.
    Rebuilding {
        /// Rows done.
        done: u64,
        /// Rows of the snapshot; the frames after it come on top.
        total: u64,
    },
    /// A check or repair is reading the vault: this many of that many rows.
    Checking {
        /// Rows done.
        done: u64,
        /// Rows in all.
        total: u64,
    },
}

/// Called with each step of [`Progress`], on the opening thread.
pub type OnProgress = Arc<dyn Fn(Progress) + Send + Sync>;

/// How a vault is opened. The defaults are right for most.
#[derive(Clone, Default)]
pub struct Options {
    /// How long to wait for another process to let go of the vault. Zero: fail at once.
    pub wait: Duration,
    /// Called while a long step goes on.
    pub progress: Option<OnProgress>,
    /// What rotates secrets; without any, `RotateSecret` is refused as on AWS where the function
    /// cannot be called.
    pub rotation: RotationFunctions,
    /// Receives an event for each staging label that moves to a new version.
    pub on_label_updated: Option<OnLabelUpdated>,
    /// The file outside the vault that knows how far the vault has come, so that a rollback is noticed.
    pub anchor: Option<PathBuf>,
    /// Opens a vault that went back in time, and writes a new anchor.
    pub accept_rollback: bool,
    /// Opens a vault and a key file that others can reach, for volumes whose modes cannot be changed.
    pub allow_lax_modes: bool,
    /// For tests and harnesses.
    #[doc(hidden)]
    pub tuning: Tuning,
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("wait", &self.wait)
            .field("progress", &self.progress.is_some())
            .field("rotation", &self.rotation)
            .field("on_label_updated", &self.on_label_updated.is_some())
            .field("anchor", &self.anchor)
            .field("accept_rollback", &self.accept_rollback)
            .field("allow_lax_modes", &self.allow_lax_modes)
            .finish_non_exhaustive()
    }
}

/// Which store serves the reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[doc(hidden)]
pub enum StoreChoice {
    /// sled where the files are real, else the ordered map.
    #[default]
    Auto,
    /// The ordered map: rebuilt from the log at every open.
    Memory,
    /// The ordered map if the log is small, else as `Auto`. For a process that reads once: to open sled takes
    /// longer than to read a small log. The state on the disk stays behind, and the next open that uses it
    /// brings it up.
    OneRead,
}

impl StoreChoice {
    /// The same for a vault whose state has to be on the disk.
    pub(super) fn on_disk(self) -> Self {
        if self == Self::OneRead { Self::Auto } else { self }
    }
}

/// What tests and harnesses may turn. No stability promise.
#[derive(Clone, Debug)]
#[doc(hidden)]
pub struct Tuning {
    /// Clock, entropy and files; the real ones if absent.
    pub env: Option<Env>,
    /// Which store serves the reads.
    pub store: StoreChoice,
    /// What a state folder would hold, where files are simulated: each open finds these rows, and
    /// an open may repair the log from them as from sled.
    pub kept_state: Option<Arc<OrderedStore>>,
    /// How many bytes of rows may wait for the state. 56 MiB for one on disk and none in memory, if absent.
    pub memtable: Option<MemtableBytes>,
    /// `false`: no thread at all; each call drives the pipeline itself, `maintain` does the rest.
    pub background: bool,
    /// Size of the first log segment in bytes.
    pub segment_bytes_first: u64,
    /// Size that log segments double up to, in bytes.
    pub segment_bytes_max: u64,
    /// Bytes of the `reserve` file.
    pub reserve_bytes: u64,
    /// Cost of a passphrase slot made by this handle; chosen by the machine's memory if absent.
    pub kdf: Option<KdfParams>,
    /// Bytes of memory that this process may have; what the system says if absent.
    pub memory_bytes: Option<u64>,
    /// Most events that wait to be delivered.
    pub events_max: u64,
    /// Promises to break on purpose.
    pub faults: Faults,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            env: None,
            store: StoreChoice::Auto,
            kept_state: None,
            memtable: None,
            background: true,
            segment_bytes_first: 256 * 1024,
            segment_bytes_max: 16 * 1024 * 1024,
            reserve_bytes: 512 * 1024,
            kdf: None,
            memory_bytes: None,
            events_max: EVENTS_MAX,
            faults: Faults::default(),
        }
    }
}

impl Tuning {
    /// How the log is set up.
    pub(super) fn log_options(&self) -> LogOptions {
        LogOptions {
            segment_bytes_first: self.segment_bytes_first,
            segment_bytes_max: self.segment_bytes_max,
            faults: self.faults,
        }
    }
}

/// What this process needs besides the memory of Argon2id.
const OWN_MEMORY_BYTES: u64 = 24 << 20;

/// What a slot for `unlock` made now costs to try.
pub(super) fn kdf_params(tuning: &Tuning, unlock: &Unlock) -> Result<KdfParams> {
    let params = tuning.kdf.unwrap_or_else(|| KdfParams::standard(limit(tuning)));
    if matches!(unlock, Unlock::Passphrase(_)) {
        refuse_little_memory(tuning, params.memory_bytes())?;
    }
    Ok(params)
}

/// Opens a keystore, unless that needs more memory than this process may have. Every key is tried here.
pub(super) fn unlock_keystore(
    tuning: &Tuning,
    keystore: &Keystore,
    unlock: &Unlock,
) -> Result<Keyring> {
    refuse_little_memory(tuning, keystore.memory_to_try(unlock))?;
    keystore.unlock(unlock).map_err(keystore_error)
}

/// Refuses a key whose derivation needs more memory than this process may have. The system would end the
/// process in the middle of it (OWN-8).
fn refuse_little_memory(tuning: &Tuning, needed: u64) -> Result<()> {
    let limit = limit(tuning);
    if needed > 0 && needed.saturating_add(OWN_MEMORY_BYTES) > limit {
        return Err(ErrorKind::TooLittleMemory { needed, limit }.into());
    }
    Ok(())
}

fn limit(tuning: &Tuning) -> u64 {
    tuning.memory_bytes.unwrap_or_else(memory_bytes)
}
