//! What the commit pipeline decides about: requests and the vault's own upkeep.

use super::{
    cross_account::*, policy::*, replication::*, rotation::*, secrets::*, tags::*, values::*,
};
use crate::env::UnixMillis;
use crate::model::name::{Scope, VersionId};
use crate::model::record::{RecordId, Seq};
use crate::model::rotation::RotationStep;
use crate::secret::PayloadKind;

/// Everything that changes the vault, its value sealed: what `semantics::plan` decides about.
#[derive(Debug)]
pub enum Mutation {
    /// `CreateSecret`
    CreateSecret(CreateSecret<PayloadKind>),
    /// `PutSecretValue`
    PutSecretValue(PutSecretValue<PayloadKind>),
    /// `UpdateSecret`
    UpdateSecret(UpdateSecret<PayloadKind>),
    /// `UpdateSecretVersionStage`
    UpdateSecretVersionStage(UpdateSecretVersionStage),
    /// `DeleteSecret`
    DeleteSecret(DeleteSecret),
    /// `RestoreSecret`
    RestoreSecret(RestoreSecret),
    /// `TagResource`
    TagResource(TagResource),
    /// `UntagResource`
    UntagResource(UntagResource),
    /// `RotateSecret`
    RotateSecret(RotateSecret),
    /// `CancelRotateSecret`
    CancelRotateSecret(CancelRotateSecret),
    /// Takes a secret's rotation one step on.
    AdvanceRotation(AdvanceRotation),
    /// `PutResourcePolicy`
    PutResourcePolicy(PutResourcePolicy),
    /// `DeleteResourcePolicy`
    DeleteResourcePolicy(DeleteResourcePolicy),
    /// `ReplicateSecretToRegions`
    ReplicateSecretToRegions(ReplicateSecretToRegions),
    /// `RemoveRegionsFromReplication`
    RemoveRegionsFromReplication(RemoveRegionsFromReplication),
    /// `StopReplicationToReplica`
    StopReplicationToReplica(StopReplicationToReplica),
    /// `AssociateCrossAccountReplica`
    AssociateCrossAccountReplica(AssociateCrossAccountReplica),
    /// `DisassociateCrossAccountReplica`
    DisassociateCrossAccountReplica(DisassociateCrossAccountReplica),
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

/// Asks what a secret's rotation has to do, and says what became of the last call.
#[derive(Clone, Debug)]
pub struct AdvanceRotation {
    /// The secret.
    pub id: RecordId,
    /// The token of a rotation that the schedule begins.
    pub fresh_token: VersionId,
    /// What became of a call of the function.
    pub report: Option<RotationReport>,
}

/// What became of a call of the function.
#[derive(Clone, Debug)]
pub struct RotationReport {
    /// The rotation.
    pub token: VersionId,
    /// The step that was called.
    pub step: RotationStep,
    /// Whether the function succeeded.
    pub succeeded: bool,
}

/// A call to make of a rotation function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RotationCall {
    /// The account and region of the secret.
    pub scope: Scope,
    /// The secret's full ARN.
    pub arn: String,
    /// Which function.
    pub function: String,
    /// The rotation's version.
    pub token: VersionId,
    /// The step to call.
    pub step: RotationStep,
    /// First give the version, which has none, a copy of the current value.
    pub wants_copy: bool,
}

/// What a secret's rotation has to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RotationTurn {
    /// The call to make now.
    pub call: Option<RotationCall>,
    /// When to ask again, by the wall clock; `None`: not before something changes.
    pub due: Option<UnixMillis>,
}
