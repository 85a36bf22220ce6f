//! What the commit pipeline plans: checked requests and the vault's own upkeep.

use super::fault::Fault;
use super::validate::Checked;
use crate::env::UnixMillis;
use crate::model::api::{
    AdvanceRotation, AssociateCrossAccountReplica, CancelRotateSecret, CreateSecret,
    DeleteResourcePolicy, DeleteSecret, DisassociateCrossAccountReplica, Mutation,
    PutResourcePolicy, PutSecretValue, RemoveRegionsFromReplication, ReplicateSecretToRegions,
    RestoreSecret, RotateSecret, StopReplicationToReplica, TagResource, UntagResource,
    UpdateSecret, UpdateSecretVersionStage,
};
use crate::model::{RecordId, Seq};
use crate::secret::PayloadKind;

/// Everything that changes the vault, checked and its value sealed: what [`plan`](super::plan)
/// decides about.
pub enum Command {
    /// `CreateSecret`
    CreateSecret(Checked<CreateSecret<PayloadKind>>),
    /// `PutSecretValue`
    PutSecretValue(Checked<PutSecretValue<PayloadKind>>),
    /// `UpdateSecret`
    UpdateSecret(Checked<UpdateSecret<PayloadKind>>),
    /// `UpdateSecretVersionStage`
    UpdateSecretVersionStage(Checked<UpdateSecretVersionStage>),
    /// `DeleteSecret`
    DeleteSecret(Checked<DeleteSecret>),
    /// `RestoreSecret`
    RestoreSecret(Checked<RestoreSecret>),
    /// `TagResource`
    TagResource(Checked<TagResource>),
    /// `UntagResource`
    UntagResource(Checked<UntagResource>),
    /// `RotateSecret`
    RotateSecret(Checked<RotateSecret>),
    /// `CancelRotateSecret`
    CancelRotateSecret(Checked<CancelRotateSecret>),
    /// Takes a secret's rotation one step on.
    AdvanceRotation(AdvanceRotation),
    /// `PutResourcePolicy`
    PutResourcePolicy(Checked<PutResourcePolicy>),
    /// `DeleteResourcePolicy`
    DeleteResourcePolicy(Checked<DeleteResourcePolicy>),
    /// `ReplicateSecretToRegions`
    ReplicateSecretToRegions(Checked<ReplicateSecretToRegions>),
    /// `RemoveRegionsFromReplication`
    RemoveRegionsFromReplication(Checked<RemoveRegionsFromReplication>),
    /// `StopReplicationToReplica`
    StopReplicationToReplica(Checked<StopReplicationToReplica>),
    /// `AssociateCrossAccountReplica`
    AssociateCrossAccountReplica(Checked<AssociateCrossAccountReplica>),
    /// `DisassociateCrossAccountReplica`
    DisassociateCrossAccountReplica(Checked<DisassociateCrossAccountReplica>),
    /// Removes some versions that retention lets go (bounded; asked for again while it removes).
    Prune(RecordId),
    /// Purges a secret whose recovery window is over.
    Purge(RecordId),
    /// Removes some rows of a dead secret (bounded; asked for again while it removes).
    Sweep(RecordId),
    /// Notes that a version's value was read on a day (midnight UTC).
    Touch {
        /// The secret.
        id: RecordId,
        /// The version.
        seq: Seq,
        /// Midnight UTC of the day.
        day: UnixMillis,
    },
}

impl Command {
    /// Checks a mutation whose value was sealed.
    pub fn check(mutation: Mutation) -> Result<Self, Fault> {
        Ok(match mutation {
            Mutation::CreateSecret(request) => Self::CreateSecret(Checked::new(request)?),
            Mutation::PutSecretValue(request) => Self::PutSecretValue(Checked::new(request)?),
            Mutation::UpdateSecret(request) => Self::UpdateSecret(Checked::new(request)?),
            Mutation::UpdateSecretVersionStage(request) => {
                Self::UpdateSecretVersionStage(Checked::new(request)?)
            }
            Mutation::DeleteSecret(request) => Self::DeleteSecret(Checked::new(request)?),
            Mutation::RestoreSecret(request) => Self::RestoreSecret(Checked::new(request)?),
            Mutation::TagResource(request) => Self::TagResource(Checked::new(request)?),
            Mutation::UntagResource(request) => Self::UntagResource(Checked::new(request)?),
            Mutation::RotateSecret(request) => Self::RotateSecret(Checked::new(request)?),
            Mutation::CancelRotateSecret(request) => {
                Self::CancelRotateSecret(Checked::new(request)?)
            }
            Mutation::AdvanceRotation(request) => Self::AdvanceRotation(request),
            Mutation::PutResourcePolicy(request) => Self::PutResourcePolicy(Checked::new(request)?),
            Mutation::DeleteResourcePolicy(request) => {
                Self::DeleteResourcePolicy(Checked::new(request)?)
            }
            Mutation::ReplicateSecretToRegions(request) => {
                Self::ReplicateSecretToRegions(Checked::new(request)?)
            }
            Mutation::RemoveRegionsFromReplication(request) => {
                Self::RemoveRegionsFromReplication(Checked::new(request)?)
            }
            Mutation::StopReplicationToReplica(request) => {
                Self::StopReplicationToReplica(Checked::new(request)?)
            }
            Mutation::AssociateCrossAccountReplica(request) => {
                Self::AssociateCrossAccountReplica(Checked::new(request)?)
            }
            Mutation::DisassociateCrossAccountReplica(request) => {
                Self::DisassociateCrossAccountReplica(Checked::new(request)?)
            }
            Mutation::Prune(id) => Self::Prune(id),
            Mutation::Purge(id) => Self::Purge(id),
            Mutation::Sweep(id) => Self::Sweep(id),
            Mutation::Touch { id, seq, day } => Self::Touch { id, seq, day },
        })
    }
}
