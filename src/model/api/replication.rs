//! Requests and answers of replication, in AWS's words.

use crate::model::ReplicaStatus;

/// One of `AddReplicaRegions`.
#[derive(Clone, Debug, Default)]
pub struct ReplicaRegion {
    /// `Region`
    pub region: String,
    /// `KmsKeyId`
    pub kms_key_id: Option<String>,
}

impl ReplicaRegion {
    /// A replica under AWS's own key.
    #[must_use]
    pub fn new(region: impl Into<String>) -> Self {
        Self { region: region.into(), kms_key_id: None }
    }
}

/// `ReplicateSecretToRegions`.
#[derive(Clone, Debug, Default)]
pub struct ReplicateSecretToRegions {
    /// `SecretId`
    pub secret_id: String,
    /// `AddReplicaRegions`
    pub add_replica_regions: Vec<ReplicaRegion>,
    /// `ForceOverwriteReplicaSecret`
    pub force_overwrite_replica_secret: Option<bool>,
}

/// `RemoveRegionsFromReplication`.
#[derive(Clone, Debug, Default)]
pub struct RemoveRegionsFromReplication {
    /// `SecretId`
    pub secret_id: String,
    /// `RemoveReplicaRegions`
    pub remove_replica_regions: Vec<String>,
}

/// An entry of `ReplicationStatus`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplicationStatus {
    /// `Region`
    pub region: String,
    /// `KmsKeyId`: `alias/aws/secretsmanager` for AWS's own key.
    pub kms_key_id: String,
    /// `Status`
    pub status: ReplicaStatus,
    /// `StatusMessage`
    pub status_message: Option<String>,
}

/// Answer of `ReplicateSecretToRegions` and `RemoveRegionsFromReplication`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replicated {
    /// `ARN`
    pub arn: String,
    /// `ReplicationStatus`; an empty list is shown.
    pub replication_status: Vec<ReplicationStatus>,
}
