//! Refusals about replicas in other accounts. Nobody has recorded AWS's texts: all are our own.

use crate::semantics::fault::{Fault, FaultKind};

/// E28 for a replica in another account.
#[must_use]
pub fn is_cross_account_replica() -> Fault {
    Fault::new(
        FaultKind::InvalidParameter,
        "Operation not permitted on a cross-account replica secret. Call must be made in primary \
         secret's account, or after StopReplicationToReplica.",
    )
}

/// E29 for a primary with a replica in another account.
#[must_use]
pub fn has_cross_account_replica(secret_id: &str, replica: &str) -> Fault {
    Fault::new(
        FaultKind::InvalidParameter,
        format!(
            "You can't delete secret {secret_id} that still has cross-account replica {replica}"
        ),
    )
}

/// `CreateSecret` with `CrossAccountPrimaryARN` and something that a replica gets from its primary.
#[must_use]
pub fn not_with_cross_account_primary(member: &str) -> Fault {
    Fault::new(
        FaultKind::InvalidParameter,
        format!("You can't use {member} in conjunction with CrossAccountPrimaryARN."),
    )
}

/// `CreateSecret` with `CrossAccountPrimaryARN` and without a key of the customer's.
#[must_use]
pub fn cross_account_replica_needs_key() -> Fault {
    Fault::new(
        FaultKind::InvalidParameter,
        "You must specify a customer managed KMS key in KmsKeyId to create a cross-account replica \
         secret.",
    )
}

/// Not the complete ARN of a secret of another account in the same region and partition.
#[must_use]
pub fn bad_cross_account_arn(member: &str) -> Fault {
    Fault::new(
        FaultKind::InvalidParameter,
        format!(
            "Invalid {member}. Must be the complete ARN of a secret in another account, in the same \
             Region and partition."
        ),
    )
}

/// Not the ARN of a role.
#[must_use]
pub fn bad_role_arn(member: &str) -> Fault {
    Fault::new(FaultKind::InvalidParameter, format!("Invalid {member}. Must be the ARN of a role."))
}

/// The caller does not own the primary.
#[must_use]
pub fn not_the_primarys_account() -> Fault {
    Fault::new(
        FaultKind::InvalidRequest,
        "You must call this operation from the account that owns the primary secret.",
    )
}

/// A second replica in another account.
#[must_use]
pub fn too_many_cross_account_replicas() -> Fault {
    Fault::new(
        FaultKind::LimitExceeded,
        "A primary secret can have at most one cross-account replica.",
    )
}

/// `DisassociateCrossAccountReplica` for a replica that is not associated.
#[must_use]
pub fn not_associated(replica: &str) -> Fault {
    Fault::new(
        FaultKind::InvalidRequest,
        format!("The secret isn't associated with the cross-account replica {replica}."),
    )
}
