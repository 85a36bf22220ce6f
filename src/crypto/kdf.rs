//! Hazmat: Argon2id (RFC 9106) for passphrases and HKDF-Expand (RFC 5869) for keys. The only user
//! of their crates.
//!
//! Every input of the expansion is uniform already (256 random bits, or Argon2id's output). HKDF's
//! extract step is therefore skipped, as RFC 5869 section 3.3 allows. The salt is part of the info.

use super::CryptoError;
use argon2::{Algorithm, Argon2, Block, Params, Version};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

/// The cost of Argon2id. It lies between a floor, below which a vault would be weak, and a ceiling,
/// above which a keystore could exhaust the machine. Both are checked before any work (KEY-6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KdfParams {
    /// Memory, in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl KdfParams {
    /// The lowest accepted cost: OWASP's recommendation of 19 MiB, two passes, one lane.
    pub const FLOOR: Self = Self { memory_kib: 19 * 1024, passes: 2, lanes: 1 };
    /// The highest accepted cost.
    pub const CEILING: Self = Self { memory_kib: 2 * 1024 * 1024, passes: 16, lanes: 8 };

    /// The cost of a new slot for a process that may have `ram_bytes` of memory: 256 MiB; 64 MiB (RFC 9106's
    /// second recommendation) below 2 GiB; a quarter below 256 MiB, but never less than the floor.
    #[must_use]
    pub const fn standard(ram_bytes: u64) -> Self {
        let quarter_kib = ram_bytes / 4 / 1024;
        let memory_kib = if ram_bytes >= 2 << 30 {
            256 * 1024
        } else if quarter_kib >= 64 * 1024 {
            64 * 1024
        } else if quarter_kib <= Self::FLOOR.memory_kib as u64 {
            Self::FLOOR.memory_kib
        } else {
            #[allow(clippy::cast_possible_truncation)] // Below 64 MiB.
            {
                quarter_kib as u32
            }
        };
        Self { memory_kib, passes: 3, lanes: 4 }
    }

    /// The memory of one derivation, in bytes.
    #[must_use]
    pub const fn memory_bytes(self) -> u64 {
        self.memory_kib as u64 * 1024
    }

    /// The floor: the fastest accepted cost.
    #[must_use]
    pub const fn fast_for_tests() -> Self {
        Self::FLOOR
    }

    /// Whether a slot may have this cost: [`CryptoError::WeakKdf`] below the floor,
    /// [`CryptoError::KdfOutOfRange`] above the ceiling.
    pub fn check(self) -> Result<(), CryptoError> {
        let (low, high) = (Self::FLOOR, Self::CEILING);
        if self.memory_kib < low.memory_kib || self.passes < low.passes || self.lanes < low.lanes {
            return Err(CryptoError::WeakKdf);
        }
        if self.memory_kib > high.memory_kib || self.passes > high.passes || self.lanes > high.lanes
        {
            return Err(CryptoError::KdfOutOfRange);
        }
        Ok(())
    }
}

/// Argon2id version 0x13. The matrix is allocated fallibly and wiped afterwards, which the crate's
/// own `zeroize` feature does not do.
pub(super) fn derive_from_passphrase(
    passphrase: &[u8],
    salt: &[u8; 32],
    params: KdfParams,
) -> Result<Zeroizing<[u8; 32]>, CryptoError> {
    params.check()?;
    let cost = Params::new(params.memory_kib, params.passes, params.lanes, Some(32))
        .map_err(|_| CryptoError::KdfOutOfRange)?;
    let blocks = cost.block_count();
    let mut memory: Zeroizing<Vec<Block>> = Zeroizing::new(Vec::new());
    memory.try_reserve_exact(blocks).map_err(|_| CryptoError::Memory)?;
    memory.resize(blocks, Block::default());
    let mut output = Zeroizing::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, cost)
        .hash_password_into_with_memory(passphrase, salt, output.as_mut(), memory.as_mut_slice())
        .map_err(|_| CryptoError::KdfOutOfRange)?;
    Ok(output)
}

/// `N` bytes derived from `key` and all of `info`. The caller makes sure that `info` is unambiguous.
pub(super) fn derive_key<const N: usize>(key: &[u8; 32], info: &[&[u8]]) -> Zeroizing<[u8; N]> {
    const { assert!(N <= 255 * 32, "HKDF-SHA256 gives at most 8160 bytes") };
    let mut output = Zeroizing::new([0; N]);
    let expanded = Hkdf::<Sha256>::from_prk(key)
        .is_ok_and(|hkdf| hkdf.expand_multi_info(info, output.as_mut()).is_ok());
    // Panics rather than return a key of zeros. It cannot happen: the only two causes of failure are
    // lengths, and both are constants.
    assert!(expanded, "a 32-byte key and a bounded output always expand");
    output
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    #[track_caller]
    fn check(memory_kib: u32, passes: u32, lanes: u32, expected: Result<(), CryptoError>) {
        assert_eq!(KdfParams { memory_kib, passes, lanes }.check(), expected);
    }

    #[test]
    fn the_floor_and_the_ceiling_are_inside() {
        let (low, high) = (KdfParams::FLOOR, KdfParams::CEILING);
        check(low.memory_kib, low.passes, low.lanes, Ok(()));
        check(high.memory_kib, high.passes, high.lanes, Ok(()));
        check(low.memory_kib - 1, low.passes, low.lanes, Err(CryptoError::WeakKdf));
        check(low.memory_kib, low.passes - 1, low.lanes, Err(CryptoError::WeakKdf));
        check(low.memory_kib, low.passes, 0, Err(CryptoError::WeakKdf));
        check(high.memory_kib + 1, high.passes, 1, Err(CryptoError::KdfOutOfRange));
        check(low.memory_kib, high.passes + 1, 1, Err(CryptoError::KdfOutOfRange));
        check(low.memory_kib, low.passes, high.lanes + 1, Err(CryptoError::KdfOutOfRange));
    }

    #[test]
    fn the_standard_cost_depends_on_the_memory() {
        assert_eq!(KdfParams::standard(8 << 30).memory_kib, 256 * 1024);
        assert_eq!(KdfParams::standard((2 << 30) - 1).memory_kib, 64 * 1024);
        assert_eq!(KdfParams::standard(1 << 30).check(), Ok(()));
        for mib in [0, 1, 64, 100, 128, 200, 255, 256] {
            let cost = KdfParams::standard(mib << 20);
            assert_eq!(cost.check(), Ok(()), "{mib}");
            assert!(cost.memory_kib <= 64 * 1024, "{mib}");
        }
        assert_eq!(KdfParams::standard(128 << 20).memory_kib, 32 * 1024);
    }

    #[test]
    fn a_weak_cost_is_refused_before_any_work() {
        let weak = KdfParams { memory_kib: 8, passes: 1, lanes: 1 };
        let derived = derive_from_passphrase(b"passphrase", &[0; 32], weak);
        assert_eq!(derived.err(), Some(CryptoError::WeakKdf));
    }

    #[test]
    fn passphrase_salt_and_cost_all_count() {
        let cost = KdfParams::FLOOR;
        let more = KdfParams { passes: 3, ..cost };
        let one = derive_from_passphrase(b"one", &[1; 32], cost).unwrap();
        assert_eq!(*one, *derive_from_passphrase(b"one", &[1; 32], cost).unwrap());
        assert_ne!(*one, *derive_from_passphrase(b"one ", &[1; 32], cost).unwrap());
        assert_ne!(*one, *derive_from_passphrase(b"one", &[2; 32], cost).unwrap());
        assert_ne!(*one, *derive_from_passphrase(b"one", &[1; 32], more).unwrap());
    }

    /// RFC 5869, test case 1, from its pseudorandom key on.
    #[test]
    fn expansion_is_hkdf_sha256() {
        let prk = [
            0x07, 0x77, 0x09, 0x36, 0x2c, 0x2e, 0x32, 0xdf, 0x0d, 0xdc, 0x3f, 0x0d, 0xc4, 0x7b,
            0xba, 0x63, 0x90, 0xb6, 0xc7, 0x3b, 0xb5, 0x0f, 0x9c, 0x31, 0x22, 0xec, 0x84, 0x4a,
            0xd7, 0xc2, 0xb3, 0xe5,
        ];
        let info = [0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9];
        let output = derive_key::<42>(&prk, &[&info[..4], &info[4..]]);
        assert_eq!(&output[..6], &[0x3c, 0xb2, 0x5f, 0x25, 0xfa, 0xac]);
        assert_eq!(&output[38..], &[0x87, 0x18, 0x58, 0x65][..]);
    }
}
