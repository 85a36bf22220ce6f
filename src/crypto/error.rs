//! Why a key, a box or a keystore was refused. Never holds a byte of any of them.

/// What went wrong. Holds no key material and no plaintext.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CryptoError {
    /// Wrong passphrase or key file, or the keystore was tampered with; the error does not say which.
    #[error("wrong key, or the keystore was tampered with")]
    WrongKey,
    /// Sealed bytes do not follow the format or do not authenticate under the right key.
    #[error("sealed bytes are damaged. rule={rule}")]
    Damaged {
        /// The rule of `docs/FORMAT.md` that does not hold.
        rule: &'static str,
    },
    /// Made by a newer version of Strongroom.
    #[error("made by a newer version of Strongroom. format={found} known={known}")]
    NewerFormat {
        /// The format number that was read.
        found: u32,
        /// The newest that this version reads.
        known: u32,
    },
    /// The source of random bytes failed.
    #[error("the operating system gave no random bytes")]
    Entropy,
    /// There is not enough memory for Argon2id.
    #[error("not enough memory to derive a key from the passphrase")]
    Memory,
    /// Argon2id parameters below the floor: a weakened slot, refused before any work (KEY-6).
    #[error("the Argon2id parameters are too weak")]
    WeakKdf,
    /// Argon2id parameters above the ceiling: they would exhaust the machine (KEY-6).
    #[error("the Argon2id parameters are too large")]
    KdfOutOfRange,
    /// All slots are taken, or there are several of the kind and it is unclear which one to replace.
    #[error("all key slots are taken, or several are of this kind")]
    TooManySlots,
    /// The keystore cannot hold one more wrapped key, or a number ran out.
    #[error("the keystore is full")]
    TooManyKeys,
    /// A passphrase without a single byte.
    #[error("the passphrase is empty")]
    EmptyPassphrase,
    /// The key file is truncated, mistyped or not a key file; says nothing about the vault.
    #[error("the key file is damaged")]
    DamagedKeyFile,
    /// More plaintext than one box may hold.
    #[error("the plaintext is too long to be sealed")]
    TooLong,
}
