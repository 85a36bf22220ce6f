//! From a mutation to the rules about it.

use super::plan::{Context, Plan, Refusal, View};
use super::replication::{cross_account, promote, replica};
use super::rotation;
use super::secrets::{create, delete, policies, tags, update};
use super::upkeep::{prune, purge, touch};
use super::versions::{put, stage};
use crate::model::api;

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
        M::CreateSecret(request) => create::create_secret(view, context, request),
        M::PutSecretValue(request) => put::put_secret_value(view, context, request),
        M::UpdateSecret(request) => update::update_secret(view, context, request),
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
        M::Purge(id) => purge::purge(view, context, *id),
        M::Sweep(id) => purge::sweep(view, *id),
        M::Touch { id, seq, day } => touch::touch(view, *id, *seq, *day),
    }
}
