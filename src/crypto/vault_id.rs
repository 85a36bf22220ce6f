//! The identity of a vault.

use super::CryptoError;
use crate::env::Entropy;

/// Identifies a vault: random, chosen at creation, part of the authenticated data of every format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct VaultId(pub [u8; 16]);

impl VaultId {
    /// A random (version 4) UUID.
    pub fn generate(entropy: &dyn Entropy) -> Result<Self, CryptoError> {
        let mut bytes = [0; 16];
        entropy.fill(&mut bytes).map_err(|_| CryptoError::Entropy)?;
        Ok(Self(uuid::Builder::from_random_bytes(bytes).into_uuid().into_bytes()))
    }
}

impl std::fmt::Display for VaultId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        uuid::Uuid::from_bytes(self.0).fmt(f)
    }
}
