//! One turn of a rotation: records the result of the last call, begins a rotation that is due, and
//! returns the next call (SEM-ROT-6 to SEM-ROT-13, SEM-SCHED-10).
//!
//! The engine that calls the function asks again after each call. After a crash it asks without a report, and
//! the step whose result was not recorded is called again.

use super::due::{corrected, rotation_due, window};
use super::version::{begin, drop_test_version};
use crate::env::UnixMillis;
use crate::model::api::{AdvanceRotation, RotationCall, RotationReport, RotationTurn};
use crate::model::{Rotation, RunningRotation, SecretRecord, Seq, Stage};
use crate::semantics::change::{Change, Labels, stamp};
use crate::semantics::plan::{Answer, Context, Effect, Outcome, Plan, Refusal, View, nothing};

/// Waits after the failed attempts of one window. After the last, the rotation waits for the next window.
const WAITS_MILLIS: [i64; 3] = [60 * 1000, 5 * 60 * 1000, 15 * 60 * 1000];
/// How long to wait when a rotation cannot begin for a reason that may pass.
const PAUSE_MILLIS: i64 = 60 * 60 * 1000;

/// Nothing to do before `due`.
fn rest(due: Option<UnixMillis>) -> Plan {
    nothing(Answer::Rotation(RotationTurn { call: None, due }))
}

pub(crate) fn advance<V: View>(
    view: &V,
    context: &Context,
    request: &AdvanceRotation,
) -> Outcome<V> {
    let record = view.secret(request.id).map_err(Refusal::View)?;
    let Some(record) = record.filter(|record| !record.dead && record.deletion.is_none()) else {
        return Ok(rest(None));
    };
    let rotation = record.rotation.clone().filter(|rotation| !rotation.is_external());
    let Some(rotation) = rotation else { return Ok(rest(None)) };
    // The report of a call is recorded first. The turn after it comes without one.
    if let Some(rotation) = corrected(&rotation, context.now).filter(|_| request.report.is_none()) {
        return Ok(put(record, rotation, context));
    }
    let labels = Labels::load(view, record.id)?;
    match rotation.running.clone() {
        Some(running) if !rotation.enabled => {
            end(view, context, record, labels, rotation, &running)
        }
        None if !rotation.enabled => Ok(rest(None)),
        Some(running) => go_on(view, context, request, record, labels, rotation, running),
        None => begin_if_due(context, request, record, labels, rotation),
    }
}

/// Stores a corrected rotation. No answer shows that change, so the secret's date stays.
fn put(record: SecretRecord, rotation: Rotation, context: &Context) -> Plan {
    let record = SecretRecord { rotation: Some(rotation), ..record };
    let due = rotation_due(&record, context.now);
    let answer = Answer::Rotation(RotationTurn { call: None, due });
    Plan { effects: vec![Effect::PutSecret(record)], answer }
}

/// Begins a rotation if the schedule says so.
fn begin_if_due<E>(
    context: &Context,
    request: &AdvanceRotation,
    record: SecretRecord,
    labels: Labels,
    mut rotation: Rotation,
) -> Result<Plan, Refusal<E>> {
    let Some(window) = window(&rotation) else { return Ok(rest(None)) };
    if context.now.wall < window.opens {
        return Ok(rest(Some(window.opens)));
    }
    let pending = labels.holder(&Stage::pending());
    let is_in_the_way = pending.is_some() && pending != labels.holder(&Stage::current());
    if is_in_the_way || !context.functions.contains(&rotation.function) {
        return Ok(rest(Some(context.now.wall.plus(PAUSE_MILLIS))));
    }
    let mut change = Change::of(record, labels, context.now);
    begin(&mut change, context, &mut rotation, request.fresh_token.clone(), false)?;
    let turn =
        rotation.running.as_ref().map(|running| call(&change.record, &rotation, running, false));
    change.record.rotation = Some(rotation);
    Ok(change.finish(Answer::Rotation(RotationTurn { call: turn, due: None }))?)
}

/// Advances the running rotation by one step.
fn go_on<V: View>(
    view: &V,
    context: &Context,
    request: &AdvanceRotation,
    record: SecretRecord,
    labels: Labels,
    mut rotation: Rotation,
    mut running: RunningRotation,
) -> Outcome<V> {
    let seq = view.version_seq(record.id, &running.token).map_err(Refusal::View)?;
    let on_it = |stage: &Stage| seq.is_some() && labels.holder(stage) == seq;
    let is_current = on_it(&Stage::current());
    let moment = stamp(context.now, &record);
    if !is_current && !on_it(&Stage::pending()) {
        // Its label was moved away, so the rotation is abandoned.
        return end(view, context, record, labels, rotation, &running);
    }
    let report = request.report.as_ref().filter(|report| is_about(report, &running));
    if let Some(report) = report {
        if running.only_test {
            return end(view, context, record, labels, rotation, &running);
        }
        match (report.succeeded, running.step.next()) {
            (true, Some(next)) => running.step = next,
            (true, None) if is_current => {
                rotation.last_rotated = Some(moment);
                rotation.counted_from = moment;
                return end(view, context, record, labels, rotation, &running);
            }
            // It failed, or it reported success while AWSCURRENT is elsewhere.
            _ => fail(context, &mut rotation, &mut running),
        }
    }
    let next_look = running.not_before.or_else(|| window(&rotation).map(|window| window.opens));
    let is_due = next_look.is_some_and(|at| at <= context.now.wall);
    let is_callable = context.functions.contains(&rotation.function);
    let wants_copy = running.only_test && !has_value(view, &record, seq)?;
    let call = (is_due && is_callable).then(|| call(&record, &rotation, &running, wants_copy));
    let due = if is_due && !is_callable {
        Some(context.now.wall.plus(PAUSE_MILLIS))
    } else {
        next_look.filter(|_| !is_due)
    };
    let answer = Answer::Rotation(RotationTurn { call, due });
    if report.is_none() {
        return Ok(nothing(answer));
    }
    rotation.running = Some(running);
    // No answer shows this change, so the secret's date stays.
    let record = SecretRecord { rotation: Some(rotation), ..record };
    Ok(Plan { effects: vec![Effect::PutSecret(record)], answer })
}

/// Whether a report is about the outstanding call. An older report changes nothing.
fn is_about(report: &RotationReport, running: &RunningRotation) -> bool {
    report.token == running.token && report.step == running.step
}

/// A failed attempt: AWSPENDING stays, and the next attempt starts over (SEM-ROT-9).
fn fail(context: &Context, rotation: &mut Rotation, running: &mut RunningRotation) {
    let wait = usize::try_from(running.failures).ok().and_then(|n| WAITS_MILLIS.get(n));
    running.failures = running.failures.saturating_add(1);
    running.step = crate::model::RotationStep::CreateSecret;
    running.not_before = wait.map(|wait| context.now.wall.plus(*wait));
    if wait.is_none() {
        // Otherwise the open window would count as the next one.
        rotation.counted_from = context.now.not_before(rotation.counted_from);
    }
}

/// Ends the running rotation, whatever its result: AWSPENDING is removed from a current version, and the
/// version of a test is removed.
fn end<V: View>(
    view: &V,
    context: &Context,
    record: SecretRecord,
    labels: Labels,
    rotation: Rotation,
    running: &RunningRotation,
) -> Outcome<V> {
    let mut change = Change::of(record, labels, context.now);
    let pending = change.labels.holder(&Stage::pending());
    if running.only_test {
        drop_test_version(view, &mut change, &running.token)?;
    } else if pending.is_some() && pending == change.labels.holder(&Stage::current()) {
        change.labels.detach(&Stage::pending());
    }
    change.record.rotation = Some(Rotation { running: None, ..rotation });
    let due = rotation_due(&change.record, context.now);
    Ok(change.finish(Answer::Rotation(RotationTurn { call: None, due }))?)
}

fn has_value<V: View>(
    view: &V,
    record: &SecretRecord,
    seq: Option<Seq>,
) -> Result<bool, Refusal<V::Error>> {
    let Some(seq) = seq else { return Ok(false) };
    let version = view.version(record.id, seq).map_err(Refusal::View)?;
    Ok(version.is_some_and(|version| version.kind.is_some()))
}

fn call(
    record: &SecretRecord,
    rotation: &Rotation,
    running: &RunningRotation,
    wants_copy: bool,
) -> RotationCall {
    RotationCall {
        scope: record.scope.clone(),
        arn: record.arn().to_string(),
        function: rotation.function.clone(),
        token: running.token.clone(),
        step: running.step,
        wants_copy,
    }
}
