//! What a mutation answers.

use crate::model::api;

/// What a mutation answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// `CreateSecret`, `PutSecretValue`, `UpdateSecret`, `RotateSecret`, `CancelRotateSecret`
    Written(api::VersionResponse),
    /// `UpdateSecretVersionStage`, `RestoreSecret`
    Named(api::SecretResponse),
    /// `StopReplicationToReplica`, which shows the ARN only.
    Promoted(api::SecretResponse),
    /// `DeleteSecret`
    Deleted(api::DeleteSecretResponse),
    /// `PutResourcePolicy`, `DeleteResourcePolicy`
    PolicyNamed(api::PolicyResponse),
    /// `ReplicateSecretToRegions`, `RemoveRegionsFromReplication`
    Replicated(api::ReplicationResponse),
    /// `AssociateCrossAccountReplica`, `DisassociateCrossAccountReplica`
    Associated(api::AssociationResponse),
    /// `TagResource`, `UntagResource`, and an internal operation that had nothing left to do.
    Done,
    /// An internal operation did a bounded part; ask again.
    More,
    /// What a rotation has to do (`AdvanceRotation`).
    Rotation(api::RotationTurn),
}
