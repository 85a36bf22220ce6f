//! The token with which a rotation function of another account proves that it may put a value.

use crate::secret::SecretBytes;

/// `RotationToken`: as secret as a value. Its form can be checked, but its text cannot be read.
pub struct RotationToken(SecretBytes);

impl RotationToken {
    /// Its length in bytes; the characters that it may have take one each.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.0.len()
    }

    /// Whether it has letters, digits and hyphens alone, and one at least (API model).
    #[must_use]
    pub fn is_well_formed(&self) -> bool {
        // EXPOSE: only looked at.
        let bytes = self.0.expose();
        let is_allowed = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
        !bytes.is_empty() && bytes.iter().all(is_allowed)
    }
}

impl std::fmt::Debug for RotationToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RotationToken(..)")
    }
}

impl From<SecretBytes> for RotationToken {
    fn from(token: SecretBytes) -> Self {
        Self(token)
    }
}
