//! What AWS Secrets Manager does, decided without bytes, clock, key or disk.
//!
//! [`plan`] decides a mutation over a [`View`] of the vault and answers with a [`Plan`]: effects
//! for `vault` to seal, log and apply, and the answer for the caller. `read` answers the reading
//! operations. Both are pure: the same view, request and context give the same result. Rules are
//! numbered in `docs/SEMANTICS.md` (SEM-...).
//!
//! ```text
//! request -> validate -> resolve -> write | stage | tags | delete | rotation | attach | replica,
//!                          |        promote | cross_account -> change        -> Plan
//!                          |     \\-> alias -> read | list | batch | attach   -> answer
//!                          \\-> access -> policy
//!                    \\-> password                                           -> answer
//! background ------------------> prune | delete (purge, sweep) | touch | rotation -> Plan
//! ```

mod access;
mod change;
pub mod fault;
#[cfg(feature = "__internals")]
#[doc(hidden)]
pub mod internals;
#[cfg(any(test, feature = "__internals"))]
#[doc(hidden)]
pub mod memory;
pub mod messages;
pub mod password;
mod policy;
pub mod read;
mod replication;
mod rotation;
mod secrets;
mod upkeep;
pub mod validate;
mod versions;

#[cfg(test)]
mod tests;

pub use access::Action;
pub use change::rows;
pub use fault::{Fault, FaultKind};
pub use read::batch;
pub use rotation::rotation_due;
pub use upkeep::prune::may_be_due;
pub use upkeep::touch::day_of;

use crate::env::UnixMillis;
use crate::model::api;
use crate::model::{
    Lsn, RecordId, Scope, SecretName, SecretRecord, Seq, Stage, Suffix, VersionId, VersionRecord,
};
use replication::{cross_account, promote, replica};
use secrets::{delete, policies, tags, write};
use std::collections::BTreeSet;
use std::sync::Arc;
use upkeep::{prune, touch};
use versions::stage;

/// The two readings of time that rules use (I9). Neither gives order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// The wall clock; a stamp is `max(wall, the secret's last stamp)`.
    pub wall: UnixMillis,
    /// The age clock: the only one that prunes and purges.
    pub age: UnixMillis,
}

/// What a plan may use besides the view: who asks, when, and fresh identities.
#[derive(Clone, Debug)]
pub struct Context {
    /// The caller's account and region.
    pub scope: Scope,
    /// When.
    pub now: Now,
    /// The operation's place in the order, if it changes anything.
    pub lsn: Lsn,
    /// The id that a secret made by this operation gets.
    pub fresh_id: RecordId,
    /// The ARN suffix that a secret made by this operation gets.
    pub suffix: Suffix,
    /// The rotation functions that can be called, by ARN.
    pub functions: Arc<BTreeSet<String>>,
}

/// The vault as one operation sees it: earlier operations of its batch included (I1).
pub trait View {
    /// Why the view could not be read; passed through untouched.
    type Error;
    /// The live secret of that name (never a dead one).
    fn secret_by_name(
        &self,
        scope: &Scope,
        name: &SecretName,
    ) -> Result<Option<SecretRecord>, Self::Error>;
    /// The secret of that id, dead or alive.
    fn secret(&self, id: RecordId) -> Result<Option<SecretRecord>, Self::Error>;
    /// Live secrets of a scope with an id after `after`, in the order of creation.
    fn secrets(
        &self,
        scope: &Scope,
        after: Option<RecordId>,
        limit: usize,
    ) -> Result<Vec<SecretRecord>, Self::Error>;
    /// All labels of a secret with the version that each is on, sorted by label.
    fn stages(&self, id: RecordId) -> Result<Vec<(Stage, Seq)>, Self::Error>;
    /// The version that a label is on.
    fn stage(&self, id: RecordId, stage: &Stage) -> Result<Option<Seq>, Self::Error>;
    /// One version.
    fn version(&self, id: RecordId, seq: Seq) -> Result<Option<VersionRecord>, Self::Error>;
    /// The number of the version with that id.
    fn version_seq(&self, id: RecordId, version: &VersionId) -> Result<Option<Seq>, Self::Error>;
    /// Versions with a number after `after`, oldest first.
    fn versions(
        &self,
        id: RecordId,
        after: Option<Seq>,
        limit: usize,
    ) -> Result<Vec<VersionRecord>, Self::Error>;
    /// Whether the value that travels with the request being planned has the same kind and bytes
    /// as that version's. Asked only when a token matched; compared by keyed MAC in constant time.
    fn same_payload(&self, id: RecordId, seq: Seq) -> Result<bool, Self::Error>;
    /// The id that a secret made in `scope` by the operation with this number gets.
    fn fresh_id(&self, scope: &Scope, lsn: Lsn) -> RecordId;
}

/// One change that a plan asks for. `vault` turns each into rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Writes the secret's record. `vault` sets `lsn`. Every plan with effects holds this or
    /// [`Effect::DropSecret`] for each secret that it touches (I3).
    PutSecret(SecretRecord),
    /// Binds the record's name to its id.
    BindName(SecretRecord),
    /// Frees the record's name.
    FreeName(SecretRecord),
    /// Removes the record of a dead secret or of a replica: the last of its rows.
    DropSecret(RecordId),
    /// Writes a version's metadata and, for a new version, its token row.
    PutVersion(VersionRecord),
    /// Stores the request's sealed value as the value of the version, which a `PutVersion` of the
    /// same plan describes (`vault` fills its `payload`).
    AttachPayload(Seq),
    /// Stores a copy of another version's value, sealed anew, as the value of the version `to` of
    /// the secret `id`, which a `PutVersion` of the same plan describes (`vault` fills its `payload`).
    CopyPayload {
        /// Whose value.
        from: VersionRecord,
        /// The secret that gets it.
        id: RecordId,
        /// Its version that gets it.
        to: Seq,
    },
    /// Removes a version: metadata, token, wrapped key, chunks.
    DropVersion(VersionRecord),
    /// Puts a label on a version, taking it from any other.
    SetStage(RecordId, Stage, Seq),
    /// Removes a label.
    DropStage(RecordId, Stage),
    /// Notes that something was purged, so that the epoch is switched in time (I10).
    NotePurge(UnixMillis),
}

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

/// The decision about one mutation. No effects: nothing changes, the answer still waits for the
/// batch's sync (I1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// At most 256 rows' worth, in no particular order; no two about the same row.
    pub effects: Vec<Effect>,
    /// For the caller.
    pub answer: Answer,
}

/// Why there is no plan: AWS's refusal, or a view that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal<E> {
    /// The operation is refused, in AWS's words.
    Fault(Fault),
    /// The view failed.
    View(E),
}

impl<E> From<Fault> for Refusal<E> {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// What planning gives.
type Outcome<V> = Result<Plan, Refusal<<V as View>::Error>>;

/// Decides a mutation: its effects and its answer, or why it is refused.
///
/// Pure and total. Checks come in AWS's order (SEM-CHECK-1): the request itself, its name, its
/// token, whether the secret exists, its state, the rules of the operation. A refusal and a plan
/// without effects change nothing; both are still answered after the batch's sync (I1).
pub fn plan<V: View>(
    view: &V,
    context: &Context,
    mutation: &api::Mutation,
) -> Result<Plan, Refusal<V::Error>> {
    use api::Mutation as M;
    match mutation {
        M::CreateSecret(request) => write::create_secret(view, context, request),
        M::PutSecretValue(request) => write::put_secret_value(view, context, request),
        M::UpdateSecret(request) => write::update_secret(view, context, request),
        M::UpdateSecretVersionStage(request) => stage::update(view, context, request),
        M::DeleteSecret(request) => delete::delete_secret(view, context, request),
        M::RestoreSecret(request) => delete::restore_secret(view, context, request),
        M::TagResource(request) => tags::tag_resource(view, context, request),
        M::UntagResource(request) => tags::untag_resource(view, context, request),
        M::RotateSecret(request) => rotation::rotate_secret(view, context, request),
        M::CancelRotateSecret(request) => rotation::cancel_rotate_secret(view, context, request),
        M::AdvanceRotation(request) => rotation::advance(view, context, request),
        M::PutResourcePolicy(request) => policies::put(view, context, request),
        M::DeleteResourcePolicy(request) => policies::delete(view, context, request),
        M::ReplicateSecretToRegions(request) => replica::replicate(view, context, request),
        M::RemoveRegionsFromReplication(request) => replica::remove(view, context, request),
        M::StopReplicationToReplica(request) => promote::stop_replication(view, context, request),
        M::AssociateCrossAccountReplica(request) => {
            cross_account::associate(view, context, request)
        }
        M::DisassociateCrossAccountReplica(request) => {
            cross_account::disassociate(view, context, request)
        }
        M::Prune(id) => prune::prune(view, context, *id),
        M::Purge(id) => delete::purge(view, context, *id),
        M::Sweep(id) => delete::sweep(view, *id),
        M::Touch { id, seq, day } => touch::touch(view, *id, *seq, *day),
    }
}
