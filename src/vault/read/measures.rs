//! What a vault measures about itself, for monitoring: sizes and counts, nothing of its content.

use crate::env::{FileKind, Fs};
use crate::log;
use crate::store::guard;
use crate::vault::inner::Inner;
use std::path::Path;
use std::sync::atomic::Ordering;

/// Sizes and counts of an open vault.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Measures {
    /// Jobs that wait for the commit thread.
    pub(crate) queue: u64,
    /// Frames written since the vault was opened. Each had one sync.
    pub(crate) frames: u64,
    /// Bytes of the files of the log.
    pub(crate) log_bytes: u64,
    /// Bytes of the files of the state.
    pub(crate) state_bytes: u64,
    /// Bytes of acknowledged rows that wait in memory for the state.
    pub(crate) memtable_bytes: u64,
    /// Events that wait to be delivered.
    pub(crate) events_waiting: u64,
    /// Events that were dropped because too many waited, ever.
    pub(crate) events_dropped: u64,
}

impl Inner {
    /// Measures the vault. Files that come or go meanwhile may be missed.
    pub(crate) fn measures(&self) -> Measures {
        let shared = &self.shared;
        let fs = shared.env.fs.as_ref();
        let outbox = shared.label_events.outbox();
        Measures {
            queue: self.driver.queued() as u64,
            frames: shared.frames.load(Ordering::Relaxed),
            log_bytes: bytes_below(fs, &shared.dir.join(log::FOLDER)),
            state_bytes: bytes_below(fs, &guard::state_dir(&shared.dir)),
            memtable_bytes: shared.state.waiting_bytes(),
            events_waiting: outbox.waiting,
            events_dropped: outbox.dropped,
        }
    }
}

fn bytes_below(fs: &dyn Fs, dir: &Path) -> u64 {
    let mut sum = 0_u64;
    let mut folders = vec![dir.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs.read_dir(&folder).unwrap_or_default() {
            let path = folder.join(&entry.name);
            if entry.kind == FileKind::Dir {
                folders.push(path);
            } else {
                let found = fs.metadata(&path).ok().flatten();
                sum = sum.saturating_add(found.map_or(0, |found| found.len));
            }
        }
    }
    sum
}
