//! Making an [`Unlock`] from what a program has: a passphrase, or a key file's path.

use crate::crypto::{CryptoError, Unlock, key_file};
use crate::env::real::Input;
use crate::error::{Error, ErrorKind, Result};
use crate::secret::SecretBytes;
use std::fmt;
use std::path::Path;

/// The longest key file that is read: far more than any has.
const KEY_FILE_BYTES_MAX: usize = 65_536;
/// The permission bits that let other users at a file.
const OTHERS: u32 = 0o077;

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
    /// Fails with [`ErrorKind::LaxPermissions`] if other users can reach the file, with
    /// [`ErrorKind::WrongKey`] if it is not a key file, and with [`ErrorKind::NewerFormat`] if a newer
    /// version of Strongroom made it.
    pub fn key_file(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let io = |error| Error::io("read the key file", error);
        let opened = Input::open(path).map_err(io)?;
        if let Some(mode) = opened.mode().map_err(io)?.filter(|mode| mode & OTHERS != 0) {
            return Err(ErrorKind::LaxPermissions { path: path.to_path_buf(), mode }.into());
        }
        let text =
            opened.read_to_end(KEY_FILE_BYTES_MAX).map_err(io)?.ok_or(ErrorKind::WrongKey)?;
        let text = SecretBytes::copy_from(&text);
        match key_file::parse(&text) {
            Ok(_) => Ok(Self::KeyFile(text)),
            Err(CryptoError::NewerFormat { found, known }) => {
                Err(ErrorKind::NewerFormat { file: path.display().to_string(), found, known }
                    .into())
            }
            Err(_) => Err(ErrorKind::WrongKey.into()),
        }
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
