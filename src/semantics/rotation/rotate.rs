//! Rotation: what is asked for (`RotateSecret`, `CancelRotateSecret`), what is shown, and when
//! something is due (SEM-ROT, SEM-SCHED).
//!
//! ```text
//! RotateSecret --> createSecret --> setSecret --> testSecret --> finishSecret --> over
//! window opens --/       ^________________________________________/ a call fails: later, anew
//! RotateImmediately=false --------------------> testSecret, with a copy ---------> over
//! ```
//!
//! `advance` takes a rotation from one call to the next; who calls is not decided here.

use super::external;
use super::schedule::{Schedule, Window};
use crate::env::UnixMillis;
use crate::model::api::{RotateSecret, RotationDescription, RotationRules, SecretIdOnly, Written};
use crate::model::{Rotation, RotationStep, RunningRotation, SecretRecord, Stage, VersionId};
use crate::semantics::access::Action;
use crate::semantics::access::resolve;
use crate::semantics::change::{Change, Labels, nothing};
use crate::semantics::fault::Fault;
use crate::semantics::{Answer, Context, Effect, Outcome, Refusal, View, messages, validate};

/// When a secret's rotation wants to be looked at, by the wall clock.
#[must_use]
pub fn rotation_due(record: &SecretRecord) -> Option<UnixMillis> {
    let rotation = record.rotation.as_ref()?;
    // Nobody here can do what a partner would (SEM-EXT-6).
    if record.dead || record.deletion.is_some() || rotation.is_external() {
        return None;
    }
    match &rotation.running {
        // Cancelled: its temporary version is removed at once.
        Some(running) if !rotation.enabled => running.not_before,
        None if !rotation.enabled => None,
        Some(RunningRotation { not_before: Some(at), .. }) => Some(*at),
        _ => window(rotation).map(|window| window.opens),
    }
}

/// The next window of a schedule.
pub(super) fn window(rotation: &Rotation) -> Option<Window> {
    let rules = rotation.rules.as_ref()?;
    Schedule::of(rules).ok().flatten()?.next(rotation.counted_from)
}

/// What is shown of a secret's rotation (SEM-ROT-14, SEM-SCHED-8).
pub(crate) fn describe(rotation: &Rotation) -> RotationDescription {
    let rules =
        rotation.rules.clone().map(|rules| match (&rules.schedule_expression, days(rotation)) {
            (Some(_), days) => RotationRules { automatically_after_days: days, ..rules },
            _ => rules,
        });
    let next = window(rotation).filter(|_| rotation.enabled);
    RotationDescription {
        rotation_enabled: rotation.enabled,
        rotation_lambda_arn: Some(rotation.function.clone()).filter(|arn| !arn.is_empty()),
        rotation_rules: rules,
        last_rotated_date: rotation.last_rotated,
        next_rotation_date: next.map(|window| window.closes.plus(-1000)),
    }
}

fn days(rotation: &Rotation) -> Option<i64> {
    let schedule = Schedule::of(rotation.rules.as_ref()?).ok().flatten()?;
    schedule.days(rotation.counted_from)
}

/// Notes that a new value became current: the schedule counts from it (SEM-SCHED-9).
pub(crate) fn value_changed(change: &mut Change) {
    if let Some(rotation) = &mut change.record.rotation {
        rotation.counted_from = change.stamp;
    }
}

pub(crate) fn rotate_secret<V: View>(
    view: &V,
    context: &Context,
    request: &RotateSecret,
) -> Outcome<V> {
    validate::rotate_secret(request)?;
    let token = match request.client_request_token.as_deref() {
        None => return Err(messages::no_rotation_token().into()),
        text => validate::token(text)?,
    };
    let record = resolve::active(view, &context.scope, &request.secret_id, Action::RotateSecret)?;
    if record.rotation.as_ref().is_some_and(|known| known.last_token.as_ref() == Some(&token)) {
        return Ok(nothing(rotating(&record, Some(token))));
    }
    let given = request.rotation_rules.clone().filter(|rules| *rules != RotationRules::default());
    if let Some(rules) = &given {
        Schedule::of(rules)?;
    }
    let known = record.rotation.clone();
    let function = function(context, request, &record)?;
    let labels = Labels::load(view, record.id)?;
    if labels
        .holder(&Stage::pending())
        .is_some_and(|on| labels.holder(&Stage::current()) != Some(on))
    {
        return Err(messages::rotation_not_complete().into());
    }
    if view.version_seq(record.id, &token).map_err(Refusal::View)?.is_some() {
        return Err(messages::rotation_token_is_taken(&token).into());
    }

    let mut change = Change::of(record, labels, context.now);
    let was_finishing = known.as_ref().is_some_and(|known| {
        // Nothing is pending elsewhere: its label has moved, only its end was not noted yet.
        known.running.as_ref().is_some_and(|running| running.step == RotationStep::FinishSecret)
    });
    let mut rotation = Rotation {
        enabled: true,
        function,
        rules: given.clone().or_else(|| known.as_ref().and_then(|known| known.rules.clone())),
        last_rotated: known.as_ref().and_then(|known| known.last_rotated),
        counted_from: change.stamp,
        last_token: Some(token.clone()),
        running: None,
    };
    if was_finishing {
        rotation.last_rotated = Some(change.stamp);
    }
    if let Some(partner) = &mut change.record.external {
        external::configure(partner, request);
    }
    let only_test = request.rotate_immediately == Some(false);
    // Nothing to test without a value (SEM-ROT-12), nor without a function (SEM-EXT-5).
    let can_test = !rotation.is_external() && change.labels.holder(&Stage::current()).is_some();
    if !only_test || can_test {
        begin(&mut change, context, &mut rotation, token.clone(), only_test)?;
    }
    change.record.rotation = Some(rotation);
    let answer = rotating(&change.record, Some(token));
    Ok(change.finish(answer)?)
}

/// The function that rotates a secret; empty for one that its partner rotates.
fn function(
    context: &Context,
    request: &RotateSecret,
    record: &SecretRecord,
) -> Result<String, Fault> {
    if let Some(partner) = &record.external {
        external::check_rotation(partner, request)?;
        return Ok(String::new());
    }
    external::check_absent(request)?;
    let asked = request.rotation_lambda_arn.as_deref().filter(|arn| !arn.is_empty());
    let known = record.rotation.as_ref().map(|known| known.function.as_str());
    let function = asked.or(known).ok_or_else(messages::no_function)?;
    if !context.functions.contains(function) {
        return Err(messages::function_not_callable());
    }
    Ok(function.to_owned())
}

pub(crate) fn cancel_rotate_secret<V: View>(
    view: &V,
    context: &Context,
    request: &SecretIdOnly,
) -> Outcome<V> {
    validate::secret_id_only(request)?;
    let record =
        resolve::active(view, &context.scope, &request.secret_id, Action::CancelRotateSecret)?;
    let Some(rotation) = record.rotation.clone() else {
        return Err(messages::rotation_never_configured().into());
    };
    let begun = rotation.running.clone().filter(|running| !running.only_test);
    let answer = rotating(&record, begun.map(|running| running.token));
    if !rotation.enabled {
        return Ok(nothing(answer));
    }
    let mut change = Change::of(record, Labels::none(), context.now);
    // A test may be about to fill its temporary version: who calls the function removes it.
    let running = rotation.running.clone().filter(|running| running.only_test);
    change.record.rotation = Some(Rotation { enabled: false, running, ..rotation });
    Ok(change.finish(answer)?)
}

/// Makes the version of a rotation, with AWSPENDING and without a value (SEM-ROT-4).
pub(super) fn begin(
    change: &mut Change,
    context: &Context,
    rotation: &mut Rotation,
    token: VersionId,
    only_test: bool,
) -> Result<(), Fault> {
    let seq = change.add_version(context.now, token.clone(), None)?;
    change.labels.attach(Stage::pending(), seq);
    rotation.last_token = Some(token.clone());
    rotation.running = Some(RunningRotation {
        token,
        only_test,
        step: if only_test { RotationStep::TestSecret } else { RotationStep::CreateSecret },
        failures: 0,
        not_before: Some(context.now.wall),
    });
    Ok(())
}

/// Removes the temporary version of a mere test. One that has become more than that stays.
pub(super) fn drop_test_version<V: View>(
    view: &V,
    change: &mut Change,
    token: &VersionId,
) -> Result<(), Refusal<V::Error>> {
    let id = change.record.id;
    let Some(seq) = view.version_seq(id, token).map_err(Refusal::View)? else { return Ok(()) };
    let Some(version) = view.version(id, seq).map_err(Refusal::View)? else { return Ok(()) };
    if change.labels.holder(&Stage::pending()) == Some(seq) {
        change.labels.detach(&Stage::pending());
    }
    if !change.labels.is_labelled(seq) {
        change.record.version_count = change.record.version_count.saturating_sub(1);
        change.push(Effect::DropVersion(version));
    }
    Ok(())
}

fn rotating(record: &SecretRecord, version_id: Option<VersionId>) -> Answer {
    Answer::Written(Written {
        arn: record.arn().to_string(),
        name: record.name.to_string(),
        version_id,
        version_stages: Vec::new(),
        replication_status: None,
    })
}
