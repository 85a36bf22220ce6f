//! Replicas in other regions and accounts.

use super::json::{Members, Structure};
use crate::model::CrossAccountStatus;
use crate::model::api::{
    AssociationResponse, PrimaryDescription, ReplicaDescription, ReplicationResponse,
    ReplicationStatus, SecretResponse,
};
use serde::ser::SerializeMap;

impl Structure for ReplicationResponse {
    fn add_members<M: SerializeMap>(&self, out: &mut Members<M>) {
        out.add("ARN", &self.arn);
        out.structures("ReplicationStatus", &self.replication_status);
    }
}

impl Structure for ReplicationStatus {
    fn add_members<M: SerializeMap>(&self, out: &mut Members<M>) {
        out.add("Region", &self.region);
        out.add("KmsKeyId", &self.kms_key_id);
        out.add("Status", self.status.name());
        out.add_optional("StatusMessage", self.status_message.as_ref());
        out.optional_date("LastAccessedDate", self.last_accessed_date);
    }
}

/// The response of `StopReplicationToReplica`.
pub(crate) struct ArnOnly<'a>(pub(crate) &'a SecretResponse);

impl Structure for ArnOnly<'_> {
    fn add_members<M: SerializeMap>(&self, out: &mut Members<M>) {
        out.add("ARN", &self.0.arn);
    }
}

impl Structure for AssociationResponse {
    fn add_members<M: SerializeMap>(&self, out: &mut Members<M>) {
        out.add("ARN", &self.arn);
        out.add("CrossAccountReplicaARN", &self.replica_arn);
        out.add_optional("ReplicationStatus", self.status.map(CrossAccountStatus::name));
    }
}

impl Structure for PrimaryDescription {
    fn add_members<M: SerializeMap>(&self, out: &mut Members<M>) {
        out.add("PrimarySecretARN", &self.arn);
        out.add("ReplicationStatus", self.status.name());
    }
}

impl Structure for ReplicaDescription {
    fn add_members<M: SerializeMap>(&self, out: &mut Members<M>) {
        out.add("ReplicaSecretARN", &self.arn);
        out.add_optional("ReplicationRoleARN", self.role.as_ref());
        out.add("ReplicationStatus", self.status.name());
    }
}
