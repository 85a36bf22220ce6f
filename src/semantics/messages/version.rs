//! Refusals about versions: tokens, values and staging labels.

use crate::model::{Arn, Stage, VersionId, limits};
use crate::semantics::fault::{Fault, FaultKind};

/// E2: no version with a value has the label.
#[must_use]
pub fn no_value_at_stage(stage: &str) -> Fault {
    Fault::new(
        FaultKind::ResourceNotFound,
        format!("Secrets Manager can't find the specified secret value for staging label: {stage}"),
    )
}

/// E3: no version has that id, or it has no value.
#[must_use]
pub fn no_version(version_id: &str) -> Fault {
    Fault::new(
        FaultKind::ResourceNotFound,
        format!(
            "Secrets Manager can't find the specified secret value for VersionId: {version_id}"
        ),
    )
}

/// E4: version and label were both given, and the label is elsewhere.
#[must_use]
pub fn stage_is_elsewhere() -> Fault {
    Fault::new(
        FaultKind::InvalidRequest,
        "You provided a VersionStage that is not associated to the provided VersionId.",
    )
}

/// E9: the token made a version with another value.
#[must_use]
pub fn token_is_taken(token: &VersionId, arn: &Arn) -> Fault {
    Fault::new(
        FaultKind::ResourceExists,
        format!(
            "You can't use ClientRequestToken {token} because that value is already in use for a \
             version of secret {arn}."
        ),
    )
}

/// E10: no token. Every SDK fills one in; only raw HTTP can come without.
#[must_use]
pub fn no_token() -> Fault {
    Fault::new(
        FaultKind::InvalidRequest,
        "You must provide a ClientRequestToken value. We recommend a UUID-type value.",
    )
}

/// E11: `PutSecretValue` without a value.
#[must_use]
pub fn no_value() -> Fault {
    Fault::new(FaultKind::InvalidRequest, "You must provide either SecretString or SecretBinary.")
}

/// Both kinds of value at once (SEM-VAL-5). A request in `model::api`
/// holds one value only, so whoever reads the wire answers with this.
#[must_use]
pub fn two_values() -> Fault {
    Fault::new(
        FaultKind::InvalidParameter,
        "You can't specify both a binary secret value and a string secret value in the same secret.",
    )
}

/// E13: the label is on another version, which the caller did not name.
#[must_use]
pub fn must_name_holder(stage: &Stage, holder: &str) -> Fault {
    Fault::new(
        FaultKind::InvalidParameter,
        format!(
            "The parameter RemoveFromVersionId can't be empty. Staging label {stage} is currently \
             attached to version {holder}, so you must explicitly reference that version in \
             RemoveFromVersionId."
        ),
    )
}

/// E14: `AWSCURRENT` moves, it never disappears. The apostrophe is U+2019, as AWS sends it.
#[must_use]
pub fn current_stays() -> Fault {
    Fault::new(
        FaultKind::InvalidParameter,
        "You can only move staging label AWSCURRENT to a different secret version. \
         It can\u{2019}t be completely removed.",
    )
}

/// The label is not on the version that `RemoveFromVersionId` names, in a move.
#[must_use]
pub fn holder_differs(stage: &Stage) -> Fault {
    Fault::new(
        FaultKind::InvalidParameter,
        format!(
            "When you move staging label {stage}, if you specify RemoveFromVersionId, it must be \
             set to the version that currently has the staging label {stage}."
        ),
    )
}

/// The label is not on the version that it should be removed from.
#[must_use]
pub fn stage_not_on(stage: &Stage, version: &VersionId) -> Fault {
    Fault::new(
        FaultKind::InvalidParameter,
        format!("Version stage {stage} not found in version {version}"),
    )
}

/// `UpdateSecretVersionStage` that says neither from where nor to where (our own text).
#[must_use]
pub fn nowhere_to_move() -> Fault {
    Fault::new(
        FaultKind::InvalidParameter,
        "You must provide MoveToVersionId, RemoveFromVersionId, or both.",
    )
}

/// E38: more labels than a secret may have (our own text).
#[must_use]
pub fn too_many_stages() -> Fault {
    Fault::new(
        FaultKind::LimitExceeded,
        format!(
            "A secret can have at most {} staging labels on all its versions.",
            limits::STAGES_MAX
        ),
    )
}

/// E38: more versions than a secret may have (our own text).
#[must_use]
pub fn too_many_versions() -> Fault {
    Fault::new(
        FaultKind::LimitExceeded,
        format!("A secret can have at most {} versions.", limits::VERSIONS_MAX),
    )
}
