//! Requests and responses of replication between accounts.

use super::request::request;
use crate::model::cross_account::CrossAccountStatus;

request! {
    /// `AssociateCrossAccountReplica`.
    #[derive(Clone, Debug, Default)]
    AssociateCrossAccountReplica {
        required {
            /// `SecretId`: name or ARN of the primary.
            secret_id: String,
            /// `CrossAccountReplicaARN`
            replica_arn: String,
        }
        optional {
            /// `ReplicaRestriction`: `SameOrg` or `NoRestriction`. All accounts of a vault are of one
            /// organization.
            replica_restriction: String,
            /// `ReplicationRoleARN`: only shown again, for there are no roles.
            replication_role_arn: String,
        }
    }
}

/// Response of `AssociateCrossAccountReplica`.
pub type AssociateCrossAccountReplicaResponse = AssociationResponse;

request! {
    /// `DisassociateCrossAccountReplica`.
    #[derive(Clone, Debug, Default)]
    DisassociateCrossAccountReplica {
        required {
            /// `SecretId`: name or ARN of the primary.
            secret_id: String,
            /// `CrossAccountReplicaARN`
            replica_arn: String,
        }
    }
}

/// Response of `DisassociateCrossAccountReplica`.
pub type DisassociateCrossAccountReplicaResponse = AssociationResponse;

/// A primary and its replica in another account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssociationResponse {
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
