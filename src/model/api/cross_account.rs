//! Requests and answers of replication between accounts, in AWS's words.

use crate::model::cross_account::CrossAccountStatus;

/// `AssociateCrossAccountReplica`.
#[derive(Clone, Debug, Default)]
pub struct AssociateCrossAccountReplica {
    /// `SecretId`: the primary.
    pub secret_id: String,
    /// `CrossAccountReplicaARN`
    pub replica_arn: String,
    /// `ReplicaRestriction`: `SameOrg` or `NoRestriction`. All accounts of a vault are of one
    /// organization.
    pub replica_restriction: Option<String>,
    /// `ReplicationRoleARN`: shown again and no more, for there are no roles.
    pub replication_role_arn: Option<String>,
}

/// `DisassociateCrossAccountReplica`.
#[derive(Clone, Debug, Default)]
pub struct DisassociateCrossAccountReplica {
    /// `SecretId`: the primary.
    pub secret_id: String,
    /// `CrossAccountReplicaARN`
    pub replica_arn: String,
}

/// Answer of `AssociateCrossAccountReplica` and `DisassociateCrossAccountReplica`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Associated {
    /// `ARN` of the primary.
    pub arn: String,
    /// `CrossAccountReplicaARN`
    pub replica_arn: String,
    /// `ReplicationStatus` (`AssociateCrossAccountReplica` only).
    pub status: Option<CrossAccountStatus>,
}

/// `CrossAccountPrimary` of a description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrimaryDescription {
    /// `PrimarySecretARN`
    pub arn: String,
    /// `ReplicationStatus`
    pub status: CrossAccountStatus,
}

/// An entry of `CrossAccountReplicas` of a description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplicaDescription {
    /// `ReplicaSecretARN`
    pub arn: String,
    /// `ReplicationRoleARN`
    pub role: Option<String>,
    /// `ReplicationStatus`
    pub status: CrossAccountStatus,
}
