//! The shapes that several operations answer with.

use super::replication::ReplicationStatus;
use crate::model::name::VersionId;

/// ARN and name of a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretResponse {
    /// `ARN`
    pub arn: String,
    /// `Name`
    pub name: String,
}

/// A secret and the version that was made or matched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionResponse {
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

/// A secret and the name of its policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyResponse {
    /// `ARN`
    pub arn: String,
    /// `Name`
    pub name: String,
    /// `PolicyName`: that of the request, or `default`.
    pub policy_name: Option<String>,
}

/// A secret and its replicas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplicationResponse {
    /// `ARN`
    pub arn: String,
    /// `ReplicationStatus`; an empty list is shown.
    pub replication_status: Vec<ReplicationStatus>,
}
