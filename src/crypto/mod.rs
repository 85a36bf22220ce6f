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
//!                                          v seals rows          v wraps, in the row of the version
//!                                                          { data key, payload MAC }
//!                                                                |
//!                                                                v seals one value, once
//! ```
//!
//! The bytes are specified in `docs/FORMAT.md` (KEY, ENV and ROW rules).
//!
//! - **CR1** A key does one job. The master never meets data, an epoch key wraps data keys only, a
//!   data key seals one value once.
//! - **CR2** Every nonce is 24 fresh random bytes, never a position or a counter.
//! - **CR3** The authenticated data of every box says what the box is and where it belongs. A box
//!   that was moved elsewhere does not open (I7).
//! - **CR4** A wrong key and a tampered keystore give the same error.
//! - **CR5** Plaintext and keys live in buffers that are wiped. Registers and the stack that the
//!   cipher crates use while they run are not covered.
//!
//! ```text
//! aead.rs       XChaCha20-Poly1305            \
//! kdf.rs        Argon2id, HKDF                 > the primitives: review these first
//! mac.rs        HMAC-SHA256                   /
//! vault_id.rs   the identity of a vault
//! unlock.rs     what opens a vault
//! key_file.rs   the text of a key file
//! keys.rs       keys as material, and the master key
//! slot.rs       one way to the master key
//! keystore.rs   slots and wrapped keys in one body; its bytes: `keystore/`
//! keyring.rs    the keys of an unlocked vault, and changes of its keystore
//! index.rs      keyed hashes in place of names
//! rows.rs       sealed rows
//! envelope.rs   sealed values
//! wrap.rs       data keys and their wraps
//! sum.rs        the keyed digest of a set of rows
//! error.rs      why something was refused
//! ```

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
mod unlock;
mod vault_id;
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
pub use sum::{RowShare, SetSum};
pub use unlock::{SlotKind, Unlock};
pub use vault_id::VaultId;
pub use wrap::ValueKey;
