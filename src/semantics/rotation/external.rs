//! Managed external secrets (SEM-EXT): which partner holds a secret, and how the partner would rotate it.
//! This vault cannot call partners. It stores and shows these settings, and refuses operations that would
//! call one.

use crate::model::api::RotateSecret;
use crate::model::{External, SecretRecord, limits};
use crate::semantics::fault::Fault;
use crate::semantics::{messages, validate};

/// `Type` of a new secret; an empty one makes an ordinary secret.
pub(crate) fn of(partner: Option<&str>) -> Option<External> {
    partner.filter(|partner| !partner.is_empty()).map(External::of)
}

/// `Type` of `UpdateSecret`. A change of the partner removes the settings of the former one (SEM-EXT-3).
pub(crate) fn change(record: &mut SecretRecord, partner: &str) {
    if record.external.as_ref().is_some_and(|known| *known.partner == *partner) {
        return;
    }
    record.external = of(Some(partner));
    if record.rotation.as_ref().is_some_and(crate::model::Rotation::is_external) {
        record.rotation = None;
    }
}

/// Checks `RotateSecret` on a managed external secret.
pub(crate) fn check_rotation(external: &External, request: &RotateSecret) -> Result<(), Fault> {
    if request.rotation_lambda_arn.as_ref().is_some_and(|arn| !arn.is_empty()) {
        return Err(messages::function_of_external());
    }
    let items = request.external_metadata.as_deref().unwrap_or_default();
    let bytes: usize = items.iter().map(|item| item.key.len() + item.value.len()).sum();
    if items.len() > limits::EXTERNAL_ITEMS_MAX || bytes > limits::EXTERNAL_BYTES_MAX {
        return Err(messages::too_much_external_metadata());
    }
    validate::role(request.external_role_arn.as_deref(), "ExternalSecretRotationRoleArn")?;
    if request.rotate_immediately != Some(false) {
        return Err(messages::no_partner(&external.partner));
    }
    Ok(())
}

/// Refuses members of `RotateSecret` that are for managed external secrets only, on any other secret.
pub(crate) fn check_absent(request: &RotateSecret) -> Result<(), Fault> {
    if request.external_metadata.is_some() {
        return Err(messages::not_external("ExternalSecretRotationMetadata"));
    }
    if request.external_role_arn.is_some() {
        return Err(messages::not_external("ExternalSecretRotationRoleArn"));
    }
    Ok(())
}

/// Stores the partner's settings from a checked `RotateSecret`. Absent members leave theirs unchanged.
pub(crate) fn configure(external: &mut External, request: &RotateSecret) {
    if let Some(metadata) = &request.external_metadata {
        external.metadata.clone_from(metadata);
    }
    if let Some(role) = &request.external_role_arn {
        external.role = Some(role.as_str().into());
    }
}
