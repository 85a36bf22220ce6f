//! The operations that are served, and the members of their requests.

use super::shape::Kind::{Blob, Boolean, Integer, List, Long, Structure, Text};
use super::shape::Member;

/// An operation of the API. Those of AWS that are not here are unknown to this server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    CreateSecret,
    DeleteSecret,
    DescribeSecret,
    GetResourcePolicy,
    GetSecretValue,
    ListSecretVersionIds,
    ListSecrets,
    PutSecretValue,
    RemoveRegionsFromReplication,
    ReplicateSecretToRegions,
    RestoreSecret,
    StopReplicationToReplica,
    TagResource,
    UntagResource,
    UpdateSecret,
    UpdateSecretVersionStage,
}

impl Operation {
    /// Reads an `X-Amz-Target`, which has to match to the letter (rule WIRE-FRONT-3).
    pub(super) fn from_target(target: &str) -> Option<Self> {
        Some(match target.strip_prefix("secretsmanager.")? {
            "CreateSecret" => Self::CreateSecret,
            "DeleteSecret" => Self::DeleteSecret,
            "DescribeSecret" => Self::DescribeSecret,
            "GetResourcePolicy" => Self::GetResourcePolicy,
            "GetSecretValue" => Self::GetSecretValue,
            "ListSecretVersionIds" => Self::ListSecretVersionIds,
            "ListSecrets" => Self::ListSecrets,
            "PutSecretValue" => Self::PutSecretValue,
            "RemoveRegionsFromReplication" => Self::RemoveRegionsFromReplication,
            "ReplicateSecretToRegions" => Self::ReplicateSecretToRegions,
            "RestoreSecret" => Self::RestoreSecret,
            "StopReplicationToReplica" => Self::StopReplicationToReplica,
            "TagResource" => Self::TagResource,
            "UntagResource" => Self::UntagResource,
            "UpdateSecret" => Self::UpdateSecret,
            "UpdateSecretVersionStage" => Self::UpdateSecretVersionStage,
            _ => return None,
        })
    }

    /// The members of its request (API model of 2017-10-17).
    pub(super) fn members(self) -> &'static [Member] {
        match self {
            Self::CreateSecret => CREATE_SECRET,
            Self::DeleteSecret => DELETE_SECRET,
            Self::DescribeSecret
            | Self::GetResourcePolicy
            | Self::RestoreSecret
            | Self::StopReplicationToReplica => SECRET_ID_ONLY,
            Self::GetSecretValue => GET_SECRET_VALUE,
            Self::ListSecretVersionIds => LIST_SECRET_VERSION_IDS,
            Self::ListSecrets => LIST_SECRETS,
            Self::PutSecretValue => PUT_SECRET_VALUE,
            Self::RemoveRegionsFromReplication => REMOVE_REGIONS_FROM_REPLICATION,
            Self::ReplicateSecretToRegions => REPLICATE_SECRET_TO_REGIONS,
            Self::TagResource => TAG_RESOURCE,
            Self::UntagResource => UNTAG_RESOURCE,
            Self::UpdateSecret => UPDATE_SECRET,
            Self::UpdateSecretVersionStage => UPDATE_SECRET_VERSION_STAGE,
        }
    }
}

static CREATE_SECRET: &[Member] = &[
    Member::required("Name", Text),
    Member::optional("ClientRequestToken", Text),
    Member::optional("Description", Text),
    Member::optional("KmsKeyId", Text),
    Member::sensitive("SecretBinary", Blob),
    Member::sensitive("SecretString", Text),
    Member::optional("Tags", List(&Structure(TAG))),
    Member::optional("AddReplicaRegions", List(&Structure(REPLICA_REGION))),
    Member::optional("ForceOverwriteReplicaSecret", Boolean),
];
static DELETE_SECRET: &[Member] = &[
    Member::required("SecretId", Text),
    Member::optional("RecoveryWindowInDays", Long),
    Member::optional("ForceDeleteWithoutRecovery", Boolean),
];
static SECRET_ID_ONLY: &[Member] = &[Member::required("SecretId", Text)];
static GET_SECRET_VALUE: &[Member] = &[
    Member::required("SecretId", Text),
    Member::optional("VersionId", Text),
    Member::optional("VersionStage", Text),
];
static LIST_SECRET_VERSION_IDS: &[Member] = &[
    Member::required("SecretId", Text),
    Member::optional("MaxResults", Integer),
    Member::optional("NextToken", Text),
    Member::optional("IncludeDeprecated", Boolean),
];
static LIST_SECRETS: &[Member] = &[
    Member::optional("IncludePlannedDeletion", Boolean),
    Member::optional("MaxResults", Integer),
    Member::optional("NextToken", Text),
    Member::optional("Filters", List(&Structure(FILTER))),
    Member::optional("SortOrder", Text),
    Member::optional("SortBy", Text),
];
static PUT_SECRET_VALUE: &[Member] = &[
    Member::required("SecretId", Text),
    Member::optional("ClientRequestToken", Text),
    Member::sensitive("SecretBinary", Blob),
    Member::sensitive("SecretString", Text),
    Member::optional("VersionStages", List(&Text)),
];
static REMOVE_REGIONS_FROM_REPLICATION: &[Member] =
    &[Member::required("SecretId", Text), Member::required("RemoveReplicaRegions", List(&Text))];
static REPLICATE_SECRET_TO_REGIONS: &[Member] = &[
    Member::required("SecretId", Text),
    Member::required("AddReplicaRegions", List(&Structure(REPLICA_REGION))),
    Member::optional("ForceOverwriteReplicaSecret", Boolean),
];
static TAG_RESOURCE: &[Member] =
    &[Member::required("SecretId", Text), Member::required("Tags", List(&Structure(TAG)))];
static UNTAG_RESOURCE: &[Member] =
    &[Member::required("SecretId", Text), Member::required("TagKeys", List(&Text))];
static UPDATE_SECRET: &[Member] = &[
    Member::required("SecretId", Text),
    Member::optional("ClientRequestToken", Text),
    Member::optional("Description", Text),
    Member::optional("KmsKeyId", Text),
    Member::sensitive("SecretBinary", Blob),
    Member::sensitive("SecretString", Text),
];
static UPDATE_SECRET_VERSION_STAGE: &[Member] = &[
    Member::required("SecretId", Text),
    Member::required("VersionStage", Text),
    Member::optional("RemoveFromVersionId", Text),
    Member::optional("MoveToVersionId", Text),
];
static TAG: &[Member] = &[Member::optional("Key", Text), Member::optional("Value", Text)];
static REPLICA_REGION: &[Member] =
    &[Member::optional("Region", Text), Member::optional("KmsKeyId", Text)];
static FILTER: &[Member] =
    &[Member::optional("Key", Text), Member::optional("Values", List(&Text))];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_matches_to_the_letter() {
        assert_eq!(
            Operation::from_target("secretsmanager.GetSecretValue"),
            Some(Operation::GetSecretValue)
        );
        for target in [
            "",
            "secretsmanager",
            "secretsmanager.",
            "GetSecretValue",
            "secretsmanager.getsecretvalue",
            "SecretsManager.GetSecretValue",
            "secretsmanager.GetSecretValue ",
            "secretsmanager.secretsmanager.GetSecretValue",
            "secretsmanager.RotateSecret",
            "dynamodb.GetSecretValue",
        ] {
            assert_eq!(Operation::from_target(target), None, "{target:?}");
        }
    }
}
