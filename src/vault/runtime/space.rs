//! Space on the disk: how much the vault needs to grow, and the reserve, real blocks held back so that a full
//! disk can still be deleted from (I4).

use crate::env::threads::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use crate::env::{File, Fs, OpenMode};
use crate::log::Log;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const RESERVE: &str = "reserve";
/// How many bytes of sled's file a flushed byte may take.
const STATE_GROWTH: u64 = 4;

/// Free bytes beyond the needed ones with which a log may grow: four times what it grows by.
const AMPLE_BYTES: u64 = 128 << 20;

/// The space of one vault.
pub(crate) struct Space {
    fs: Arc<dyn Fs>,
    dir: PathBuf,
    /// Bytes that a whole reserve has.
    reserve_bytes: u64,
    /// Free bytes below which the vault does not grow, as of the last batch.
    needed: AtomicU64,
    /// Bytes in the reserve when it was last looked at. Nobody else writes it, and a batch need not ask the
    /// disk: the call that this saves pays for the look at the segment after each sync (I11).
    reserved: AtomicU64,
    /// Whether the disk had far more than was needed when it was last asked.
    ample: AtomicBool,
}

/// The reserve was not looked at yet.
const UNKNOWN: u64 = u64::MAX;

impl Space {
    pub(crate) fn new(fs: &Arc<dyn Fs>, dir: &Path, reserve_bytes: u64) -> Self {
        Self {
            fs: Arc::clone(fs),
            dir: dir.to_path_buf(),
            reserve_bytes,
            needed: AtomicU64::new(0),
            reserved: AtomicU64::new(UNKNOWN),
            ample: AtomicBool::new(false),
        }
    }

    /// The same for a fork of the vault, with its files on `fs`.
    #[cfg(feature = "testkit")]
    pub(super) fn fork(&self, fs: &Arc<dyn Fs>) -> Self {
        let needed = AtomicU64::new(self.needed.load(Ordering::Acquire));
        Self { needed, ..Self::new(fs, &self.dir, self.reserve_bytes) }
    }

    /// Whether the disk could not hold the next snapshot, two more segments, and what the flush of `waiting`
    /// bytes makes of the state's file (I4).
    pub(crate) fn is_short(&self, log: &Log, waiting: u64) -> bool {
        self.note_needed(log);
        self.is_lacking(waiting)
    }

    /// Notes how much the vault needs to grow, for those who ask without the log: the next snapshot, and what
    /// comes meanwhile.
    pub(crate) fn note_needed(&self, log: &Log) {
        let needed =
            log.next_snapshot_bytes().saturating_add(log.segment_bytes().saturating_mul(2));
        self.needed.store(needed, Ordering::Relaxed);
    }

    /// Whether the disk has less free space than was last noted as needed and the flush of `waiting` bytes
    /// takes.
    pub(crate) fn is_lacking(&self, waiting: u64) -> bool {
        let reserve = match self.reserved.load(Ordering::Relaxed) {
            UNKNOWN => self.look_at_reserve(),
            bytes => bytes,
        };
        let flush = waiting.saturating_mul(STATE_GROWTH);
        let needed = self.needed.load(Ordering::Relaxed).saturating_add(flush);
        match self.fs.free_bytes(&self.dir) {
            Ok(free) => {
                let is_ample = free >= needed.saturating_add(AMPLE_BYTES);
                self.ample.store(is_ample, Ordering::Relaxed);
                free.saturating_add(reserve) < needed
            }
            Err(_) => false,
        }
    }

    /// Whether the log may grow before it is compacted: by the last look at the disk there was far more
    /// space than needed. Never on a simulated disk, whose harnesses want many compactions.
    pub(crate) fn is_ample(&self) -> bool {
        self.fs.is_real() && self.ample.load(Ordering::Relaxed)
    }

    /// Gives the reserve's blocks back to a full disk. `false`: there was no reserve.
    pub(crate) fn release_reserve(&self) -> bool {
        let is_released =
            self.look_at_reserve() > 0 && self.fs.remove_file(&self.reserve()).is_ok();
        self.look_at_reserve();
        is_released
    }

    /// Fills the reserve with real zeros, if it is not whole. Without space it stays as it is.
    pub(crate) fn refill_reserve(&self) -> io::Result<()> {
        if self.look_at_reserve() >= self.reserve_bytes {
            return Ok(());
        }
        let refilled = self.write_reserve();
        self.look_at_reserve();
        refilled
    }

    fn write_reserve(&self) -> io::Result<()> {
        let path = self.reserve();
        let file = self.fs.open(&path, OpenMode::Create)?;
        match fill(file.as_ref(), self.reserve_bytes) {
            Ok(()) => self.fs.sync_dir(&self.dir),
            Err(error) => {
                // Part of a reserve would only take from the space that is left.
                self.fs.remove_file(&path)?;
                Err(error)
            }
        }
    }

    fn reserve(&self) -> PathBuf {
        self.dir.join(RESERVE)
    }

    /// Bytes in the reserve. Called at intervals as well, for the case that somebody has removed it.
    pub(crate) fn look_at_reserve(&self) -> u64 {
        let found = self.fs.metadata(&self.reserve()).ok().flatten();
        let bytes = found.map_or(0, |metadata| metadata.len);
        self.reserved.store(bytes, Ordering::Relaxed);
        bytes
    }
}

fn fill(file: &dyn File, wanted: u64) -> io::Result<()> {
    static BLOCK: [u8; 64 * 1024] = [0; 64 * 1024];
    let mut at = file.len()?;
    while at < wanted {
        let len = usize::try_from(wanted - at).unwrap_or(BLOCK.len()).min(BLOCK.len());
        file.write_all_at(BLOCK.get(..len).unwrap_or(&BLOCK), at)?;
        at += len as u64;
    }
    file.sync_all()
}
