//! `check` and `repair`.

use crate::cli::args::{Check, Global, Repair};
use crate::cli::context::Context;
use crate::cli::error::{CliError, Exit};
use crate::cli::output::json;
use crate::cli::task::{Answer, Task};
use crate::cli::{output, session, unlock};
use crate::vault::{RepairOutcome, RepairReport};

/// `check`. Damage is exit 7. What the next open repairs by itself is a warning and exit 0.
pub(crate) fn check(context: &Context, global: &Global, args: &Check) -> Result<(), CliError> {
    session::perform(context, global, Task::Check { deep: args.deep })
}

/// `repair`. Exit 0 if the vault is whole afterwards, 7 if a repair would lose something.
pub(crate) fn repair(context: &Context, global: &Global, args: &Repair) -> Result<(), CliError> {
    let mut dir = session::lock(context, global)?;
    let key = unlock::unlock(context, global, &dir)?;
    unlock::find_anchor(context, global, &mut dir);
    let report = dir.repair(&key, args.accept_loss)?;
    drop(key);
    for finding in &report.found {
        output::note(&format!("found: {finding}"));
    }
    for done in &report.done {
        output::note(&format!("done: {done}"));
    }
    if let Some(kept) = &report.kept {
        output::note(&format!("the damaged originals are kept in {}", kept.display()));
    }
    session::show(if global.is_json() {
        Answer::data(json::repair(&report)?)
    } else {
        Answer::lines([summary(&report)])
    })?;
    match (&report.outcome, &report.loss) {
        (RepairOutcome::WouldLose, Some(loss)) => Err(CliError::new(
            Exit::Damaged,
            format!("not repaired: this would be lost: {loss}"),
        )
        .hint("look for a backup first; `strongroom repair --accept-loss` keeps everything else")),
        _ => Ok(()),
    }
}

fn summary(report: &RepairReport) -> String {
    match (report.outcome, &report.loss) {
        (RepairOutcome::NothingToDo, _) => "nothing to repair".to_owned(),
        (RepairOutcome::Repaired, None) => "repaired, nothing is lost".to_owned(),
        (RepairOutcome::Repaired, Some(loss)) => format!("repaired, lost: {loss}"),
        (RepairOutcome::WouldLose, _) => "not repaired".to_owned(),
    }
}
