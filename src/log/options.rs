//! Sizes of segments.

use crate::env::faults::Faults;

/// Sizes of segments, and the faults of test builds.
#[derive(Clone, Debug)]
pub struct LogOptions {
    /// Size of the first segment in bytes, its 4 KiB header included.
    pub segment_bytes_first: u64,
    /// Each segment is twice as large as the one before, up to this, and to a quarter of the
    /// snapshot or of the segments that have ended.
    pub segment_bytes_max: u64,
    /// Promises to break, for a harness to notice.
    pub faults: Faults,
}

impl Default for LogOptions {
    fn default() -> Self {
        Self {
            segment_bytes_first: 256 << 10,
            segment_bytes_max: 16 << 20,
            faults: Faults::default(),
        }
    }
}
