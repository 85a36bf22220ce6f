//! The operations that are served, and the members of their requests.

use crate::wire::schema::Kind::{Blob, Boolean, Integer, List, Long, Structure, Text};
use crate::wire::schema::Member;

/// An operation of the API. Those of AWS that are not here are unknown to this server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    AssociateCrossAccountReplica,
    BatchGetSecretValue,
    CancelRotateSecret,
    CreateSecret,
    DeleteResourcePolicy,
    DeleteSecret,
    DescribeSecret,
    DisassociateCrossAccountReplica,
    GetRandomPassword,
    GetResourcePolicy,
    GetSecretValue,
    ListResourcePolicies,
    ListSecretVersionIds,
    ListSecrets,
    PutResourcePolicy,
    PutSecretValue,
    RemoveRegionsFromReplication,
    ReplicateSecretToRegions,
    RestoreSecret,
    RotateSecret,
    StopReplicationToReplica,
    TagResource,
    UntagResource,
    UpdateSecret,
    UpdateSecretVersionStage,
    ValidateResourcePolicy,
}

impl Operation {
    /// Reads an `X-Amz-Target`, which has to match to the letter (rule WIRE-FRONT-3).
    pub(crate) fn from_target(target: &str) -> Option<Self> {
        Some(match target.strip_prefix("secretsmanager.")? {
            "AssociateCrossAccountReplica" => Self::AssociateCrossAccountReplica,
            "BatchGetSecretValue" => Self::BatchGetSecretValue,
            "CancelRotateSecret" => Self::CancelRotateSecret,
            "CreateSecret" => Self::CreateSecret,
            "DeleteResourcePolicy" => Self::DeleteResourcePolicy,
            "DeleteSecret" => Self::DeleteSecret,
            "DescribeSecret" => Self::DescribeSecret,
            "DisassociateCrossAccountReplica" => Self::DisassociateCrossAccountReplica,
            "GetRandomPassword" => Self::GetRandomPassword,
            "GetResourcePolicy" => Self::GetResourcePolicy,
            "GetSecretValue" => Self::GetSecretValue,
            "ListResourcePolicies" => Self::ListResourcePolicies,
            "ListSecretVersionIds" => Self::ListSecretVersionIds,
            "ListSecrets" => Self::ListSecrets,
            "PutResourcePolicy" => Self::PutResourcePolicy,
            "PutSecretValue" => Self::PutSecretValue,
            "RemoveRegionsFromReplication" => Self::RemoveRegionsFromReplication,
            "ReplicateSecretToRegions" => Self::ReplicateSecretToRegions,
            "RestoreSecret" => Self::RestoreSecret,
            "RotateSecret" => Self::RotateSecret,
            "StopReplicationToReplica" => Self::StopReplicationToReplica,
            "TagResource" => Self::TagResource,
            "UntagResource" => Self::UntagResource,
            "UpdateSecret" => Self::UpdateSecret,
            "UpdateSecretVersionStage" => Self::UpdateSecretVersionStage,
            "ValidateResourcePolicy" => Self::ValidateResourcePolicy,
            _ => return None,
        })
    }

    /// Whether it changes nothing.
    #[cfg(feature = "testkit")]
    pub(crate) fn only_reads(self) -> bool {
        matches!(
            self,
            Self::BatchGetSecretValue
                | Self::DescribeSecret
                | Self::GetRandomPassword
                | Self::GetResourcePolicy
                | Self::GetSecretValue
                | Self::ListResourcePolicies
                | Self::ListSecretVersionIds
                | Self::ListSecrets
                | Self::ValidateResourcePolicy
        )
    }

    /// The members of its request (API model of 2017-10-17).
    pub(crate) fn members(self) -> &'static [Member] {
        match self {
            Self::AssociateCrossAccountReplica => ASSOCIATE_CROSS_ACCOUNT_REPLICA,
            Self::BatchGetSecretValue => BATCH_GET_SECRET_VALUE,
            Self::CreateSecret => CREATE_SECRET,
            Self::DeleteSecret => DELETE_SECRET,
            Self::CancelRotateSecret
            | Self::DescribeSecret
            | Self::RestoreSecret
            | Self::StopReplicationToReplica => SECRET_ID_ONLY,
            Self::DisassociateCrossAccountReplica => DISASSOCIATE_CROSS_ACCOUNT_REPLICA,
            Self::DeleteResourcePolicy | Self::GetResourcePolicy => RESOURCE_POLICY_ID,
            Self::GetRandomPassword => GET_RANDOM_PASSWORD,
            Self::GetSecretValue => GET_SECRET_VALUE,
            Self::ListResourcePolicies => LIST_RESOURCE_POLICIES,
            Self::ListSecretVersionIds => LIST_SECRET_VERSION_IDS,
            Self::ListSecrets => LIST_SECRETS,
            Self::PutResourcePolicy => PUT_RESOURCE_POLICY,
            Self::PutSecretValue => PUT_SECRET_VALUE,
            Self::RotateSecret => ROTATE_SECRET,
            Self::RemoveRegionsFromReplication => REMOVE_REGIONS_FROM_REPLICATION,
            Self::ReplicateSecretToRegions => REPLICATE_SECRET_TO_REGIONS,
            Self::TagResource => TAG_RESOURCE,
            Self::UntagResource => UNTAG_RESOURCE,
            Self::UpdateSecret => UPDATE_SECRET,
            Self::UpdateSecretVersionStage => UPDATE_SECRET_VERSION_STAGE,
            Self::ValidateResourcePolicy => VALIDATE_RESOURCE_POLICY,
        }
    }
}

static ASSOCIATE_CROSS_ACCOUNT_REPLICA: &[Member] = &[
    Member::required("SecretId", Text),
    Member::required("CrossAccountReplicaARN", Text),
    Member::optional("ReplicaRestriction", Text),
    Member::optional("ReplicationRoleARN", Text),
];
static BATCH_GET_SECRET_VALUE: &[Member] = &[
    Member::optional("SecretIdList", List(&Text)),
    Member::optional("Filters", List(&Structure(FILTER))),
    Member::optional("MaxResults", Integer),
    Member::optional("NextToken", Text),
];
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
    Member::optional("Type", Text),
    Member::optional("CrossAccountPrimaryARN", Text),
];
static DELETE_SECRET: &[Member] = &[
    Member::required("SecretId", Text),
    Member::optional("RecoveryWindowInDays", Long),
    Member::optional("ForceDeleteWithoutRecovery", Boolean),
];
static DISASSOCIATE_CROSS_ACCOUNT_REPLICA: &[Member] =
    &[Member::required("SecretId", Text), Member::required("CrossAccountReplicaARN", Text)];
static SECRET_ID_ONLY: &[Member] = &[Member::required("SecretId", Text)];
static GET_RANDOM_PASSWORD: &[Member] = &[
    Member::optional("PasswordLength", Long),
    Member::optional("ExcludeCharacters", Text),
    Member::optional("ExcludeNumbers", Boolean),
    Member::optional("ExcludePunctuation", Boolean),
    Member::optional("ExcludeUppercase", Boolean),
    Member::optional("ExcludeLowercase", Boolean),
    Member::optional("IncludeSpace", Boolean),
    Member::optional("RequireEachIncludedType", Boolean),
];
static GET_SECRET_VALUE: &[Member] = &[
    Member::required("SecretId", Text),
    Member::optional("VersionId", Text),
    Member::optional("VersionStage", Text),
];
static LIST_RESOURCE_POLICIES: &[Member] = &[
    Member::required("SecretId", Text),
    Member::optional("MaxResults", Integer),
    Member::optional("NextToken", Text),
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
static PUT_RESOURCE_POLICY: &[Member] = &[
    Member::required("SecretId", Text),
    Member::required("ResourcePolicy", Text),
    Member::optional("PolicyName", Text),
    Member::optional("BlockPublicPolicy", Boolean),
];
static PUT_SECRET_VALUE: &[Member] = &[
    Member::required("SecretId", Text),
    Member::optional("ClientRequestToken", Text),
    Member::sensitive("SecretBinary", Blob),
    Member::sensitive("SecretString", Text),
    Member::optional("VersionStages", List(&Text)),
    Member::sensitive("RotationToken", Text),
];
static ROTATE_SECRET: &[Member] = &[
    Member::required("SecretId", Text),
    Member::optional("ClientRequestToken", Text),
    Member::optional("RotationLambdaARN", Text),
    Member::optional("RotationRules", Structure(ROTATION_RULES)),
    Member::optional("ExternalSecretRotationMetadata", List(&Structure(EXTERNAL_METADATA))),
    Member::optional("ExternalSecretRotationRoleArn", Text),
    Member::optional("RotateImmediately", Boolean),
];
static RESOURCE_POLICY_ID: &[Member] =
    &[Member::required("SecretId", Text), Member::optional("PolicyName", Text)];
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
    Member::optional("Type", Text),
];
static UPDATE_SECRET_VERSION_STAGE: &[Member] = &[
    Member::required("SecretId", Text),
    Member::required("VersionStage", Text),
    Member::optional("RemoveFromVersionId", Text),
    Member::optional("MoveToVersionId", Text),
];
static VALIDATE_RESOURCE_POLICY: &[Member] =
    &[Member::optional("SecretId", Text), Member::required("ResourcePolicy", Text)];
static TAG: &[Member] = &[Member::optional("Key", Text), Member::optional("Value", Text)];
static EXTERNAL_METADATA: &[Member] =
    &[Member::optional("Key", Text), Member::optional("Value", Text)];
static ROTATION_RULES: &[Member] = &[
    Member::optional("AutomaticallyAfterDays", Long),
    Member::optional("Duration", Text),
    Member::optional("ScheduleExpression", Text),
];
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
            "secretsmanager.RotateSecrets",
            "dynamodb.GetSecretValue",
        ] {
            assert_eq!(Operation::from_target(target), None, "{target:?}");
        }
    }
}
