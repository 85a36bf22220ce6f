//! Requests and responses of replication between regions.

use super::request::request;
use super::responses::{ReplicationResponse, SecretResponse};
use crate::env::UnixMillis;
use crate::model::ReplicaStatus;

request! {
    /// One of `AddReplicaRegions`.
    #[derive(Clone, Debug, Default)]
    ReplicaRegion {
        required {
            /// `Region`, such as `eu-west-1`.
            region: String,
        }
        optional {
            /// `KmsKeyId`; absent: AWS's own key.
            kms_key_id: String,
        }
    }
}

/// A replica under AWS's own key.
impl From<&str> for ReplicaRegion {
    fn from(region: &str) -> Self {
        Self::new(region)
    }
}

request! {
    /// `ReplicateSecretToRegions`.
    #[derive(Clone, Debug, Default)]
    ReplicateSecretToRegions {
        required {
            /// `SecretId`: name or ARN of the primary.
            secret_id: String,
        }
        items {
            /// `AddReplicaRegions`, at least one.
            add_replica_regions: ReplicaRegion,
        }
        optional {
            /// `ForceOverwriteReplicaSecret`: replaces secrets of this name in these regions.
            force_overwrite_replica_secret: bool,
        }
    }
}

/// Response of `ReplicateSecretToRegions`.
pub type ReplicateSecretToRegionsResponse = ReplicationResponse;

request! {
    /// `RemoveRegionsFromReplication`.
    #[derive(Clone, Debug, Default)]
    RemoveRegionsFromReplication {
        required {
            /// `SecretId`: name or ARN of the primary.
            secret_id: String,
        }
        items {
            /// `RemoveReplicaRegions`, at least one.
            remove_replica_regions: String,
        }
    }
}

/// Response of `RemoveRegionsFromReplication`.
pub type RemoveRegionsFromReplicationResponse = ReplicationResponse;

request! {
    /// `StopReplicationToReplica`.
    #[derive(Clone, Debug, Default)]
    StopReplicationToReplica {
        required {
            /// `SecretId`: name or ARN of the replica.
            secret_id: String,
        }
    }
}

/// Response of `StopReplicationToReplica`; AWS shows only the ARN.
pub type StopReplicationToReplicaResponse = SecretResponse;

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
    /// `LastAccessedDate`: midnight UTC of the day on which the replica was read last.
    pub last_accessed_date: Option<UnixMillis>,
}
