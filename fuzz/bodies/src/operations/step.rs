//! The steps of a sequence.

use crate::env::sim::{CutPoint, Reach};
use crate::model::{Id, Req, Value};

/// The caller: an index into [`super::draw::ACCOUNTS`] and one into [`super::draw::REGIONS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Who {
    /// Account.
    pub account: usize,
    /// Region.
    pub region: usize,
}

/// An operation.
#[derive(Clone, Debug)]
pub enum Ask {
    /// One that the reference model answers.
    Known(Req),
    /// One that is judged by general rules.
    Other(Call),
}

/// The variants of `CreateSecret` that the reference model does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kin {
    /// With a replica in the other region.
    Replicated,
    /// A replica of the other account's secret of that name.
    OfOtherAccount,
    /// A managed external secret.
    Partner,
}

/// Operations that the reference model does not know.
#[derive(Clone, Debug)]
pub enum Call {
    /// `CreateSecret` with more members.
    Create { name: String, token: Option<String>, value: Option<Value>, kin: Kin },
    /// `UpdateSecret` with a `Type`.
    SetPartner { id: Id, partner: &'static str },
    /// `RotateSecret`.
    Rotate {
        id: Id,
        token: Option<String>,
        days: i64,
        at_once: bool,
        function: Option<&'static str>,
    },
    /// `CancelRotateSecret`.
    CancelRotate { id: Id },
    /// `ReplicateSecretToRegions`, to the other region.
    Replicate { id: Id, force: bool },
    /// `RemoveRegionsFromReplication`, of the other region.
    RemoveRegions { id: Id },
    /// `StopReplicationToReplica`.
    StopReplication { id: Id },
    /// `AssociateCrossAccountReplica`, with the other account's secret of that name.
    Associate { id: Id },
    /// `DisassociateCrossAccountReplica`.
    Disassociate { id: Id },
    /// `ListResourcePolicies`.
    ListPolicies { id: Id },
    /// `ValidateResourcePolicy`.
    ValidatePolicy { id: Option<Id>, policy: crate::model::PolicyText },
    /// `GetRandomPassword`.
    Password { length: Option<i64>, without: u8, excluded: &'static str, each: Option<bool> },
    /// `GetSecretValue` of the other account's secret of that name.
    GetOfOther { name: String },
}

/// What happens between the sealing of a value and its write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Between {
    /// The secret is purged and created again.
    MadeAnew,
    /// The epoch is switched.
    Shred,
    /// Both.
    Both,
}

/// How unsynced changes are lost. The change is selected when the power is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loss {
    /// The kind of plan.
    pub plan: u8,
    /// Which change, sectors, or a seed.
    pub at: u8,
}

/// One step of a sequence.
#[derive(Clone, Debug)]
pub enum Step {
    /// An operation.
    Ask(Who, Ask),
    /// Writes that share a batch.
    Together(Who, Vec<Ask>),
    /// A put that was sealed before something else happened to its secret.
    Late { who: Who, put: Req, token: String, between: Between },
    /// This many consecutive puts without labels.
    Burst(Who, String, usize),
    /// Milliseconds pass.
    Pass(i64),
    /// The wall clock jumps by so many hours.
    Jump(i64),
    /// Rotations, pruner, compaction.
    Maintain,
    /// The epoch switch.
    Shred,
    /// Another key file.
    ChangeKey,
    /// A clean close, and open.
    Reopen,
    /// The process ends, and another opens.
    Kill,
    /// The power goes between two operations.
    Cut(Loss),
    /// The power will go at a call to the disk.
    CutAt { calls: u64, point: CutPoint, loss: Loss },
    /// Syncs will fail: the n-th from here, once or for ever; `loss` if the machine then stops, too.
    SyncFails { nth: u64, for_ever: bool, loss: Option<Loss> },
    /// A write will fail.
    WriteFails { nth: u64, full: bool, reach: Reach, loss: Option<Loss> },
    /// The disk has so many bytes left.
    Full(u64),
    /// The disk has room again.
    Room,
    /// A new pair of keys for clients, or one less.
    Credential { revoke: bool },
}

impl Ask {
    /// The operation's name.
    pub fn operation(&self) -> &'static str {
        match self {
            Self::Known(request) => known(request),
            Self::Other(call) => match call {
                Call::Create { .. } => "CreateSecret",
                Call::SetPartner { .. } => "UpdateSecret",
                Call::Rotate { .. } => "RotateSecret",
                Call::CancelRotate { .. } => "CancelRotateSecret",
                Call::Replicate { .. } => "ReplicateSecretToRegions",
                Call::RemoveRegions { .. } => "RemoveRegionsFromReplication",
                Call::StopReplication { .. } => "StopReplicationToReplica",
                Call::Associate { .. } => "AssociateCrossAccountReplica",
                Call::Disassociate { .. } => "DisassociateCrossAccountReplica",
                Call::ListPolicies { .. } => "ListResourcePolicies",
                Call::ValidatePolicy { .. } => "ValidateResourcePolicy",
                Call::Password { .. } => "GetRandomPassword",
                Call::GetOfOther { .. } => "GetSecretValue",
            },
        }
    }
}

/// The operation of a request that the model knows.
pub(super) fn known(request: &Req) -> &'static str {
    match request {
        Req::Create { .. } => "CreateSecret",
        Req::Put { .. } => "PutSecretValue",
        Req::Update { .. } => "UpdateSecret",
        Req::Stage { .. } => "UpdateSecretVersionStage",
        Req::Delete { .. } => "DeleteSecret",
        Req::Restore { .. } => "RestoreSecret",
        Req::Tag { .. } => "TagResource",
        Req::Untag { .. } => "UntagResource",
        Req::Get { .. } => "GetSecretValue",
        Req::Describe { .. } => "DescribeSecret",
        Req::Versions { .. } => "ListSecretVersionIds",
        Req::List { .. } => "ListSecrets",
        Req::Policy { .. } => "GetResourcePolicy",
        Req::PutPolicy { .. } => "PutResourcePolicy",
        Req::DeletePolicy { .. } => "DeleteResourcePolicy",
        Req::Batch { .. } => "BatchGetSecretValue",
    }
}
