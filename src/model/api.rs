//! Requests and answers of the AWS operations, in AWS's words. Members are as they arrive: the
//! checks are `semantics`'. `V` is the value: [`SecretValue`] at the edge, [`PayloadKind`] once
//! `vault` has sealed it, so that nothing below ever sees plaintext.

mod cross_account;
mod policy;
mod replication;

pub use cross_account::{
    AssociateCrossAccountReplica, Associated, DisassociateCrossAccountReplica, PrimaryDescription,
    ReplicaDescription,
};
pub use policy::{
    ListResourcePolicies, PolicyFinding, PolicyNamed, PolicyPage, PolicyValidation,
    PutResourcePolicy, ResourcePolicy, ResourcePolicyId, ValidateResourcePolicy,
};
pub use replication::{
    RemoveRegionsFromReplication, ReplicaRegion, ReplicateSecretToRegions, Replicated,
    ReplicationStatus,
};

use super::external::External;
use super::name::VersionId;
use super::record::Tag;
pub use super::rotation::{
    AdvanceRotation, RotateSecret, RotationCall, RotationDescription, RotationReport,
    RotationRules, RotationTurn,
};
use super::rotation_token::RotationToken;
use crate::env::UnixMillis;
use crate::secret::{PayloadKind, SecretValue};

/// `CreateSecret`.
pub struct CreateSecret<V = SecretValue> {
    /// `Name`
    pub name: String,
    /// `ClientRequestToken`; the library makes one if it is absent, raw HTTP gets E10.
    pub client_request_token: Option<String>,
    /// `Description`
    pub description: Option<String>,
    /// `KmsKeyId`
    pub kms_key_id: Option<String>,
    /// `SecretString` or `SecretBinary`
    pub value: Option<V>,
    /// `Tags`
    pub tags: Option<Vec<Tag>>,
    /// `AddReplicaRegions`
    pub add_replica_regions: Option<Vec<ReplicaRegion>>,
    /// `ForceOverwriteReplicaSecret`
    pub force_overwrite_replica_secret: Option<bool>,
    /// `Type`: the partner of a managed external secret.
    pub partner: Option<String>,
    /// `CrossAccountPrimaryARN`: makes a replica of a secret of another account.
    pub cross_account_primary_arn: Option<String>,
}

impl<V> CreateSecret<V> {
    /// A request with nothing but a name.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            client_request_token: None,
            description: None,
            kms_key_id: None,
            value: None,
            tags: None,
            add_replica_regions: None,
            force_overwrite_replica_secret: None,
            partner: None,
            cross_account_primary_arn: None,
        }
    }
}

/// `PutSecretValue`.
pub struct PutSecretValue<V = SecretValue> {
    /// `SecretId`
    pub secret_id: String,
    /// `ClientRequestToken`; becomes the `VersionId`.
    pub client_request_token: Option<String>,
    /// `SecretString` or `SecretBinary`
    pub value: Option<V>,
    /// `VersionStages`
    pub version_stages: Option<Vec<String>>,
    /// `RotationToken`; checked and not kept.
    pub rotation_token: Option<RotationToken>,
}

impl<V> PutSecretValue<V> {
    /// A request with a value and nothing else.
    #[must_use]
    pub fn new(secret_id: impl Into<String>, value: V) -> Self {
        Self {
            secret_id: secret_id.into(),
            client_request_token: None,
            value: Some(value),
            version_stages: None,
            rotation_token: None,
        }
    }
}

/// `UpdateSecret`.
pub struct UpdateSecret<V = SecretValue> {
    /// `SecretId`
    pub secret_id: String,
    /// `ClientRequestToken`
    pub client_request_token: Option<String>,
    /// `Description`; empty clears it.
    pub description: Option<String>,
    /// `KmsKeyId`; empty goes back to the default key.
    pub kms_key_id: Option<String>,
    /// `SecretString` or `SecretBinary`
    pub value: Option<V>,
    /// `Type`; empty makes it an ordinary secret.
    pub partner: Option<String>,
}

impl<V> UpdateSecret<V> {
    /// A request that changes nothing yet.
    #[must_use]
    pub fn new(secret_id: impl Into<String>) -> Self {
        Self {
            secret_id: secret_id.into(),
            client_request_token: None,
            description: None,
            kms_key_id: None,
            value: None,
            partner: None,
        }
    }
}

/// `GetSecretValue`.
#[derive(Clone, Debug, Default)]
pub struct GetSecretValue {
    /// `SecretId`
    pub secret_id: String,
    /// `VersionId`
    pub version_id: Option<String>,
    /// `VersionStage`
    pub version_stage: Option<String>,
}

impl GetSecretValue {
    /// The current value.
    #[must_use]
    pub fn new(secret_id: impl Into<String>) -> Self {
        Self { secret_id: secret_id.into(), ..Self::default() }
    }
}

/// `GetRandomPassword`.
#[derive(Clone, Debug, Default)]
pub struct GetRandomPassword {
    /// `PasswordLength`, 1 to 4096; 32 if absent.
    pub password_length: Option<i64>,
    /// `ExcludeCharacters`: none of these.
    pub exclude_characters: Option<String>,
    /// `ExcludeNumbers`
    pub exclude_numbers: Option<bool>,
    /// `ExcludePunctuation`
    pub exclude_punctuation: Option<bool>,
    /// `ExcludeUppercase`
    pub exclude_uppercase: Option<bool>,
    /// `ExcludeLowercase`
    pub exclude_lowercase: Option<bool>,
    /// `IncludeSpace`
    pub include_space: Option<bool>,
    /// `RequireEachIncludedType`; true if absent.
    pub require_each_included_type: Option<bool>,
}

/// `BatchGetSecretValue`: either ids or filters.
#[derive(Clone, Debug, Default)]
pub struct BatchGetSecretValue {
    /// `SecretIdList`, 1 to 20.
    pub secret_id_list: Option<Vec<String>>,
    /// `Filters`
    pub filters: Option<Vec<Filter>>,
    /// `MaxResults`, 1 to 20; with filters only.
    pub max_results: Option<i64>,
    /// `NextToken`
    pub next_token: Option<String>,
}

/// `DescribeSecret`, `RestoreSecret`, `CancelRotateSecret`, `StopReplicationToReplica`: requests
/// with a `SecretId` and no more.
#[derive(Clone, Debug, Default)]
pub struct SecretIdOnly {
    /// `SecretId`
    pub secret_id: String,
}

impl SecretIdOnly {
    /// A request about this secret.
    #[must_use]
    pub fn new(secret_id: impl Into<String>) -> Self {
        Self { secret_id: secret_id.into() }
    }
}

/// `ListSecretVersionIds`.
#[derive(Clone, Debug, Default)]
pub struct ListSecretVersionIds {
    /// `SecretId`
    pub secret_id: String,
    /// `MaxResults`, 1 to 100.
    pub max_results: Option<i64>,
    /// `NextToken`
    pub next_token: Option<String>,
    /// `IncludeDeprecated`
    pub include_deprecated: Option<bool>,
}

/// One of `Filters`.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// `Key`
    pub key: Option<String>,
    /// `Values`
    pub values: Option<Vec<String>>,
}

/// `ListSecrets`.
#[derive(Clone, Debug, Default)]
pub struct ListSecrets {
    /// `IncludePlannedDeletion`
    pub include_planned_deletion: Option<bool>,
    /// `MaxResults`, 1 to 100.
    pub max_results: Option<i64>,
    /// `NextToken`
    pub next_token: Option<String>,
    /// `Filters`
    pub filters: Option<Vec<Filter>>,
    /// `SortOrder`: `asc` or `desc`
    pub sort_order: Option<String>,
    /// `SortBy`: `created-date`, `last-accessed-date`, `last-changed-date` or `name`
    pub sort_by: Option<String>,
}

/// `UpdateSecretVersionStage`.
#[derive(Clone, Debug, Default)]
pub struct UpdateSecretVersionStage {
    /// `SecretId`
    pub secret_id: String,
    /// `VersionStage`
    pub version_stage: String,
    /// `RemoveFromVersionId`
    pub remove_from_version_id: Option<String>,
    /// `MoveToVersionId`
    pub move_to_version_id: Option<String>,
}

/// `DeleteSecret`.
#[derive(Clone, Debug, Default)]
pub struct DeleteSecret {
    /// `SecretId`
    pub secret_id: String,
    /// `RecoveryWindowInDays`, 7 to 30.
    pub recovery_window_in_days: Option<i64>,
    /// `ForceDeleteWithoutRecovery`
    pub force_delete_without_recovery: Option<bool>,
}

/// `TagResource`.
#[derive(Clone, Debug, Default)]
pub struct TagResource {
    /// `SecretId`
    pub secret_id: String,
    /// `Tags`
    pub tags: Vec<Tag>,
}

/// `UntagResource`.
#[derive(Clone, Debug, Default)]
pub struct UntagResource {
    /// `SecretId`
    pub secret_id: String,
    /// `TagKeys`
    pub tag_keys: Vec<String>,
}

/// Everything that changes the vault, its value sealed: what `semantics::plan` decides about.
pub enum Mutation {
    /// `CreateSecret`
    CreateSecret(CreateSecret<PayloadKind>),
    /// `PutSecretValue`
    PutSecretValue(PutSecretValue<PayloadKind>),
    /// `UpdateSecret`
    UpdateSecret(UpdateSecret<PayloadKind>),
    /// `UpdateSecretVersionStage`
    UpdateSecretVersionStage(UpdateSecretVersionStage),
    /// `DeleteSecret`
    DeleteSecret(DeleteSecret),
    /// `RestoreSecret`
    RestoreSecret(SecretIdOnly),
    /// `TagResource`
    TagResource(TagResource),
    /// `UntagResource`
    UntagResource(UntagResource),
    /// `RotateSecret`
    RotateSecret(RotateSecret),
    /// `CancelRotateSecret`
    CancelRotateSecret(SecretIdOnly),
    /// Takes a secret's rotation one step on.
    AdvanceRotation(AdvanceRotation),
    /// `PutResourcePolicy`
    PutResourcePolicy(PutResourcePolicy),
    /// `DeleteResourcePolicy`
    DeleteResourcePolicy(ResourcePolicyId),
    /// `ReplicateSecretToRegions`
    ReplicateSecretToRegions(ReplicateSecretToRegions),
    /// `RemoveRegionsFromReplication`
    RemoveRegionsFromReplication(RemoveRegionsFromReplication),
    /// `StopReplicationToReplica`
    StopReplicationToReplica(SecretIdOnly),
    /// `AssociateCrossAccountReplica`
    AssociateCrossAccountReplica(AssociateCrossAccountReplica),
    /// `DisassociateCrossAccountReplica`
    DisassociateCrossAccountReplica(DisassociateCrossAccountReplica),
    /// Removes some versions that retention lets go (bounded; asked for again while it removes).
    Prune(super::RecordId),
    /// Purges a secret whose recovery window is over.
    Purge(super::RecordId),
    /// Removes some rows of a dead secret (bounded; asked for again while it removes).
    Sweep(super::RecordId),
    /// Notes that a version's value was read on a day (midnight UTC).
    Touch {
        /// The secret.
        id: super::RecordId,
        /// The version.
        seq: super::Seq,
        /// Midnight UTC of the day.
        day: UnixMillis,
    },
}

/// ARN and name: the answer of `DeleteSecret` (with its date), `RestoreSecret`,
/// `UpdateSecretVersionStage`, and the start of most others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// `ARN`
    pub arn: String,
    /// `Name`
    pub name: String,
}

/// Answer of `CreateSecret`, `UpdateSecret`, `PutSecretValue`, `RotateSecret` and
/// `CancelRotateSecret`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// `ARN`
    pub arn: String,
    /// `Name`
    pub name: String,
    /// `VersionId`, if a version was made or matched.
    pub version_id: Option<VersionId>,
    /// `VersionStages` (`PutSecretValue` only; empty otherwise).
    pub version_stages: Vec<String>,
    /// `ReplicationStatus` (`CreateSecret` with `AddReplicaRegions` only).
    pub replication_status: Option<Vec<ReplicationStatus>>,
}

/// Answer of `DeleteSecret`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deleted {
    /// `ARN`
    pub arn: String,
    /// `Name`
    pub name: String,
    /// `DeletionDate`
    pub deletion_date: UnixMillis,
}

/// Answer of `GetSecretValue`.
pub struct SecretValueOutput {
    /// `ARN`
    pub arn: String,
    /// `Name`
    pub name: String,
    /// `VersionId`
    pub version_id: VersionId,
    /// `SecretString` or `SecretBinary`
    pub value: SecretValue,
    /// `VersionStages`; omitted on the wire when empty.
    pub version_stages: Vec<String>,
    /// `CreatedDate` of the version.
    pub created_date: UnixMillis,
}

/// Answer of `BatchGetSecretValue`.
pub struct SecretValueBatch {
    /// `SecretValues`
    pub values: Vec<SecretValueOutput>,
    /// `NextToken`
    pub next_token: Option<String>,
    /// `Errors`
    pub errors: Vec<BatchError>,
}

/// One of `Errors`: why a secret of a batch has no value in the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchError {
    /// `SecretId` as it was asked for.
    pub secret_id: String,
    /// `ErrorCode`: the exception's name.
    pub error_code: String,
    /// `Message`
    pub message: String,
}

/// Answer of `DescribeSecret`, and an entry of `ListSecrets`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// `ARN`
    pub arn: String,
    /// `Name`
    pub name: String,
    /// `Description`
    pub description: Option<String>,
    /// `KmsKeyId`
    pub kms_key_id: Option<String>,
    /// `CreatedDate`
    pub created_date: UnixMillis,
    /// `LastChangedDate`
    pub last_changed_date: UnixMillis,
    /// `LastAccessedDate`
    pub last_accessed_date: Option<UnixMillis>,
    /// `DeletedDate`
    pub deleted_date: Option<UnixMillis>,
    /// `Tags`; `None` when never tagged.
    pub tags: Option<Vec<Tag>>,
    /// `VersionIdsToStages` (`SecretVersionsToStages` in a list): labelled versions only, in age
    /// order; omitted on the wire when empty.
    pub versions_to_stages: Vec<(VersionId, Vec<String>)>,
    /// `OwningService`
    pub owning_service: Option<String>,
    /// What is shown of rotation, once it was configured.
    pub rotation: Option<RotationDescription>,
    /// `PrimaryRegion`, if replicated.
    pub primary_region: Option<String>,
    /// `ReplicationStatus`, if replicated; left out of lists.
    pub replication_status: Option<Vec<ReplicationStatus>>,
    /// `Type` and what is known of the partner's rotation.
    pub external: Option<External>,
    /// `CrossAccountPrimary`; left out of lists.
    pub cross_account_primary: Option<PrimaryDescription>,
    /// `CrossAccountReplicas`: at most one; left out of lists.
    pub cross_account_replica: Option<ReplicaDescription>,
}

/// An entry of `ListSecretVersionIds`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionEntry {
    /// `VersionId`
    pub version_id: VersionId,
    /// `VersionStages`; omitted on the wire when empty.
    pub version_stages: Vec<String>,
    /// `CreatedDate`
    pub created_date: UnixMillis,
    /// `LastAccessedDate`
    pub last_accessed_date: Option<UnixMillis>,
    /// `KmsKeyIds`: `["DefaultEncryptionKey"]` for the default key.
    pub kms_key_ids: Vec<String>,
}

/// Answer of `ListSecretVersionIds`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionPage {
    /// `ARN`
    pub arn: String,
    /// `Name`
    pub name: String,
    /// `Versions`
    pub versions: Vec<VersionEntry>,
    /// `NextToken`
    pub next_token: Option<String>,
}

/// Answer of `ListSecrets`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretPage {
    /// `SecretList`
    pub secrets: Vec<Description>,
    /// `NextToken`
    pub next_token: Option<String>,
}
