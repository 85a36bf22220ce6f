//! Why a key, a box or a keystore was refused. Never holds a byte of any of them.

/// What went wrong. Small and `Copy`: there is nothing to wrap and nothing to leak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CryptoError {
    /// Wrong passphrase or key file, or the keystore was tampered with: one and the same.
    #[error("wrong key, or the keystore was tampered with")]
    WrongKey,
    /// Bytes that a right key should open do not follow the format, or do not authenticate.
    #[error("sealed bytes are damaged. rule={rule}")]
    Damaged {
        /// The rule of `docs/FORMAT.md` that does not hold.
        rule: &'static str,
    },
    /// Made by a newer version of Strongroom.
    #[error("made by a newer format. found={found} known={known}")]
    NewerFormat {
        /// The format number that was read.
        found: u32,
        /// The newest that this version reads.
        known: u32,
    },
    /// The source of random bytes failed.
    #[error("no random bytes")]
    Entropy,
    /// There is not enough memory for Argon2id.
    #[error("not enough memory to derive a key from the passphrase")]
    Memory,
    /// Argon2id parameters below the floor: a weakened slot, refused before any work (KEY-6).
    #[error("key derivation parameters are below the floor")]
    WeakKdf,
    /// Argon2id parameters above the ceiling: they would eat the machine (KEY-6).
    #[error("key derivation parameters are above the ceiling")]
    KdfOutOfRange,
    /// All slots are taken, or several of the kind exist and none was named.
    #[error("no key slot can be chosen")]
    TooManySlots,
    /// The keystore cannot hold one more wrapped key, or a number ran out.
    #[error("the keystore is full")]
    TooManyKeys,
    /// A passphrase without a single byte.
    #[error("the passphrase is empty")]
    EmptyPassphrase,
    /// The key file is truncated, mistyped or not a key file; says nothing about the vault.
    #[error("damaged key file")]
    DamagedKeyFile,
    /// More plaintext than one box may hold.
    #[error("too long to seal")]
    TooLong,
}
