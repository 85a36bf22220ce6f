//! The operations on a secret, as access rules tell them apart.

/// An operation on a secret, by its name in policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Checked at the replica when its primary's account calls `AssociateCrossAccountReplica`.
    AcceptCrossAccountReplication,
    /// `AssociateCrossAccountReplica`
    AssociateCrossAccountReplica,
    /// `CancelRotateSecret`
    CancelRotateSecret,
    /// `DeleteResourcePolicy`
    DeleteResourcePolicy,
    /// `DeleteSecret`
    DeleteSecret,
    /// `DescribeSecret`
    DescribeSecret,
    /// `DisassociateCrossAccountReplica`
    DisassociateCrossAccountReplica,
    /// `GetResourcePolicy`
    GetResourcePolicy,
    /// `GetSecretValue`; also of each secret of a `BatchGetSecretValue`.
    GetSecretValue,
    /// `ListResourcePolicies`
    ListResourcePolicies,
    /// `ListSecretVersionIds`
    ListSecretVersionIds,
    /// `PutResourcePolicy`
    PutResourcePolicy,
    /// `PutSecretValue`
    PutSecretValue,
    /// `RemoveRegionsFromReplication`
    RemoveRegionsFromReplication,
    /// `ReplicateSecretToRegions`
    ReplicateSecretToRegions,
    /// `RestoreSecret`
    RestoreSecret,
    /// `RotateSecret`
    RotateSecret,
    /// `StopReplicationToReplica`
    StopReplicationToReplica,
    /// `TagResource`
    TagResource,
    /// `UntagResource`
    UntagResource,
    /// `UpdateSecret`
    UpdateSecret,
    /// `UpdateSecretVersionStage`
    UpdateSecretVersionStage,
    /// `ValidateResourcePolicy`
    ValidateResourcePolicy,
}

impl Action {
    /// Its name, without `secretsmanager:`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::AcceptCrossAccountReplication => "AcceptCrossAccountReplication",
            Self::AssociateCrossAccountReplica => "AssociateCrossAccountReplica",
            Self::CancelRotateSecret => "CancelRotateSecret",
            Self::DeleteResourcePolicy => "DeleteResourcePolicy",
            Self::DeleteSecret => "DeleteSecret",
            Self::DescribeSecret => "DescribeSecret",
            Self::DisassociateCrossAccountReplica => "DisassociateCrossAccountReplica",
            Self::GetResourcePolicy => "GetResourcePolicy",
            Self::GetSecretValue => "GetSecretValue",
            Self::ListResourcePolicies => "ListResourcePolicies",
            Self::ListSecretVersionIds => "ListSecretVersionIds",
            Self::PutResourcePolicy => "PutResourcePolicy",
            Self::PutSecretValue => "PutSecretValue",
            Self::RemoveRegionsFromReplication => "RemoveRegionsFromReplication",
            Self::ReplicateSecretToRegions => "ReplicateSecretToRegions",
            Self::RestoreSecret => "RestoreSecret",
            Self::RotateSecret => "RotateSecret",
            Self::StopReplicationToReplica => "StopReplicationToReplica",
            Self::TagResource => "TagResource",
            Self::UntagResource => "UntagResource",
            Self::UpdateSecret => "UpdateSecret",
            Self::UpdateSecretVersionStage => "UpdateSecretVersionStage",
            Self::ValidateResourcePolicy => "ValidateResourcePolicy",
        }
    }

    /// Whether it changes the secret that it is about, and so is refused on a replica (SEM-REPL-5).
    pub(crate) fn changes_the_secret(self) -> bool {
        match self {
            Self::DescribeSecret
            | Self::GetResourcePolicy
            | Self::GetSecretValue
            | Self::ListResourcePolicies
            | Self::ListSecretVersionIds
            | Self::ValidateResourcePolicy => false,
            Self::AcceptCrossAccountReplication
            | Self::AssociateCrossAccountReplica
            | Self::CancelRotateSecret
            | Self::DeleteResourcePolicy
            | Self::DeleteSecret
            | Self::DisassociateCrossAccountReplica
            | Self::PutResourcePolicy
            | Self::PutSecretValue
            | Self::RemoveRegionsFromReplication
            | Self::ReplicateSecretToRegions
            | Self::RestoreSecret
            | Self::RotateSecret
            | Self::StopReplicationToReplica
            | Self::TagResource
            | Self::UntagResource
            | Self::UpdateSecret
            | Self::UpdateSecretVersionStage => true,
        }
    }

    /// Whether it changes only what a replica in another account has of its own. Such an operation is
    /// allowed on the replica (SEM-XREPL-6).
    pub(crate) fn is_about_a_replicas_own(self) -> bool {
        matches!(
            self,
            Self::TagResource
                | Self::UntagResource
                | Self::PutResourcePolicy
                | Self::DeleteResourcePolicy
        )
    }

    /// Whether the owner may always do it. Otherwise a policy could lock the owner out for good
    /// (SEM-ACCESS-3).
    pub(super) fn is_always_the_owners(self) -> bool {
        matches!(
            self,
            Self::PutResourcePolicy | Self::GetResourcePolicy | Self::DeleteResourcePolicy
        )
    }
}
