//! From a command to the rules about it.

use super::command::Command;
use super::plan::{Context, Plan, Refusal, View};
use super::replication::{cross_account, promote, replica};
use super::rotation;
use super::secrets::{create, delete, policies, tags, update};
use super::upkeep::{prune, purge, touch};
use super::versions::{put, stage};

/// Decides a command: its effects and its answer, or why it is refused.
///
/// Pure and total. Checks come in AWS's order (SEM-CHECK-1): the request itself, its name, its
/// token, whether the secret exists, its state, the rules of the operation. A refusal and a plan
/// without effects change nothing; both are still answered after the batch's sync (I1).
pub fn plan<V: View>(
    view: &V,
    context: &Context,
    command: &Command,
) -> Result<Plan, Refusal<V::Error>> {
    use Command as C;
    match command {
        C::CreateSecret(request) => create::create_secret(view, context, request),
        C::PutSecretValue(request) => put::put_secret_value(view, context, request),
        C::UpdateSecret(request) => update::update_secret(view, context, request),
        C::UpdateSecretVersionStage(request) => stage::update(view, context, request),
        C::DeleteSecret(request) => delete::delete_secret(view, context, request),
        C::RestoreSecret(request) => delete::restore_secret(view, context, request),
        C::TagResource(request) => tags::tag_resource(view, context, request),
        C::UntagResource(request) => tags::untag_resource(view, context, request),
        C::RotateSecret(request) => rotation::rotate_secret(view, context, request),
        C::CancelRotateSecret(request) => rotation::cancel_rotate_secret(view, context, request),
        C::AdvanceRotation(request) => rotation::advance(view, context, request),
        C::PutResourcePolicy(request) => policies::put(view, context, request),
        C::DeleteResourcePolicy(request) => policies::delete(view, context, request),
        C::ReplicateSecretToRegions(request) => replica::replicate(view, context, request),
        C::RemoveRegionsFromReplication(request) => replica::remove(view, context, request),
        C::StopReplicationToReplica(request) => promote::stop_replication(view, context, request),
        C::AssociateCrossAccountReplica(request) => {
            cross_account::associate(view, context, request)
        }
        C::DisassociateCrossAccountReplica(request) => {
            cross_account::disassociate(view, context, request)
        }
        C::Prune(id) => prune::prune(view, context, *id),
        C::Purge(id) => purge::purge(view, context, *id),
        C::Sweep(id) => purge::sweep(view, *id),
        C::Touch { id, seq, day } => touch::touch(view, *id, *seq, *day),
    }
}
