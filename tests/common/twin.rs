//! The header of a manifest or a keystore (docs/FORMAT.md, part 1), as far as tests read and change it.

use sha2::{Digest, Sha256};
use std::ops::Range;

const FORMAT: Range<usize> = 24..28;

/// The format of the body.
pub fn format_of(copy: &[u8]) -> u32 {
    u32::from_le_bytes(copy[FORMAT].try_into().unwrap())
}

/// Gives a copy another format and a checksum that holds.
pub fn set_format(copy: &mut [u8], format: u32) {
    copy[FORMAT].copy_from_slice(&format.to_le_bytes());
    mend(copy);
}

/// Makes the checksum of a changed copy hold again: what no rot does.
pub fn mend(copy: &mut [u8]) {
    let mut hash = Sha256::new();
    hash.update(&copy[..24]);
    hash.update(&copy[FORMAT]);
    hash.update((copy.len() as u64 - 72).to_le_bytes());
    hash.update(&copy[32..40]);
    hash.update(&copy[72..]);
    let sum = hash.finalize();
    copy[40..72].copy_from_slice(&sum);
}
