//! Refusals about replicas (E28 to E30).

use crate::model::Replica;
use crate::model::limits;
use crate::semantics::fault::{Fault, FaultKind};

/// E28: a replica cannot be changed; its primary can.
#[must_use]
pub fn is_replica() -> Fault {
    Fault::new(
        FaultKind::InvalidParameter,
        "Operation not permitted on a replica secret. Call must be made in primary secret's region.",
    )
}

/// E29: a primary cannot be deleted before its replicas.
#[must_use]
pub fn has_replicas(secret_id: &str, replicas: &[Replica]) -> Fault {
    let regions: Vec<&str> = replicas.iter().map(|replica| &*replica.region).collect();
    Fault::new(
        FaultKind::InvalidParameter,
        format!(
            "You can't delete secret {secret_id} that still has replica regions [{}].",
            regions.join(", ")
        ),
    )
}

/// E30: a secret cannot be replicated to its own region.
#[must_use]
pub fn bad_replica_region() -> Fault {
    Fault::new(FaultKind::InvalidParameter, "Invalid replica region.")
}

/// The same region twice in one request (our own text).
#[must_use]
pub fn duplicate_region(region: &str) -> Fault {
    Fault::new(FaultKind::InvalidParameter, format!("Duplicate replica region: {region}"))
}

/// More replicas, or longer key names of theirs, than a secret may have (our own text).
#[must_use]
pub fn too_many_replicas() -> Fault {
    Fault::new(
        FaultKind::InvalidParameter,
        format!(
            "A secret can have at most {} replicas, whose KmsKeyId have at most {} bytes together.",
            limits::REPLICAS_MAX,
            limits::REPLICA_KEYS_BYTES_MAX
        ),
    )
}

/// `StopReplicationToReplica` on a secret that is not a replica (our own text).
#[must_use]
pub fn is_no_replica() -> Fault {
    Fault::new(
        FaultKind::InvalidParameter,
        "Operation only permitted on a replica secret. Call must be made in replica secret's region.",
    )
}

/// `StopReplicationToReplica` with more to copy than one operation may (our own text).
#[must_use]
pub fn too_much_to_copy() -> Fault {
    Fault::new(
        FaultKind::InvalidRequest,
        "You can't stop replication because the versions with staging labels are too large to copy \
         at once. Remove staging labels that you don't need in the primary region first.",
    )
}
