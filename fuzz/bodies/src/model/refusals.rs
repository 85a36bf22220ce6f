//! The known refusals, with their texts where those of AWS were recorded.

use super::Tagged;
use super::words::{Ans, Value};

pub(super) fn refuse(tag: &'static str, kind: &str, message: Option<String>) -> Tagged {
    (tag, Ans::Refused { kind: format!("{kind}Exception"), message })
}

pub(super) fn e1() -> Tagged {
    let text = "Secrets Manager can't find the specified secret.";
    refuse("E1 no secret", "ResourceNotFound", Some(text.into()))
}

pub(super) fn e3(version: &str) -> Tagged {
    let text =
        format!("Secrets Manager can't find the specified secret value for VersionId: {version}");
    refuse("E3 no version", "ResourceNotFound", Some(text))
}

pub(super) fn e5() -> Tagged {
    let text = "You can't perform this operation on the secret because it was marked for deletion.";
    refuse("E5 scheduled", "InvalidRequest", Some(text.into()))
}

pub(super) fn e9(token: &str, arn: &str) -> Tagged {
    let text = format!(
        "You can't use ClientRequestToken {token} because that value is already in use for a version of secret {arn}."
    );
    refuse("E9 token in use", "ResourceExists", Some(text))
}

pub(super) fn e12() -> Tagged {
    let text = "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!";
    refuse("E12 bad name", "Validation", Some(text.into()))
}

pub(super) fn too_many_labels() -> Tagged {
    refuse("E38 labels", "LimitExceeded", None)
}

/// All broken constraints of a request in one refusal.
pub(super) fn constraints(items: impl IntoIterator<Item = Option<String>>) -> Result<(), Tagged> {
    let items: Vec<String> = items.into_iter().flatten().collect();
    if items.is_empty() {
        return Ok(());
    }
    let plural = if items.len() == 1 { "" } else { "s" };
    let text = format!("{} validation error{plural} detected: {}", items.len(), items.join("; "));
    // The text of AWS about lists of labels was never recorded.
    let message = (!text.contains(UNRECORDED)).then_some(text);
    Err(refuse("E27 constraint", "Validation", message))
}

pub(super) const UNRECORDED: &str = "not recorded";

/// The length rule that `text` breaks, if any.
pub(super) fn length(path: &str, text: &str, min: usize, max: usize) -> Option<String> {
    let chars = text.chars().count();
    let rule = if chars < min {
        format!("greater than or equal to {min}")
    } else if chars > max {
        format!("less than or equal to {max}")
    } else {
        return None;
    };
    Some(format!(
        "Value '{text}' at '{path}' failed to satisfy constraint: Member must have length {rule}"
    ))
}

pub(super) fn value_length(value: Option<&Value>) -> Option<String> {
    let value = value?;
    let rule = match value.len() {
        0 => "greater than or equal to 1",
        65_537.. => "less than or equal to 65536",
        _ => return None,
    };
    Some(format!(
        "Value at '{}' failed to satisfy constraint: Member must have length {rule}",
        value.member()
    ))
}

pub(super) fn page_range(page: Option<i64>) -> Option<String> {
    let page = page?;
    let rule = match page {
        ..1 => "greater than or equal to 1",
        101.. => "less than or equal to 100",
        _ => return None,
    };
    Some(format!(
        "Value '{page}' at 'maxResults' failed to satisfy constraint: Member must have value {rule}"
    ))
}

pub(super) fn stage_list(stages: Option<&[String]>) -> Option<String> {
    let stages = stages?;
    let bad = stages.is_empty()
        || stages.len() > 20
        || stages.iter().any(|stage| !(1..=256).contains(&stage.chars().count()));
    bad.then(|| UNRECORDED.into())
}

pub(super) fn name_is_legal(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_alphanumeric() || "-/_+=.@!".contains(c))
}
