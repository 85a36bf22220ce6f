//! The control functions of [`SimFs`] for harnesses: power, faults, and direct changes of the disk.

use super::content;
use super::fault::{CutPoint, Fault, Op, OpKind, Reach};
use super::fs::SimFs;
use super::plan::{CrashPlan, Pending};
use super::state::State;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

impl SimFs {
    // --- power ---

    /// A power cut and the following start. `plan` selects the unsynced changes that are kept. Faults,
    /// capacity, delay and counts stay; the pending cut of [`SimFs::set_crash_at`] is cleared.
    pub fn crash(&self, plan: CrashPlan) {
        let mut state = self.state();
        state.disk.crash(plan);
        state.off = false;
        state.cut = None;
        state.start += 1;
        state.locks.clear();
    }

    /// The end of the process alone: handles are stale and locks are free, but the page cache stays.
    pub fn kill(&self) {
        let mut state = self.state();
        state.disk.forget_handles();
        state.start += 1;
        state.locks.clear();
    }

    /// Cuts the power at the counted call number `number` (from 1, since this disk was made: the
    /// next one is `ops_done() + 1`). That call and all after it fail.
    pub fn set_crash_at(&self, number: u64, point: CutPoint) {
        self.state().cut = Some((number, point));
    }

    /// The unsynced changes, in their order: what [`CrashPlan::DropOne`] and its like name.
    #[must_use]
    pub fn pending(&self) -> Vec<Pending> {
        self.state().disk.pending()
    }

    /// A hash of all names and bytes that are durable: two disks with the same are the same to
    /// whoever starts after a power cut.
    #[must_use]
    pub fn durable_hash(&self) -> u64 {
        let state = self.state();
        // Files in any order: their hashes are added.
        let files = state.disk.durable_files().into_iter();
        files.fold(0, |sum, (path, bytes)| {
            let name = hash(0x5eed, path.as_os_str().as_encoded_bytes());
            sum.wrapping_add(hash(name, bytes))
        })
    }

    /// Whether the power is gone and [`SimFs::crash`] is due.
    #[must_use]
    pub fn is_off(&self) -> bool {
        self.state().off
    }

    /// How many counted calls there were.
    #[must_use]
    pub fn ops_done(&self) -> u64 {
        self.state().ops_done
    }

    /// How many reads of bytes there were, which are not among the counted calls.
    #[must_use]
    pub fn reads_done(&self) -> u64 {
        self.state().reads_done
    }

    /// The counted calls since the disk was made or [`SimFs::clear_ops`].
    #[must_use]
    pub fn ops(&self) -> Vec<Op> {
        self.state().ops.clone().unwrap_or_default()
    }

    /// Empties the log of calls; their count goes on.
    pub fn clear_ops(&self) {
        if let Some(ops) = &mut self.state().ops {
            ops.clear();
        }
    }

    /// How many syncs of files and directories whose path `of` accepts are in the log of calls.
    #[must_use]
    pub fn sync_count(&self, of: impl Fn(&Path) -> bool) -> usize {
        self.ops().iter().filter(|op| op.kind.is_sync() && of(&op.path)).count()
    }

    // --- faults ---

    /// Adds a rule that makes calls fail.
    pub fn add_fault(&self, fault: Fault) {
        self.state().faults.add(fault);
    }

    /// Makes the `nth` sync from now (from 1; of files or directories) fail, and `times - 1` after
    /// it. What a failing file sync covers is never durable (D4).
    pub fn fail_nth_sync(&self, nth: u64, times: u64, error: io::ErrorKind) {
        self.add_fault(Fault {
            on: vec![OpKind::SyncData, OpKind::SyncAll, OpKind::SyncDir],
            path_contains: String::new(),
            nth,
            times,
            error,
            reach: Reach::Nothing,
        });
    }

    /// Makes the `nth` write from now (from 1) fail once, after `reach` of it.
    pub fn fail_nth_write(&self, nth: u64, error: io::ErrorKind, reach: Reach) {
        self.add_fault(Fault {
            on: vec![OpKind::Write],
            path_contains: String::new(),
            nth,
            times: 1,
            error,
            reach,
        });
    }

    /// Removes all faults.
    pub fn clear_faults(&self) {
        self.state().faults.clear();
    }

    /// Limits the lengths of all files together (`None`: no limit). A write that would grow beyond
    /// leaves what fits and fails with `StorageFull`; overwriting in place always works.
    pub fn set_capacity(&self, bytes: Option<u64>) {
        self.state().capacity = bytes;
    }

    /// Makes every sync really sleep: for tests with threads. Other calls go on meanwhile, and
    /// what is written meanwhile is not covered by the sync.
    pub fn set_sync_delay(&self, delay: Duration) {
        self.state().sync_delay = delay;
    }

    // --- direct access for tests; never counted, never refused ---

    /// The content of a file as reads see it.
    pub fn read_all(&self, path: &Path) -> io::Result<Vec<u8>> {
        let state = self.state();
        let ino = state.disk.find(path)?;
        let mut bytes = vec![0; usize::try_from(state.disk.len(ino)?).unwrap_or(usize::MAX)];
        state.disk.read(ino, &mut bytes, 0)?;
        Ok(bytes)
    }

    /// Changes bytes on the disk itself: bit rot. Extends the file if need be.
    pub fn overwrite(&self, path: &Path, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.state();
        let ino = state.disk.find(path)?;
        state.disk.tamper(ino, |content| content::put(content, offset, bytes))
    }

    /// Cuts or extends a file on the disk itself.
    pub fn truncate(&self, path: &Path, len: u64) -> io::Result<()> {
        let mut state = self.state();
        let ino = state.disk.find(path)?;
        state.disk.tamper(ino, |content| content::resize(content, len))
    }

    /// Removes a file or directory from the disk itself.
    pub fn delete(&self, path: &Path) -> io::Result<()> {
        self.state().disk.delete(path)
    }

    /// The paths of all files, sorted.
    #[must_use]
    pub fn paths(&self) -> Vec<PathBuf> {
        self.state().disk.paths()
    }

    /// An independent copy of the disk as it is, unsynced changes included; no handle, lock, fault
    /// or count goes with it. Content is shared until one side writes, so this is cheap.
    #[must_use]
    pub fn fork(&self) -> Self {
        let state = self.state();
        let mut disk = state.disk.clone();
        disk.forget_handles();
        let mut fork = State::new(disk, state.ops.as_ref().map(|_| Vec::new()));
        fork.off = state.off;
        fork.capacity = state.capacity;
        Self::with(fork)
    }

    /// Puts the disk back to where `image` (a [`SimFs::fork`]) is; handles become stale, locks
    /// free. Faults and counts stay.
    pub fn restore(&self, image: &Self) {
        let (disk, off) = {
            let image = image.state();
            (image.disk.clone(), image.off)
        };
        let mut state = self.state();
        state.disk = disk;
        state.disk.forget_handles();
        state.off = off;
        state.cut = None;
        state.start += 1;
        state.locks.clear();
    }
}

/// A quick hash, good enough to tell images of a disk apart.
fn hash(seed: u64, bytes: &[u8]) -> u64 {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let mix = |state: u64, word: u64| {
        let product = u128::from(state ^ word).wrapping_mul(u128::from(FACTOR));
        #[allow(clippy::cast_possible_truncation)] // both halves are taken
        let (low, high) = (product as u64, (product >> 64) as u64);
        low ^ high.rotate_left(29) ^ word.wrapping_mul(FACTOR)
    };
    let (words, rest) = bytes.as_chunks::<8>();
    let mut state = mix(seed, bytes.len() as u64 ^ FACTOR);
    for word in words {
        state = mix(state, u64::from_le_bytes(*word));
    }
    for byte in rest {
        state = mix(state, u64::from(*byte) | 0x100);
    }
    mix(state, FACTOR)
}
