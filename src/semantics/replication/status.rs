//! What a secret's record says about its replicas, and how it is shown.

use crate::model::api::{PrimaryDescription, ReplicaDescription, ReplicationStatus};
use crate::model::{OWN_KEY, Replica, ReplicaStatus, Replication, Scope, SecretRecord};
use crate::semantics::plan::View;

/// What a replica in sync says.
const SUCCEEDED: &str = "Replication succeeded";
/// What a failed replica says (API model).
const NAME_IS_TAKEN: &str = "Secret with this name already exists in this region";

/// `ReplicationStatus` of a primary; `None` of any other secret (SEM-REPL-4).
pub(crate) fn replicas<V: View>(
    view: &V,
    record: &SecretRecord,
) -> Result<Option<Vec<ReplicationStatus>>, V::Error> {
    let Some(Replication::Primary { replicas, .. }) = &record.replication else { return Ok(None) };
    let entry = |replica: &Replica| {
        let (last_accessed_date, message) = match replica.status {
            ReplicaStatus::InSync => {
                (stored(view, record, replica)?.and_then(|stored| stored.last_accessed), SUCCEEDED)
            }
            ReplicaStatus::Failed => (None, NAME_IS_TAKEN),
        };
        Ok(ReplicationStatus {
            region: replica.region.to_string(),
            kms_key_id: replica.kms_key_id.clone().unwrap_or_else(|| OWN_KEY.to_owned()),
            status: replica.status,
            status_message: Some(message.to_owned()),
            last_accessed_date,
        })
    };
    replicas.iter().map(entry).collect::<Result<_, _>>().map(Some)
}

/// The record of a replica, if there is one.
pub(crate) fn stored<V: View>(
    view: &V,
    primary: &SecretRecord,
    replica: &Replica,
) -> Result<Option<SecretRecord>, V::Error> {
    let scope = Scope::new(&primary.scope.account, &replica.region);
    let record = view.secret_by_name(&scope, &primary.name)?;
    Ok(record.filter(|record| {
        matches!(&record.replication,
            Some(Replication::ReplicaOf { primary: id, .. }) if *id == primary.id)
    }))
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
