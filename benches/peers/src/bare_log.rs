//! A file without a store: rows stand one behind the other.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// The size of a file that is written before.
const PREPARED: u64 = 64 << 20;

/// A file that grows, or one whose blocks are written over and over, so that a sync has no new length and no
/// new extents to record.
pub struct BareLog {
    file: File,
    at: u64,
    prepared: bool,
}

impl BareLog {
    pub fn new(dir: &Path, prepared: bool) -> Self {
        let file = File::create(dir.join("log")).expect("the log can be created");
        if prepared {
            let zeros = vec![0_u8; 1 << 20];
            for at in (0..PREPARED).step_by(zeros.len()) {
                file.write_all_at(&zeros, at).expect("the log can be prepared");
            }
            file.sync_all().expect("the log can be synced");
        }
        Self { file, at: 0, prepared }
    }

    /// Writes and syncs.
    pub fn write(&mut self, bytes: &[u8]) {
        if self.prepared && self.at + bytes.len() as u64 > PREPARED {
            self.at = 0;
        }
        self.file.write_all_at(bytes, self.at).expect("the log can be written");
        self.file.sync_data().expect("the log can be synced");
        self.at += bytes.len() as u64;
    }
}
