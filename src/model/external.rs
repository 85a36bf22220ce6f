//! Managed external secrets: those that a partner holds and rotates (rules SEM-EXT).

/// What makes a secret a managed external one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct External {
    /// `Type`: the partner. Never empty.
    pub partner: Box<str>,
    /// `ExternalSecretRotationMetadata`: what the partner has to know to rotate it.
    pub metadata: Vec<ExternalMetadata>,
    /// `ExternalSecretRotationRoleArn`: the role that its rotation would assume.
    pub role: Option<Box<str>>,
}

impl External {
    /// A secret of a partner whose rotation was never configured.
    #[must_use]
    pub fn of(partner: &str) -> Self {
        Self { partner: partner.into(), metadata: Vec::new(), role: None }
    }

    /// The same without anything about its rotation.
    #[must_use]
    pub fn without_rotation(&self) -> Self {
        Self::of(&self.partner)
    }
}

/// One of `ExternalSecretRotationMetadata`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalMetadata {
    /// `Key`, 1 to 256 characters.
    pub key: String,
    /// `Value`, 1 to 2048 characters.
    pub value: String,
}
