//! What a mutation answers.

use crate::model::api;

/// What a mutation answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// `CreateSecret`, `PutSecretValue`, `UpdateSecret`, `RotateSecret`, `CancelRotateSecret`
    Written(api::Written),
    /// `UpdateSecretVersionStage`, `RestoreSecret`, `StopReplicationToReplica`
    Named(api::Named),
    /// `DeleteSecret`
    Deleted(api::Deleted),
    /// `PutResourcePolicy`, `DeleteResourcePolicy`
    PolicyNamed(api::PolicyNamed),
    /// `ReplicateSecretToRegions`, `RemoveRegionsFromReplication`
    Replicated(api::Replicated),
    /// `AssociateCrossAccountReplica`, `DisassociateCrossAccountReplica`
    Associated(api::Associated),
    /// `TagResource`, `UntagResource`, and an internal operation that had nothing left to do.
    Done,
    /// An internal operation did a bounded part; ask again.
    More,
    /// What a rotation has to do (`AdvanceRotation`).
    Rotation(api::RotationTurn),
}
