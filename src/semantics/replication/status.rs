//! What a secret's record says about its replicas, and how it is shown.

use crate::model::api::{PrimaryDescription, ReplicaDescription, ReplicationStatus};
use crate::model::{Replica, ReplicaStatus, Replication, SecretRecord};

/// What AWS calls its own key in `ReplicationStatus`.
const OWN_KEY: &str = "alias/aws/secretsmanager";

/// What a failed replica says (API model).
const NAME_IS_TAKEN: &str = "Secret with this name already exists in this region";

/// `ReplicationStatus` of a secret, or of a replica as it is shown; `None` if it is not replicated.
pub(crate) fn replicas(record: &SecretRecord) -> Option<Vec<ReplicationStatus>> {
    record.replication.as_ref().map(|replication| {
        let replicas = replication.replicas().iter();
        let entry = |replica: &Replica| ReplicationStatus {
            region: replica.region.to_string(),
            kms_key_id: replica.kms_key_id.clone().unwrap_or_else(|| OWN_KEY.to_owned()),
            status: replica.status,
            status_message: match replica.status {
                ReplicaStatus::InSync => None,
                ReplicaStatus::Failed => Some(NAME_IS_TAKEN.to_owned()),
            },
        };
        replicas.map(entry).collect()
    })
}

/// Sets the replicas of a secret. Without any, its record is as if it had never been replicated.
pub(crate) fn set_replicas(record: &mut SecretRecord, replicas: Vec<Replica>) {
    let region = record.scope.region.clone();
    record.replication =
        (!replicas.is_empty()).then_some(Replication::Primary { region, replicas });
}

/// `CrossAccountPrimary` of a replica.
pub(crate) fn describe_primary(record: &SecretRecord) -> Option<PrimaryDescription> {
    record.cross_account_primary().map(|primary| PrimaryDescription {
        arn: primary.arn.to_string(),
        status: primary.status(),
    })
}

/// The entry of `CrossAccountReplicas` of a primary.
pub(crate) fn describe_replica(record: &SecretRecord) -> Option<ReplicaDescription> {
    record.cross_account_replica().map(|replica| ReplicaDescription {
        arn: replica.arn.to_string(),
        role: replica.role.as_ref().map(ToString::to_string),
        status: replica.status(),
    })
}
