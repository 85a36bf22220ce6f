//! `RotateSecret` and `CancelRotateSecret` (SEM-ROT).

use super::external;
use super::schedule::Schedule;
use super::version::begin;
use crate::model::api::{CancelRotateSecret, RotateSecret, RotationRules};
use crate::model::{Rotation, RotationStep, SecretRecord, Stage};
use crate::semantics::access::{Action, resolve};
use crate::semantics::change::{Change, Labels, written};
use crate::semantics::fault::Fault;
use crate::semantics::messages;
use crate::semantics::plan::{Context, Outcome, Refusal, View, nothing};
use crate::semantics::validate::Checked;

pub(crate) fn rotate_secret<V: View>(
    view: &V,
    context: &Context,
    request: &Checked<RotateSecret>,
) -> Outcome<V> {
    let token = request.names().token.clone();
    let record = resolve::active(view, &context.scope, request.secret(), Action::RotateSecret)?;
    if record.rotation.as_ref().is_some_and(|known| known.last_token.as_ref() == Some(&token)) {
        return Ok(nothing(written(&record, Some(token), Vec::new())));
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
        // No version is pending, so its label has moved and only its end was not recorded yet.
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
    // A test needs a value (SEM-ROT-12) and a function (SEM-EXT-5).
    let can_test = !rotation.is_external() && change.labels.holder(&Stage::current()).is_some();
    if !only_test || can_test {
        begin(&mut change, context, &mut rotation, token.clone(), only_test)?;
    }
    change.record.rotation = Some(rotation);
    let answer = written(&change.record, Some(token), Vec::new());
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
    request: &Checked<CancelRotateSecret>,
) -> Outcome<V> {
    let record =
        resolve::active(view, &context.scope, request.secret(), Action::CancelRotateSecret)?;
    let Some(rotation) = record.rotation.clone() else {
        return Err(messages::rotation_never_configured().into());
    };
    let begun = rotation.running.clone().filter(|running| !running.only_test);
    let answer = written(&record, begun.map(|running| running.token), Vec::new());
    if !rotation.enabled {
        return Ok(nothing(answer));
    }
    let mut change = Change::of(record, Labels::none(), context.now);
    // A test may be about to fill its temporary version. The engine removes it.
    let running = rotation.running.clone().filter(|running| running.only_test);
    change.record.rotation = Some(Rotation { enabled: false, running, ..rotation });
    Ok(change.finish(answer)?)
}
