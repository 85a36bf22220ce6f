//! Deletion: scheduled, taken back, or at once; and what follows in the background (SEM-DEL).
//!
//! ```text
//! active <--RestoreSecret-- scheduled --Purge, window over--> dead --Sweep ...--> no row left
//!   |  \---DeleteSecret--->     |                              ^
//!   \---------- DeleteSecret, forced --------------------------/
//! ```

use crate::env::UnixMillis;
use crate::env::faults;
use crate::model::api::{DeleteSecret, Deleted, SecretIdOnly};
use crate::model::{Arn, Deletion, RecordId, SecretRecord, SecretRef, limits};
use crate::semantics::access::Action;
use crate::semantics::access::resolve;
use crate::semantics::change::{Change, Labels, nothing, rows, stamp};
use crate::semantics::fault::Fault;
use crate::semantics::replication::cross_account;
use crate::semantics::versions::stage;
use crate::semantics::{
    Answer, Context, Effect, Now, Outcome, Plan, Refusal, View, messages, validate,
};

const DAY_MILLIS: i64 = 24 * 60 * 60 * 1000;
/// Versions fetched at a time by a sweep: each costs at least three rows of its budget.
const SWEEP_BATCH: usize = limits::OPERATION_ROWS_MAX / 3;

pub(crate) fn delete_secret<V: View>(
    view: &V,
    context: &Context,
    request: &DeleteSecret,
) -> Outcome<V> {
    validate::delete_secret(request)?;
    let reference = validate::reference(&request.secret_id)?;
    let (id, action) = (&request.secret_id, Action::DeleteSecret);
    let record = resolve::find(view, &context.scope, &reference, id, action)?;
    if request.force_delete_without_recovery == Some(true) {
        if request.recovery_window_in_days.is_some() {
            return Err(messages::force_with_window().into());
        }
        return Ok(match record {
            Some(record) => {
                must_be_alone(&record, &request.secret_id)?;
                let now = stamp(context.now, &record);
                purged(record, context.now, |record| deleted(record, now))
            }
            None => nothing(never_was(context, &reference, &request.secret_id)),
        });
    }
    let record = record.ok_or_else(messages::no_secret)?;
    must_be_alone(&record, &request.secret_id)?;
    if record.deletion.is_some() {
        return Err(messages::already_scheduled().into());
    }
    let days = request.recovery_window_in_days.unwrap_or(limits::RECOVERY_WINDOW_DAYS_DEFAULT);
    let window_days = u8::try_from(days)
        .ok()
        .filter(|_| limits::RECOVERY_WINDOW_DAYS.contains(&days))
        .ok_or_else(messages::bad_window)?;
    let mut change = Change::of(record, Labels::none(), context.now);
    change.record.deletion =
        Some(Deletion { requested: change.stamp, requested_age: context.now.age, window_days });
    let answer = deleted(&change.record, change.stamp.plus(days * DAY_MILLIS));
    Ok(change.finish(answer)?)
}

pub(crate) fn restore_secret<V: View>(
    view: &V,
    context: &Context,
    request: &SecretIdOnly,
) -> Outcome<V> {
    validate::secret_id_only(request)?;
    let record = resolve::any(view, &context.scope, &request.secret_id, Action::RestoreSecret)?;
    let answer = stage::named(&record);
    if record.deletion.is_none() {
        return Ok(nothing(answer));
    }
    let mut change = Change::of(record, Labels::none(), context.now);
    change.record.deletion = None;
    if faults::active(faults::Fault::RestoreForgetsPolicy) {
        change.record.policies = None;
    }
    Ok(change.finish(answer)?)
}

/// Purges a secret whose recovery window is over, by the age clock (SEM-DEL-11).
pub(crate) fn purge<V: View>(view: &V, context: &Context, id: RecordId) -> Outcome<V> {
    let record = view.secret(id).map_err(Refusal::View)?.filter(|record| !record.dead);
    let Some((record, deletion)) = record.and_then(|record| {
        let deletion = record.deletion.clone()?;
        Some((record, deletion))
    }) else {
        return Ok(nothing(Answer::Done));
    };
    let window_millis = i64::from(deletion.window_days) * DAY_MILLIS;
    let window_millis = if faults::active(faults::Fault::PurgedAtOnce) { 0 } else { window_millis };
    if context.now.age.since(deletion.requested_age) < window_millis {
        return Ok(nothing(Answer::Done));
    }
    Ok(purged(record, context.now, |_| Answer::Done))
}

/// Frees the name and marks the record dead. What only a living secret needs leaves the record at
/// once; the rows that hang on it are swept later (SEM-DEL-12).
fn purged(record: SecretRecord, now: Now, answer: impl Fn(&SecretRecord) -> Answer) -> Plan {
    let answer = answer(&record);
    let dead = dead(&record, now);
    let effects =
        vec![Effect::FreeName(record), Effect::PutSecret(dead), Effect::NotePurge(now.age)];
    Plan { effects, answer }
}

/// The record of a purged secret.
pub(crate) fn dead(record: &SecretRecord, now: Now) -> SecretRecord {
    SecretRecord {
        dead: true,
        creation_token: None,
        last_changed: stamp(now, record),
        last_accessed: None,
        description: None,
        kms_key_id: None,
        tags: None,
        deletion: None,
        owning_service: None,
        replication: None,
        policies: None,
        rotation: None,
        external: None,
        cross_account: None,
        ..record.clone()
    }
}

/// Neither a replica (E28) nor replicated (E29), in other accounts too.
fn must_be_alone(record: &SecretRecord, secret_id: &str) -> Result<(), Fault> {
    resolve::must_be_own(record)?;
    cross_account::must_have_no_replica(record, secret_id)?;
    match record.replicas() {
        [] => Ok(()),
        replicas => Err(messages::has_replicas(secret_id, replicas)),
    }
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

fn deleted(record: &SecretRecord, deletion_date: UnixMillis) -> Answer {
    Answer::Deleted(Deleted {
        arn: record.arn().to_string(),
        name: record.name.to_string(),
        deletion_date,
    })
}

/// A forced deletion of a secret that is not there succeeds with an ARN that could be its own
/// (SEM-DEL-7): complete ones are repeated, others get the suffix that a creation would get now.
fn never_was(context: &Context, reference: &SecretRef, secret_id: &str) -> Answer {
    let invent = |scope: &crate::model::Scope, name: &crate::model::SecretName| {
        Arn { scope: scope.clone(), name: name.clone(), suffix: context.suffix }.to_string()
    };
    let (arn, name) = match reference {
        SecretRef::Name(name) => (invent(&context.scope, name), name.to_string()),
        SecretRef::PartialArn(scope, name) => (invent(scope, name), name.to_string()),
        SecretRef::Arn(arn) => (arn.to_string(), arn.name.to_string()),
        SecretRef::Nowhere => (secret_id.to_owned(), secret_id.to_owned()),
    };
    Answer::Deleted(Deleted { arn, name, deletion_date: context.now.wall })
}
