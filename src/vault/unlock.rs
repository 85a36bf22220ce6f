//! Making an [`Unlock`] from what a program has: a passphrase, or a key file's path.

use super::ownership::key_file_at;
use crate::crypto::Unlock;
use crate::error::Result;
use crate::secret::SecretBytes;
use std::fmt;
use std::path::Path;

impl Unlock {
    /// A passphrase, byte for byte: nothing is trimmed or normalized.
    #[must_use]
    pub fn passphrase(passphrase: impl Into<SecretBytes>) -> Self {
        Self::Passphrase(passphrase.into())
    }

    /// Reads the key file at `path`.
    ///
    /// # Errors
    ///
    /// Fails with [`ErrorKind::NotAKeyFile`] if it is none, with [`ErrorKind::LaxPermissions`] if other users
    /// can reach the file, with [`ErrorKind::OtherOwner`] if it belongs to another user than root, and with
    /// [`ErrorKind::NewerFormat`] if a newer version of Strongroom made it.
    ///
    /// [`ErrorKind::NotAKeyFile`]: crate::ErrorKind::NotAKeyFile
    /// [`ErrorKind::LaxPermissions`]: crate::ErrorKind::LaxPermissions
    /// [`ErrorKind::OtherOwner`]: crate::ErrorKind::OtherOwner
    /// [`ErrorKind::NewerFormat`]: crate::ErrorKind::NewerFormat
    pub fn key_file(path: impl AsRef<Path>) -> Result<Self> {
        key_file_at(path.as_ref(), false)
    }
}

impl fmt::Debug for Unlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::KeyFile(_) => "KeyFile(..)",
            Self::Passphrase(_) => "Passphrase(..)",
        })
    }
}
