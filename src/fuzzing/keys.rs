//! What is read before there is any key.

use crate::crypto::{Keystore, key_file as file};
use crate::secret::SecretBytes;

/// Any bytes are a key file or are refused.
pub(super) fn key_file(bytes: &[u8]) {
    let _ = file::parse(&SecretBytes::copy_from(bytes));
}

/// The keystore parser is total, and what it accepts it writes back byte for byte.
pub(super) fn keystore(bytes: &[u8]) {
    if let Ok(keystore) = Keystore::decode(bytes) {
        assert_eq!(keystore.encode(), bytes, "the encoding is canonical");
    }
}
