//! What the unit tests of this module share: entropy that repeats, and entropy that fails.
#![allow(clippy::unwrap_used)]

use super::{KdfParams, Keyring, Keystore, Unlock, VaultId, key_file};
use crate::env::Entropy;
use crate::secret::SecretBytes;
use sha2::{Digest, Sha256};
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes that depend on a seed and on how many were drawn before: never twice the same.
pub(super) struct Stream {
    seed: u64,
    drawn: AtomicU64,
}

impl Stream {
    pub(super) fn new(seed: u64) -> Self {
        Self { seed, drawn: AtomicU64::new(0) }
    }
}

impl Entropy for Stream {
    fn fill(&self, buffer: &mut [u8]) -> io::Result<()> {
        for chunk in buffer.chunks_mut(32) {
            let block = Sha256::new()
                .chain_update(self.seed.to_le_bytes())
                .chain_update(self.drawn.fetch_add(1, Ordering::Relaxed).to_le_bytes())
                .finalize();
            for (byte, random) in chunk.iter_mut().zip(block) {
                *byte = random;
            }
        }
        Ok(())
    }
}

/// A machine whose random generator is broken.
pub(super) struct NoEntropy;

impl Entropy for NoEntropy {
    fn fill(&self, _: &mut [u8]) -> io::Result<()> {
        Err(io::ErrorKind::Other.into())
    }
}

pub(super) const VAULT: VaultId = VaultId(*b"a vault of tests");

pub(super) fn key_file_of(vault: VaultId, entropy: &dyn Entropy) -> Unlock {
    Unlock::KeyFile(key_file::generate(vault, entropy).unwrap())
}

pub(super) fn passphrase(text: &str) -> Unlock {
    Unlock::Passphrase(SecretBytes::copy_from(text.as_bytes()))
}

/// A vault with one key-file slot: no Argon2id, so it is quick.
pub(super) fn vault(seed: u64) -> (Keystore, Keyring, Unlock, Stream) {
    let entropy = Stream::new(seed);
    let unlock = key_file_of(VAULT, &entropy);
    let (keystore, keyring) =
        Keystore::create(VAULT, &unlock, KdfParams::fast_for_tests(), &entropy).unwrap();
    (keystore, keyring, unlock, entropy)
}
