//! Refusals about managed external secrets. Nobody has recorded AWS's texts: all are our own.

use crate::model::limits;
use crate::semantics::fault::{Fault, FaultKind};

/// A member of `RotateSecret` that is for managed external secrets only.
#[must_use]
pub fn not_external(member: &str) -> Fault {
    Fault::new(
        FaultKind::InvalidParameter,
        format!("You can't use {member} because the secret isn't a managed external secret."),
    )
}

/// A function was named, but a partner rotates the secret.
#[must_use]
pub fn function_of_external() -> Fault {
    Fault::new(
        FaultKind::InvalidParameter,
        "You can't use RotationLambdaARN because the secret is a managed external secret.",
    )
}

/// More metadata than a record has room for.
#[must_use]
pub fn too_much_external_metadata() -> Fault {
    Fault::new(
        FaultKind::InvalidParameter,
        format!(
            "ExternalSecretRotationMetadata can have at most {} items with at most {} bytes together.",
            limits::EXTERNAL_ITEMS_MAX,
            limits::EXTERNAL_BYTES_MAX
        ),
    )
}

/// The rotation would begin with a call of the partner, which this vault cannot make.
#[must_use]
pub fn no_partner(partner: &str) -> Fault {
    Fault::new(
        FaultKind::InvalidRequest,
        format!(
            "You can't rotate this secret because there is no integration with the partner \
             {partner}. To store its rotation settings, set RotateImmediately to false."
        ),
    )
}
