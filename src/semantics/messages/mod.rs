//! Every refusal in AWS's words, each text in one place. The numbers E1 to E39 are those of the
//! table of refusals in `docs/SEMANTICS.md`; clients match on some of these texts, so they are
//! byte-exact (rule SEM-CHECK-2).

mod cross_account;
mod external;
mod policy;
mod replica;
mod rotation;

pub use cross_account::*;
pub use external::*;
pub use policy::*;
pub use replica::*;
pub use rotation::*;

use super::fault::{Fault, FaultKind};
use crate::model::limits;
use crate::model::{Arn, SecretName, Stage, VersionId};

/// E1: the secret is unknown, in every operation.
#[must_use]
pub fn no_secret() -> Fault {
    Fault::new(FaultKind::ResourceNotFound, "Secrets Manager can't find the specified secret.")
}

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

/// E5: the secret is scheduled for deletion.
#[must_use]
pub fn is_scheduled() -> Fault {
    Fault::new(
        FaultKind::InvalidRequest,
        "You can't perform this operation on the secret because it was marked for deletion.",
    )
}

/// E7: a secret of that name is scheduled for deletion.
#[must_use]
pub fn name_is_scheduled() -> Fault {
    Fault::new(
        FaultKind::InvalidRequest,
        "You can't create this secret because a secret with this name is already scheduled for \
         deletion.",
    )
}

/// E8: the name is taken.
#[must_use]
pub fn name_is_taken(name: &SecretName) -> Fault {
    Fault::new(
        FaultKind::ResourceExists,
        format!("The operation failed because the secret {name} already exists."),
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

/// Both kinds of value at once (SEM-VAL-5; code and text are our own). A request in `model::api`
/// holds one value only, so whoever reads the wire answers with this.
#[must_use]
pub fn two_values() -> Fault {
    Fault::new(
        FaultKind::InvalidParameter,
        "You can't specify both a binary secret value and a string secret value.",
    )
}

/// E12: a character that no name may have.
#[must_use]
pub fn bad_name() -> Fault {
    Fault::new(
        FaultKind::Validation,
        "Invalid name. Must be a valid name containing alphanumeric characters, or any of the \
         following: -/_+=.@!",
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

/// E24: a password cannot have a character of each required type.
#[must_use]
pub fn password_too_short() -> Fault {
    Fault::new(
        FaultKind::InvalidParameter,
        "Password length is too short based on the required types.",
    )
}

/// E25: a required type of characters is excluded whole.
#[must_use]
pub fn no_characters_of_type() -> Fault {
    Fault::new(
        FaultKind::InvalidParameter,
        "All characters of the desired type have been excluded.",
    )
}

/// E26: no character is left for a password.
#[must_use]
pub fn no_characters_left() -> Fault {
    Fault::new(FaultKind::InvalidParameter, "All characters have been excluded from selection.")
}

/// E31: already scheduled for deletion.
#[must_use]
pub fn already_scheduled() -> Fault {
    Fault::new(
        FaultKind::InvalidRequest,
        "You can't perform this operation on the secret because it was already scheduled for \
         deletion.",
    )
}

/// E32: a recovery window outside 7 to 30 days.
#[must_use]
pub fn bad_window() -> Fault {
    Fault::new(
        FaultKind::InvalidParameter,
        "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).",
    )
}

/// E33: a recovery window together with no recovery.
#[must_use]
pub fn force_with_window() -> Fault {
    Fault::new(
        FaultKind::InvalidParameter,
        "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.",
    )
}

/// E34: a page token that this vault never gave (our own text).
#[must_use]
pub fn bad_next_token() -> Fault {
    Fault::new(FaultKind::InvalidNextToken, "The NextToken value is invalid.")
}

/// E35: a batch by ids and by filters at once, or by neither.
#[must_use]
pub fn ids_or_filters() -> Fault {
    Fault::new(
        FaultKind::InvalidParameter,
        "Either 'SecretIdList' or 'Filters' must be provided, but not both.",
    )
}

/// E36: a size of pages for a batch that has none.
#[must_use]
pub fn page_without_filters() -> Fault {
    Fault::new(
        FaultKind::InvalidParameter,
        "'Filters' not specified. 'Filters' must also be specified when 'MaxResults' is provided.",
    )
}

/// E37: a filter without a key.
#[must_use]
pub fn no_filter_key() -> Fault {
    Fault::new(FaultKind::InvalidParameter, "Invalid filter key")
}

/// E37: a filter without values.
#[must_use]
pub fn no_filter_values(key: &str) -> Fault {
    Fault::new(FaultKind::InvalidParameter, format!("Invalid filter values for key: {key}"))
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

/// More tags than a secret may have. `InvalidParameterException`, because the operation declares
/// no `LimitExceededException` and clients would retry that one (our own text).
#[must_use]
pub fn too_many_tags() -> Fault {
    Fault::new(
        FaultKind::InvalidParameter,
        format!("A secret can have at most {} tags.", limits::TAGS_MAX),
    )
}

/// A tag key that AWS keeps for itself (our own text).
#[must_use]
pub fn reserved_tag() -> Fault {
    Fault::new(
        FaultKind::InvalidParameter,
        "Tag keys that start with aws: are reserved for system use.",
    )
}

/// The same tag key twice in one request (our own text).
#[must_use]
pub fn duplicate_tag(key: &str) -> Fault {
    Fault::new(FaultKind::InvalidParameter, format!("Duplicate tag key: {key}"))
}
