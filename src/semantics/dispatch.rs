//! From a command to the rules about it.

use super::command::{Command, Upkeep};
use super::plan::{Context, Plan, Refusal, View};
use super::rotation;
use super::upkeep::{prune, purge, touch};

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
    match command {
        Command::Write(write) => write.decide(view, context),
        Command::Upkeep(upkeep) => match upkeep {
            Upkeep::AdvanceRotation(request) => rotation::advance(view, context, request),
            Upkeep::Prune(id) => prune::prune(view, context, *id),
            Upkeep::Purge(id) => purge::purge(view, context, *id),
            Upkeep::Sweep(id) => purge::sweep(view, *id),
            Upkeep::Touch { id, seq, on, day } => touch::touch(view, (*id, *seq), *on, *day),
        },
    }
}
