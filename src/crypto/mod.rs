//! Keys and ciphers: the only module that names a cipher, a MAC or a KDF (except `SigV4` in `wire`).
//!
//! ```text
//! passphrase --Argon2id--.
//!                        +--> slot secret --HKDF--> { wrap key, commitment }
//! key file (256 bits) ---'                              |
//!                                                       v opens a box of fixed length
//! master key --HKDF--> { wrap key, keystore MAC key }   (one per vault; it only wraps)
//!                          |
//!                          v one box each, in the keystore, numbered by term
//! names   log   digest   payload   audit   row                 epoch
//! (index) (MAC) (SetSum) (equality)        |                     |
//!                                          v seals rows          v wraps, one row of `keys` each
//!                                                          { data key, payload MAC }
//!                                                                |
//!                                                                v seals one value, once
//! ```
//!
//! The bytes are specified in `docs/FORMAT.md` (KEY, ENV and ROW rules).
//!
//! - **C1** A key does one job. The master never meets data, an epoch key wraps data keys only, a
//!   data key seals one value once.
//! - **C2** Every nonce is 24 fresh random bytes; none comes from a position or a counter.
//! - **C3** Every box names in its authenticated data what it is and where it belongs, so that a
//!   box moved elsewhere does not open (I7).
//! - **C4** A key that does not fit and a keystore that was tampered with give the same error.
//! - **C5** Plaintext and keys live in wiped buffers. Not covered: registers, and the stack that
//!   the cipher crates use while they run.
//!
//! Files that touch a primitive (review these first): `aead`, `kdf`, `mac`. All others compose.

mod aead;
mod envelope;
mod error;
mod index;
mod kdf;
pub mod key_file;
mod keyring;
mod keys;
mod keystore;
mod mac;
mod rows;
mod slot;
mod sum;
#[cfg(test)]
mod testing;
mod wrap;

pub use envelope::SealedValue;
#[cfg(feature = "__internals")]
#[doc(hidden)]
pub use envelope::seal_padded;
pub use error::CryptoError;
pub use kdf::KdfParams;
pub use keyring::Keyring;
pub use keystore::Keystore;
pub use mac::MacKey;
pub use sum::SetSum;
pub use wrap::ValueKey;

use crate::env::Entropy;
use crate::secret::SecretBytes;

/// Identity of a vault: random, made at creation, in every format's authenticated data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct VaultId(pub [u8; 16]);

impl VaultId {
    /// A random (version 4) UUID.
    pub fn generate(entropy: &dyn Entropy) -> Result<Self, CryptoError> {
        let bytes = aead::random::<16>(entropy)?;
        Ok(Self(uuid::Builder::from_random_bytes(bytes).into_uuid().into_bytes()))
    }
}

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
    ///
    /// The bytes count, exactly: nothing is normalized, so a letter that can be written in two ways
    /// in Unicode is two passphrases. An empty one is refused.
    Passphrase(SecretBytes),
}

impl Unlock {
    /// Which kind of slot it opens.
    #[must_use]
    pub fn kind(&self) -> SlotKind {
        match self {
            Self::KeyFile(_) => SlotKind::KeyFile,
            Self::Passphrase(_) => SlotKind::Passphrase,
        }
    }
}

/// What kind of thing a key slot takes; readable without any key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotKind {
    /// Opens with a key file.
    KeyFile,
    /// Opens with a passphrase.
    Passphrase,
}
