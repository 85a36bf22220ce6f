//! What opens a vault, and the kind of key slot it belongs to.

use crate::secret::SecretBytes;

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

/// The kind of a key slot; readable without any key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotKind {
    /// Opens with a key file.
    KeyFile,
    /// Opens with a passphrase.
    Passphrase,
}
