//! `RotateSecret` and `CancelRotateSecret` (SEM-ROT).

use super::schedule::Schedule;
use super::version::begin;
use crate::model::api::{CancelRotateSecret, RotateSecret, RotationRules};
use crate::model::{External, Rotation, RotationStep, SecretRecord, SecretRef, Stage, limits};
use crate::semantics::access::{Action, resolve};
use crate::semantics::change::{Change, Labels, written};
use crate::semantics::fault::Fault;
use crate::semantics::messages;
use crate::semantics::operation::Decide;
use crate::semantics::plan::{Context, Outcome, Refusal, View, nothing};
use crate::semantics::validate::{
    self, AboutSecret, Check, Checked, VersionNames, Violations, constraint, members, names,
};

impl Check for RotateSecret {
    type Names = VersionNames;

    /// A missing token has an exception of its own; what the schedule means is
    /// decided with the rules of the operation.
    fn check(&self) -> Result<Self::Names, Fault> {
        let mut found = Violations::default();
        members::secret_id_length(&mut found, &self.secret_id);
        members::token_length(&mut found, self.client_request_token.as_deref());
        if let Some(arn) = &self.rotation_lambda_arn {
            found.text("rotationLambdaARN", arn, 0, limits::FUNCTION_ARN_CHARS_MAX);
        }
        if let Some(rules) = &self.rotation_rules {
            rotation_rules(&mut found, rules);
        }
        let items = self.external_metadata.as_deref().unwrap_or_default();
        for (path, item) in constraint::members("externalSecretRotationMetadata", items) {
            found.text(&format!("{path}.key"), &item.key, 1, limits::EXTERNAL_KEY_CHARS_MAX);
            found.text(&format!("{path}.value"), &item.value, 1, limits::EXTERNAL_VALUE_CHARS_MAX);
        }
        let role = self.external_role_arn.as_deref();
        members::arn(&mut found, "externalSecretRotationRoleArn", role);
        found.into_result()?;
        let secret = names::reference(&self.secret_id)?;
        let token = match self.client_request_token.as_deref() {
            None => return Err(messages::no_rotation_token()),
            text => names::token(text)?,
        };
        Ok(VersionNames { secret, token })
    }
}

fn rotation_rules(found: &mut Violations, rules: &RotationRules) {
    if let Some(days) = rules.automatically_after_days {
        found.number("rotationRules.automaticallyAfterDays", days, 1, limits::ROTATION_DAYS_MAX);
    }
    if let Some(text) = &rules.duration {
        let hours = text.strip_suffix('h').unwrap_or_default();
        let matches = !hours.is_empty() && hours.bytes().all(|byte| byte.is_ascii_digit());
        found.text("rotationRules.duration", text, 2, 3);
        found.pattern("rotationRules.duration", text, r"[0-9]+h", matches);
    }
    if let Some(text) = &rules.schedule_expression {
        let path = "rotationRules.scheduleExpression";
        let is_legal = text.chars().all(|c| c.is_ascii_alphanumeric() || "()#?*-/, ".contains(c));
        let matches = is_legal && !text.is_empty();
        found.text(path, text, 1, limits::SCHEDULE_CHARS_MAX);
        found.pattern(path, text, r"[0-9A-Za-z\(\)#\?\*\-\/, ]+", matches);
    }
}

impl AboutSecret for RotateSecret {
    fn secret_id(&self) -> &str {
        &self.secret_id
    }
}

impl Decide for RotateSecret {
    const GROWS: bool = true;

    fn decide<V: View>(view: &V, context: &Context, request: &Checked<Self>) -> Outcome<V> {
        let token = request.names().token.clone();
        let record = resolve::active(view, &context.scope, request.secret(), Action::RotateSecret)?;
        if record.rotation.as_ref().is_some_and(|known| known.last_token.as_ref() == Some(&token)) {
            return Ok(nothing(written(&record, Some(token), Vec::new())));
        }
        let given =
            request.rotation_rules.clone().filter(|rules| *rules != RotationRules::default());
        if let Some(rules) = &given {
            Schedule::of_request(rules)?;
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
            configure_external(partner, request);
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
}

/// The function that rotates a secret; empty for one that its partner rotates.
fn function(
    context: &Context,
    request: &RotateSecret,
    record: &SecretRecord,
) -> Result<String, Fault> {
    if let Some(partner) = &record.external {
        check_external(partner, request)?;
        return Ok(String::new());
    }
    check_not_external(request)?;
    let asked = request.rotation_lambda_arn.as_deref().filter(|arn| !arn.is_empty());
    let known = record.rotation.as_ref().map(|known| known.function.as_str());
    let function = asked.or(known).ok_or_else(messages::no_function)?;
    if !context.functions.contains(function) {
        return Err(messages::function_not_callable());
    }
    Ok(function.to_owned())
}

/// Checks `RotateSecret` on a managed external secret.
fn check_external(external: &External, request: &RotateSecret) -> Result<(), Fault> {
    if request.rotation_lambda_arn.as_ref().is_some_and(|arn| !arn.is_empty()) {
        return Err(messages::function_of_external());
    }
    let items = request.external_metadata.as_deref().unwrap_or_default();
    let bytes: usize = items.iter().map(|item| item.key.len() + item.value.len()).sum();
    if items.len() > limits::EXTERNAL_ITEMS_MAX || bytes > limits::EXTERNAL_BYTES_MAX {
        return Err(messages::too_much_external_metadata());
    }
    validate::role(request.external_role_arn.as_deref(), "ExternalSecretRotationRoleArn")?;
    if request.rotate_immediately != Some(false) {
        return Err(messages::no_partner(&external.partner));
    }
    Ok(())
}

/// Refuses members of `RotateSecret` that are for managed external secrets only, on any other secret.
fn check_not_external(request: &RotateSecret) -> Result<(), Fault> {
    if request.external_metadata.is_some() {
        return Err(messages::not_external("ExternalSecretRotationMetadata"));
    }
    if request.external_role_arn.is_some() {
        return Err(messages::not_external("ExternalSecretRotationRoleArn"));
    }
    Ok(())
}

/// Stores the partner's settings from a checked `RotateSecret`. Absent members leave theirs unchanged.
fn configure_external(external: &mut External, request: &RotateSecret) {
    if let Some(metadata) = &request.external_metadata {
        external.metadata.clone_from(metadata);
    }
    if let Some(role) = &request.external_role_arn {
        external.role = Some(role.as_str().into());
    }
}

impl Check for CancelRotateSecret {
    type Names = SecretRef;

    fn check(&self) -> Result<Self::Names, Fault> {
        names::secret_id(&self.secret_id)
    }
}

impl AboutSecret for CancelRotateSecret {
    fn secret_id(&self) -> &str {
        &self.secret_id
    }
}

impl Decide for CancelRotateSecret {
    fn decide<V: View>(view: &V, context: &Context, request: &Checked<Self>) -> Outcome<V> {
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
        change.record.rotation = Some(turned_off(rotation));
        Ok(change.finish(answer)?)
    }
}

/// A rotation that is turned off, with what is running ended. A test may be about to fill its temporary
/// version; the engine removes it.
pub(crate) fn turned_off(rotation: Rotation) -> Rotation {
    let running = rotation.running.filter(|running| running.only_test);
    Rotation { enabled: false, running, ..rotation }
}
