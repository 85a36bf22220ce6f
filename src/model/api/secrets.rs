//! Requests and responses about secrets as wholes: make, describe, list, change, delete, restore.

use super::cross_account::{PrimaryDescription, ReplicaDescription};
use super::paged::paged;
use super::replication::{ReplicaRegion, ReplicationStatus};
use super::request::request;
use super::responses::{SecretResponse, VersionResponse};
use super::rotation::RotationDescription;
use crate::env::UnixMillis;
use crate::model::external::External;
use crate::model::name::VersionId;
use crate::model::record::Tag;
use crate::secret::SecretValue;

request! {
    /// `CreateSecret`.
    #[derive(Debug)]
    CreateSecret<V = SecretValue> {
        required {
            /// `Name`, 1 to 512 characters of `A-Z a-z 0-9 / _ + = . @ ! -`.
            name: String,
        }
        optional {
            /// `ClientRequestToken`, 32 to 64 characters; becomes the `VersionId`. The vault's methods
            /// draw one if it is absent.
            client_request_token: String,
            /// `Description`, at most 2048 characters.
            description: String,
            /// `KmsKeyId`, at most 2048 characters; absent: AWS's own key.
            kms_key_id: String,
            /// `SecretString` or `SecretBinary`, 1 to 65536 bytes.
            value: V,
            /// `ForceOverwriteReplicaSecret`: replaces secrets of this name in the replica regions.
            force_overwrite_replica_secret: bool,
            /// `Type`: the partner of a managed external secret.
            partner: String,
            /// `CrossAccountPrimaryARN`: makes a replica of a secret of another account.
            cross_account_primary_arn: String,
        }
        list {
            /// `Tags`, at most 50.
            tags: Tag,
            /// `AddReplicaRegions`: where else the secret is shown.
            add_replica_regions: ReplicaRegion,
        }
    }
}

/// Response of `CreateSecret`.
pub type CreateSecretResponse = VersionResponse;

request! {
    /// `UpdateSecret`.
    #[derive(Debug)]
    UpdateSecret<V = SecretValue> {
        required {
            /// `SecretId`: name or ARN.
            secret_id: String,
        }
        optional {
            /// `ClientRequestToken`, 32 to 64 characters; becomes the `VersionId`. The vault's methods
            /// draw one if it is absent.
            client_request_token: String,
            /// `Description`, at most 2048 characters; empty clears it.
            description: String,
            /// `KmsKeyId`, at most 2048 characters; empty goes back to AWS's own key.
            kms_key_id: String,
            /// `SecretString` or `SecretBinary`, 1 to 65536 bytes.
            value: V,
            /// `Type`: the partner of a managed external secret; empty makes it an ordinary one.
            partner: String,
        }
    }
}

/// Response of `UpdateSecret`.
pub type UpdateSecretResponse = VersionResponse;

request! {
    /// `DeleteSecret`.
    #[derive(Clone, Debug, Default)]
    DeleteSecret {
        required {
            /// `SecretId`: name or ARN.
            secret_id: String,
        }
        optional {
            /// `RecoveryWindowInDays`, 7 to 30; absent: 30.
            recovery_window_in_days: i64,
            /// `ForceDeleteWithoutRecovery`: purges at once.
            force_delete_without_recovery: bool,
        }
    }
}

/// Response of `DeleteSecret`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeleteSecretResponse {
    /// `ARN`
    pub arn: String,
    /// `Name`
    pub name: String,
    /// `DeletionDate`: when the recovery window ends.
    pub deletion_date: UnixMillis,
}

request! {
    /// `RestoreSecret`.
    #[derive(Clone, Debug, Default)]
    RestoreSecret {
        required {
            /// `SecretId`: name or ARN.
            secret_id: String,
        }
    }
}

/// Response of `RestoreSecret`.
pub type RestoreSecretResponse = SecretResponse;

request! {
    /// `DescribeSecret`.
    #[derive(Clone, Debug, Default)]
    DescribeSecret {
        required {
            /// `SecretId`: name or ARN.
            secret_id: String,
        }
    }
}

/// Response of `DescribeSecret`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DescribeSecretResponse {
    /// `ARN`
    pub arn: String,
    /// `Name`
    pub name: String,
    /// `Description`
    pub description: Option<String>,
    /// `KmsKeyId`; `None` for AWS's own key.
    pub kms_key_id: Option<String>,
    /// `CreatedDate`
    pub created_date: UnixMillis,
    /// `LastChangedDate`
    pub last_changed_date: UnixMillis,
    /// `LastAccessedDate`: midnight UTC of the day.
    pub last_accessed_date: Option<UnixMillis>,
    /// `DeletedDate`: when the deletion was scheduled.
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

request! {
    /// `ListSecrets`.
    #[derive(Clone, Debug, Default)]
    ListSecrets {
        required {}
        optional {
            /// `IncludePlannedDeletion`: shows secrets that are scheduled for deletion too.
            include_planned_deletion: bool,
            /// `MaxResults`, 1 to 100; absent: 100.
            max_results: i64,
            /// `NextToken` of the page before.
            next_token: String,
            /// `SortOrder`: `asc` or `desc`; absent: `desc`.
            sort_order: String,
            /// `SortBy`: `created-date`, `last-accessed-date`, `last-changed-date` or `name`.
            sort_by: String,
        }
        list {
            /// `Filters`, at most 10; a secret is shown if all fit.
            filters: Filter,
        }
    }
}

/// Response of `ListSecrets`: a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListSecretsResponse {
    /// `SecretList`
    pub secrets: Vec<SecretListEntry>,
    /// `NextToken`, if there is more.
    pub next_token: Option<String>,
}

paged!(ListSecrets: secrets of SecretListEntry);

/// An entry of `SecretList`: a description without what lists leave out.
pub type SecretListEntry = DescribeSecretResponse;

request! {
    /// One of `Filters` of `ListSecrets` and `BatchGetSecretValue`.
    #[derive(Clone, Debug, Default)]
    Filter {
        required {}
        optional {
            /// `Key`: `name`, `description`, `tag-key`, `tag-value`, `primary-region`,
            /// `owning-service` or `all`.
            key: String,
        }
        list {
            /// `Values`, 1 to 10; `!` before one turns it into its opposite.
            values: String,
        }
    }
}
