//! What a secret has to do with others than its own account: partners and replicas elsewhere.

use super::optional;
use crate::model::api::{AssociationResponse, DescribeSecretResponse};
use crate::model::{CrossAccountStatus, External};
use crate::wire::json::Writer;

pub(super) fn associated(out: &mut Writer, answer: &AssociationResponse) {
    out.object(|out| {
        out.name("ARN").text(&answer.arn);
        out.name("CrossAccountReplicaARN").text(&answer.replica_arn);
        optional(out, "ReplicationStatus", answer.status.map(CrossAccountStatus::name));
    });
}

/// What is known of the rotation that a partner would do.
pub(super) fn external_rotation(out: &mut Writer, external: &External) {
    if !external.metadata.is_empty() {
        out.name("ExternalSecretRotationMetadata").list(&external.metadata, |out, item| {
            out.object(|out| {
                out.name("Key").text(&item.key);
                out.name("Value").text(&item.value);
            });
        });
    }
    optional(out, "ExternalSecretRotationRoleArn", external.role.as_deref());
}

pub(super) fn cross_account(out: &mut Writer, description: &DescribeSecretResponse) {
    if let Some(primary) = &description.cross_account_primary {
        out.name("CrossAccountPrimary").object(|out| {
            out.name("PrimarySecretARN").text(&primary.arn);
            out.name("ReplicationStatus").text(primary.status.name());
        });
    }
    if let Some(replica) = &description.cross_account_replica {
        out.name("CrossAccountReplicas").list([replica], |out, replica| {
            out.object(|out| {
                out.name("ReplicaSecretARN").text(&replica.arn);
                optional(out, "ReplicationRoleARN", replica.role.as_deref());
                out.name("ReplicationStatus").text(replica.status.name());
            });
        });
    }
}
