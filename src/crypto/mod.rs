//! Keys and ciphers: the only module that names a cipher, a MAC or a KDF (except SigV4 in `wire`).

use crate::secret::SecretBytes;

/// Identity of a vault: random, made at creation, in every format's authenticated data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct VaultId(pub [u8; 16]);

impl std::fmt::Display for VaultId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        uuid::Uuid::from_bytes(self.0).fmt(f)
    }
}

/// What opens a vault. No `Debug`.
pub enum Unlock {
    /// The content of a key file (32 random bytes behind a one-line text header).
    KeyFile(SecretBytes),
    /// A passphrase, as typed: no trimming here.
    Passphrase(SecretBytes),
}

/// What kind of thing a key slot takes; readable without any key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotKind {
    /// Opens with a key file.
    KeyFile,
    /// Opens with a passphrase.
    Passphrase,
}
