//! Every refusal in AWS's words, each text in one place. The numbers E1 to E39 are those of the
//! table of refusals in `docs/SEMANTICS.md`; clients match on some of these texts, so they are
//! byte-exact (rule SEM-CHECK-2).

use super::fault::{Fault, FaultKind};
use crate::model::limits;
use crate::model::{Arn, Replica, SecretName, Stage, VersionId};

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

/// E18: another account, and a key that other accounts cannot use.
#[must_use]
pub fn key_is_of_account() -> Fault {
    Fault::new(
        FaultKind::InvalidRequest,
        "You can't access a secret from a different AWS account if you encrypt the secret with the \
         default KMS service key.",
    )
}

/// E19: a principal that cannot be one.
#[must_use]
pub fn unsupported_principal() -> Fault {
    Fault::new(
        FaultKind::MalformedPolicyDocument,
        "This resource policy contains an unsupported principal.",
    )
}

/// E20: no JSON, or not the grammar of policies.
#[must_use]
pub fn policy_syntax() -> Fault {
    Fault::new(FaultKind::MalformedPolicyDocument, "This resource policy contains a syntax error.")
}

/// E21: a service that cannot be one.
#[must_use]
pub fn unsupported_service() -> Fault {
    Fault::new(
        FaultKind::MalformedPolicyDocument,
        "This resource policy contains an unsupported service principal.",
    )
}

/// E22: broad access, where it is blocked.
#[must_use]
pub fn public_policy() -> Fault {
    Fault::new(
        FaultKind::PublicPolicy,
        "You can't attach a resource-based policy that allows broad access to the secret.",
    )
}

/// Only the policy `default` can be attached and deleted (our own text).
#[must_use]
pub fn reserved_policy() -> Fault {
    Fault::new(
        FaultKind::InvalidParameter,
        "You can attach and delete only the resource policy with the name default.",
    )
}

/// No policy of that name is attached (our own text).
#[must_use]
pub fn no_policy(name: &str) -> Fault {
    Fault::new(
        FaultKind::ResourceNotFound,
        format!("Secrets Manager can't find the specified resource policy: {name}"),
    )
}

/// E28: what changes a secret is asked for at its primary.
#[must_use]
pub fn is_replica() -> Fault {
    Fault::new(
        FaultKind::InvalidParameter,
        "Operation not permitted on a replica secret. Call must be made in primary secret's region.",
    )
}

/// E29: a primary goes after its replicas.
#[must_use]
pub fn has_replicas(secret_id: &str, replicas: &[Replica]) -> Fault {
    let regions: Vec<&str> = replicas.iter().map(|replica| &*replica.region).collect();
    Fault::new(
        FaultKind::InvalidParameter,
        format!(
            "You can't delete secret {secret_id} that still has replica regions [{}]",
            regions.join(",")
        ),
    )
}

/// E30: a secret is no replica of itself.
#[must_use]
pub fn bad_replica_region() -> Fault {
    Fault::new(FaultKind::InvalidParameter, "Invalid replica region.")
}

/// The same region twice in one request (our own text).
#[must_use]
pub fn duplicate_region(region: &str) -> Fault {
    Fault::new(FaultKind::InvalidParameter, format!("Duplicate replica region: {region}"))
}

/// More replicas, or longer key names of theirs, than a secret may have (our own text).
#[must_use]
pub fn too_many_replicas() -> Fault {
    Fault::new(
        FaultKind::InvalidParameter,
        format!(
            "A secret can have at most {} replicas, whose KmsKeyId have at most {} bytes together.",
            limits::REPLICAS_MAX,
            limits::REPLICA_KEYS_BYTES_MAX
        ),
    )
}

/// `StopReplicationToReplica` on what is no replica (our own text).
#[must_use]
pub fn is_no_replica() -> Fault {
    Fault::new(
        FaultKind::InvalidParameter,
        "Operation only permitted on a replica secret. Call must be made in replica secret's region.",
    )
}

/// `StopReplicationToReplica` on more than one operation copies (our own text).
#[must_use]
pub fn too_much_to_copy() -> Fault {
    Fault::new(
        FaultKind::InvalidRequest,
        "You can't stop replication because the versions with staging labels are too large to copy \
         at once. Remove staging labels that you don't need in the primary region first.",
    )
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

/// E10 as `RotateSecret` says it: another exception, the same text.
#[must_use]
pub fn no_rotation_token() -> Fault {
    Fault { kind: FaultKind::InvalidParameter, ..no_token() }
}

/// E15: no rotation function was ever named.
#[must_use]
pub fn no_function() -> Fault {
    Fault::new(
        FaultKind::InvalidRequest,
        "No Lambda rotation function ARN is associated with this secret.",
    )
}

/// E16: the rotation function cannot be called.
#[must_use]
pub fn function_not_callable() -> Fault {
    Fault::new(
        FaultKind::AccessDenied,
        "Secrets Manager cannot invoke the specified Lambda function. Ensure that the function \
         policy grants access to the principal secretsmanager.amazonaws.com.",
    )
}

/// E17: AWSPENDING is on a version that is not current.
#[must_use]
pub fn rotation_not_complete() -> Fault {
    Fault::new(
        FaultKind::InvalidRequest,
        "A previous rotation isn't complete. That rotation will be reattempted.",
    )
}

/// The token of a rotation names a version already. `InvalidRequestException`, because the
/// operation declares no `ResourceExistsException` (our own text).
#[must_use]
pub fn rotation_token_is_taken(token: &VersionId) -> Fault {
    Fault::new(
        FaultKind::InvalidRequest,
        format!(
            "You can't use ClientRequestToken {token} because that value is already in use for a \
             version of this secret."
        ),
    )
}

/// E39: nothing allows it. Says the same whether the secret is there or not.
#[must_use]
pub fn not_allowed(user: &str, action: &str, resource: &str) -> Fault {
    let action = format!("secretsmanager:{action}");
    Fault::new(
        FaultKind::AccessDenied,
        format!(
            "User: {user} is not authorized to perform: {action} on resource: {resource} because no \
             resource-based policy allows the {action} action"
        ),
    )
}

/// `CancelRotateSecret` on a secret whose rotation was never configured.
#[must_use]
pub fn rotation_never_configured() -> Fault {
    Fault::new(
        FaultKind::InvalidRequest,
        "You tried to enable rotation on a secret that doesn't already have a Lambda function ARN \
         configured and you didn't include such an ARN as a parameter in this call.",
    )
}

/// Two ways to say when to rotate (our own text).
#[must_use]
pub fn two_schedules() -> Fault {
    Fault::new(
        FaultKind::InvalidParameter,
        "You can't specify both AutomaticallyAfterDays and ScheduleExpression in RotationRules.",
    )
}

/// A schedule that is none (our own text).
#[must_use]
pub fn bad_schedule() -> Fault {
    Fault::new(FaultKind::InvalidParameter, "The ScheduleExpression value is invalid.")
}

/// A rotation window that is none, or too long for its schedule (our own text).
#[must_use]
pub fn bad_duration() -> Fault {
    Fault::new(
        FaultKind::InvalidParameter,
        "The Duration value is invalid: a rotation window must end on the UTC day on which it \
         starts and before the next one starts.",
    )
}

/// E39: a policy forbids it to the secret's own account.
#[must_use]
pub fn denied(user: &str, action: &str, resource: &str) -> Fault {
    Fault::new(
        FaultKind::AccessDenied,
        format!(
            "User: {user} is not authorized to perform: secretsmanager:{action} on resource: \
             {resource} with an explicit deny in a resource-based policy"
        ),
    )
}
