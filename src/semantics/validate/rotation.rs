//! The checks of `RotateSecret`.

use super::constraint::{self, Violations};
use super::members::{arn, secret_id_length, token_length};
use super::names::{VersionNames, reference, token};
use crate::model::api::{RotateSecret, RotationRules};
use crate::model::limits;
use crate::semantics::fault::Fault;
use crate::semantics::messages;

/// Checks `RotateSecret`. A missing token has an exception of its own; what the schedule means is
/// decided with the rules of the operation.
pub fn rotate_secret(request: &RotateSecret) -> Result<VersionNames, Fault> {
    let mut found = Violations::default();
    secret_id_length(&mut found, &request.secret_id);
    token_length(&mut found, request.client_request_token.as_deref());
    if let Some(arn) = &request.rotation_lambda_arn {
        found.text("rotationLambdaARN", arn, 0, limits::FUNCTION_ARN_CHARS_MAX);
    }
    if let Some(rules) = &request.rotation_rules {
        rotation_rules(&mut found, rules);
    }
    let items = request.external_metadata.as_deref().unwrap_or_default();
    for (path, item) in constraint::members("externalSecretRotationMetadata", items) {
        found.text(&format!("{path}.key"), &item.key, 1, limits::EXTERNAL_KEY_CHARS_MAX);
        found.text(&format!("{path}.value"), &item.value, 1, limits::EXTERNAL_VALUE_CHARS_MAX);
    }
    let role = request.external_role_arn.as_deref();
    arn(&mut found, "externalSecretRotationRoleArn", role);
    found.into_result()?;
    let secret = reference(&request.secret_id)?;
    let token = match request.client_request_token.as_deref() {
        None => return Err(messages::no_rotation_token()),
        text => token(text)?,
    };
    Ok(VersionNames { secret, token })
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
