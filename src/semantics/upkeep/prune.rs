//! Retention: which versions may go (SEM-KEEP).
//!
//! While a secret has more than 100 versions, the oldest that has no label and is older than 24
//! hours on the age clock goes. Numbers rise with age, so the walk starts at the lowest number,
//! steps over at most 20 labelled versions, and ends at the first young one: what it costs does
//! not depend on how many versions there are (SEM-KEEP-4).

use crate::env::faults::{self, Fault};
use crate::model::{RecordId, SecretRecord, limits};
use crate::semantics::change::Labels;
use crate::semantics::plan::{
    Answer, Context, Effect, Outcome, Plan, Refusal, View, nothing, rows,
};

/// Versions looked at: as many as the row budget can drop, each costing three rows or more. Far
/// more than the labelled ones, so every walk gets on.
const WALK_MAX: usize = limits::OPERATION_ROWS_MAX / 3;

/// Whether anything of a secret may be due now or later: more versions than are kept, a deletion that
/// waits, rows to sweep. Whoever prunes in the background asks about these secrets and no others.
#[must_use]
pub fn may_be_due(record: &SecretRecord) -> bool {
    record.dead || record.deletion.is_some() || record.version_count > limits::VERSIONS_KEPT
}

/// Drops what retention lets go, at most one operation's worth. [`Answer::More`]: ask again.
pub(crate) fn prune<V: View>(view: &V, context: &Context, id: RecordId) -> Outcome<V> {
    let record = view.secret(id).map_err(Refusal::View)?;
    let Some(mut record) = record.filter(|record| !record.dead) else {
        return Ok(nothing(Answer::Done));
    };
    if record.version_count <= limits::VERSIONS_KEPT {
        return Ok(nothing(Answer::Done));
    }
    let labels = Labels::load(view, id)?;
    let mut effects = Vec::new();
    let mut budget = limits::OPERATION_ROWS_MAX - 1; // One row is the record's.
    let versions = view.versions(id, None, WALK_MAX).map_err(Refusal::View)?;
    let mut more = true;
    for version in versions {
        let age_millis = context.now.age.since(version.created_age);
        let age_millis = if faults::active(Fault::PrunedTooEarly) {
            limits::VERSION_AGE_MIN_MILLIS
        } else {
            age_millis
        };
        if record.version_count <= limits::VERSIONS_KEPT
            || age_millis < limits::VERSION_AGE_MIN_MILLIS
        {
            more = false;
            break;
        }
        if labels.is_labelled(version.seq) {
            continue;
        }
        let effect = Effect::DropVersion(version);
        let Some(left) = budget.checked_sub(rows(&effect)) else {
            break;
        };
        budget = left;
        record.version_count -= 1;
        effects.push(effect);
    }
    if effects.is_empty() {
        return Ok(nothing(Answer::Done));
    }
    more &= record.version_count > limits::VERSIONS_KEPT;
    effects.push(Effect::PutSecret(record));
    Ok(Plan { effects, answer: if more { Answer::More } else { Answer::Done } })
}
