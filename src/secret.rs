//! The fence around plaintext (invariant I8).
//!
//! Everything that is secret travels in [`SecretBytes`]. It is wiped when dropped and compared in
//! constant time. `Debug` prints no content, and `Display`, `Clone`, `Deref` and `Serialize` are absent
//! on purpose. Code of this crate that needs the bytes calls `expose` and says why in a comment that
//! starts with `EXPOSE:`.

#[cfg(any(feature = "cli", feature = "server"))]
pub(crate) mod buffer;

use std::fmt;
use std::str::Utf8Error;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

/// Plaintext of any kind: a value, a passphrase, a key file's content. Wiped on drop.
pub struct SecretBytes(Zeroizing<Box<[u8]>>);

impl SecretBytes {
    /// Takes over `bytes`. A vector with spare room is copied into an exact buffer and wiped,
    /// because shrinking in place could leave the old block behind.
    #[must_use]
    pub fn new(mut bytes: Vec<u8>) -> Self {
        if bytes.len() == bytes.capacity() {
            return Self(Zeroizing::new(bytes.into_boxed_slice()));
        }
        let exact: Box<[u8]> = bytes.as_slice().into();
        bytes.zeroize();
        Self(Zeroizing::new(exact))
    }

    /// Copies `bytes` into the fence; the caller wipes its own copy.
    #[must_use]
    pub fn copy_from(bytes: &[u8]) -> Self {
        Self(Zeroizing::new(bytes.into()))
    }

    /// The plaintext. Say why at the call: `EXPOSE: reason`.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no byte at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl PartialEq for SecretBytes {
    /// Constant time in the content; the lengths are compared openly.
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for SecretBytes {}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretBytes(..)")
    }
}

impl From<Vec<u8>> for SecretBytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self::new(bytes)
    }
}

impl From<String> for SecretBytes {
    fn from(text: String) -> Self {
        Self::new(text.into_bytes())
    }
}

impl From<&str> for SecretBytes {
    fn from(text: &str) -> Self {
        Self::copy_from(text.as_bytes())
    }
}

impl From<&[u8]> for SecretBytes {
    fn from(bytes: &[u8]) -> Self {
        Self::copy_from(bytes)
    }
}

/// Which member of the AWS API carried a value. A version remembers its own kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PayloadKind {
    /// `SecretString`: UTF-8 text.
    String,
    /// `SecretBinary`: any bytes.
    Binary,
}

/// The value of one secret version.
pub enum SecretValue {
    /// `SecretString`. Invariant: UTF-8.
    String(SecretBytes),
    /// `SecretBinary`.
    Binary(SecretBytes),
}

impl SecretValue {
    /// A text value.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::String(SecretBytes::from(text.into()))
    }

    /// A binary value.
    #[must_use]
    pub fn binary(bytes: impl Into<Vec<u8>>) -> Self {
        Self::Binary(SecretBytes::new(bytes.into()))
    }

    /// Which member of the API carries it.
    #[must_use]
    pub fn kind(&self) -> PayloadKind {
        match self {
            Self::String(_) => PayloadKind::String,
            Self::Binary(_) => PayloadKind::Binary,
        }
    }

    /// The bytes, still in the fence.
    #[must_use]
    pub fn bytes(&self) -> &SecretBytes {
        match self {
            Self::String(bytes) | Self::Binary(bytes) => bytes,
        }
    }

    /// The plaintext of any kind of value. Copies of it are not wiped.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes().expose()
    }

    /// The plaintext as text. Copies of it are not wiped.
    ///
    /// # Errors
    ///
    /// Fails for a binary value that is not UTF-8.
    pub fn as_str(&self) -> Result<&str, Utf8Error> {
        std::str::from_utf8(self.as_bytes())
    }

    /// A second copy, for an operation that may have to be tried again. Not `Clone`, so that copies stand
    /// out.
    pub(crate) fn duplicate(&self) -> Self {
        let copy = SecretBytes::copy_from(self.as_bytes());
        match self {
            Self::String(_) => Self::String(copy),
            Self::Binary(_) => Self::Binary(copy),
        }
    }
}

impl fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::String(_) => "SecretString(..)",
            Self::Binary(_) => "SecretBinary(..)",
        })
    }
}

impl From<&str> for SecretValue {
    fn from(text: &str) -> Self {
        Self::String(text.into())
    }
}

impl From<String> for SecretValue {
    fn from(text: String) -> Self {
        Self::String(text.into())
    }
}

impl From<&[u8]> for SecretValue {
    fn from(bytes: &[u8]) -> Self {
        Self::Binary(bytes.into())
    }
}

impl From<Vec<u8>> for SecretValue {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Binary(bytes.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_content() {
        let text = format!("{:?} {:?}", SecretValue::from("hunter2"), SecretBytes::from("hunter2"));
        assert_eq!(text, "SecretString(..) SecretBytes(..)");
    }

    #[test]
    fn text_becomes_a_string_and_bytes_become_a_binary() {
        assert_eq!(SecretValue::from("a").kind(), PayloadKind::String);
        assert_eq!(SecretValue::from(vec![b'a']).kind(), PayloadKind::Binary);
        assert_eq!(SecretValue::from(vec![b'a']).as_str(), Ok("a"));
        assert!(SecretValue::from(vec![0xff]).as_str().is_err());
    }
}
