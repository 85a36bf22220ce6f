//! The end of a deleted secret: purged when its recovery window is over, then swept row by row
//! (SEM-DEL-11 to SEM-DEL-13).

use crate::env::faults;
use crate::model::{RecordId, limits};
use crate::semantics::change::purged;
use crate::semantics::plan::{
    Answer, Context, Effect, Outcome, Plan, Refusal, View, nothing, rows,
};
use crate::semantics::secrets::delete::is_over;

/// Versions fetched at a time by a sweep: each costs at least three rows of its budget.
const SWEEP_BATCH: usize = limits::OPERATION_ROWS_MAX / 3;

/// Purges a secret whose recovery window is over, by the age clock (SEM-DEL-11).
pub(crate) fn purge<V: View>(view: &V, context: &Context, id: RecordId) -> Outcome<V> {
    let record = view.secret(id).map_err(Refusal::View)?.filter(|record| !record.dead);
    let Some((record, deletion)) = record.and_then(|record| {
        let deletion = record.deletion.clone()?;
        Some((record, deletion))
    }) else {
        return Ok(nothing(Answer::Done));
    };
    if !faults::active(faults::Fault::PurgedAtOnce) && !is_over(&deletion, context.now) {
        return Ok(nothing(Answer::Done));
    }
    Ok(purged(record, context.now, |_| Answer::Done))
}

/// Removes as many rows of a dead secret as one operation may, the record last (SEM-DEL-13).
pub(crate) fn sweep<V: View>(view: &V, id: RecordId) -> Outcome<V> {
    let record = view.secret(id).map_err(Refusal::View)?.filter(|record| record.dead);
    let Some(mut record) = record else { return Ok(nothing(Answer::Done)) };
    let stages = view.stages(id).map_err(Refusal::View)?;
    let mut effects = Vec::new();
    let mut budget = limits::OPERATION_ROWS_MAX - 1; // One row is the record's.
    for (stage, _) in stages.into_iter().take(budget) {
        budget -= 1;
        effects.push(Effect::DropStage(id, stage));
    }
    let versions = view.versions(id, None, SWEEP_BATCH).map_err(Refusal::View)?;
    let mut whole = versions.len() < SWEEP_BATCH;
    for version in versions {
        let effect = Effect::DropVersion(version);
        let Some(left) = budget.checked_sub(rows(&effect)) else {
            whole = false;
            break;
        };
        budget = left;
        record.version_count = record.version_count.saturating_sub(1);
        effects.push(effect);
    }
    if whole {
        effects.push(Effect::DropSecret(id));
        Ok(Plan { effects, answer: Answer::Done })
    } else {
        effects.push(Effect::PutSecret(record));
        Ok(Plan { effects, answer: Answer::More })
    }
}
