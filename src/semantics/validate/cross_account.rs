//! The checks of requests about replicas in other accounts.

use super::constraint::Violations;
use super::members::{arn, secret_id_length};
use super::names::reference;
use crate::model::SecretRef;
use crate::model::api::{AssociateCrossAccountReplica, DisassociateCrossAccountReplica};
use crate::semantics::fault::Fault;

/// `ReplicaRestrictionType` of the API model.
const RESTRICTIONS: [&str; 2] = ["SameOrg", "NoRestriction"];

/// Checks `AssociateCrossAccountReplica`.
pub fn associate_cross_account_replica(
    request: &AssociateCrossAccountReplica,
) -> Result<SecretRef, Fault> {
    let mut found = Violations::default();
    secret_id_length(&mut found, &request.secret_id);
    arn(&mut found, "crossAccountReplicaARN", Some(&request.replica_arn));
    if let Some(restriction) = &request.replica_restriction {
        found.one_of("replicaRestriction", restriction, &RESTRICTIONS);
    }
    arn(&mut found, "replicationRoleARN", request.replication_role_arn.as_deref());
    found.into_result()?;
    reference(&request.secret_id)
}

/// Checks `DisassociateCrossAccountReplica`.
pub fn disassociate_cross_account_replica(
    request: &DisassociateCrossAccountReplica,
) -> Result<SecretRef, Fault> {
    let mut found = Violations::default();
    secret_id_length(&mut found, &request.secret_id);
    arn(&mut found, "crossAccountReplicaARN", Some(&request.replica_arn));
    found.into_result()?;
    reference(&request.secret_id)
}
