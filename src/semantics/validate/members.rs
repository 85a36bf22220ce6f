//! The model constraints of members that several requests have.

use super::constraint::{self, Violations};
use crate::model::{RotationToken, Tag, limits};
use crate::secret::PayloadKind;

/// `RotationTokenType` of the API model, as it stands in the message.
const ROTATION_TOKEN_PATTERN: &str = r"^[a-zA-Z0-9\-]+$";

/// Kind and length in bytes of the value that travels with a request; `None` when there is none
/// or when it was checked before.
pub type ValueShape = Option<(PayloadKind, usize)>;

pub(crate) fn secret_id_length(found: &mut Violations, text: &str) {
    found.text("secretId", text, 1, limits::SECRET_ID_CHARS_MAX);
}

pub(crate) fn token_length(found: &mut Violations, token: Option<&str>) {
    version_length(found, "clientRequestToken", token);
}

pub(crate) fn stage_length(found: &mut Violations, path: &str, stage: &str) {
    found.text(path, stage, 1, limits::STAGE_CHARS_MAX);
}

pub(crate) fn version_length(found: &mut Violations, path: &str, version_id: Option<&str>) {
    if let Some(id) = version_id {
        found.text(path, id, limits::VERSION_ID_CHARS_MIN, limits::VERSION_ID_CHARS_MAX);
    }
}

pub(crate) fn metadata(
    found: &mut Violations,
    description: Option<&str>,
    kms_key_id: Option<&str>,
) {
    if let Some(text) = description {
        found.text("description", text, 0, limits::DESCRIPTION_CHARS_MAX);
    }
    if let Some(text) = kms_key_id {
        found.text("kmsKeyId", text, 0, limits::KMS_KEY_ID_CHARS_MAX);
    }
}

pub(crate) fn partner(found: &mut Violations, partner: Option<&str>) {
    if let Some(text) = partner {
        found.text("type", text, 0, limits::PARTNER_CHARS_MAX);
    }
}

pub(crate) fn payload(found: &mut Violations, value: ValueShape) {
    if let Some((kind, bytes)) = value {
        let path = match kind {
            PayloadKind::String => "secretString",
            PayloadKind::Binary => "secretBinary",
        };
        found.sensitive(path, bytes, 1, limits::VALUE_BYTES_MAX);
    }
}

pub(crate) fn rotation_token(found: &mut Violations, token: &RotationToken) {
    let (min, max) = (*limits::ROTATION_TOKEN_CHARS.start(), *limits::ROTATION_TOKEN_CHARS.end());
    found.sensitive("rotationToken", token.bytes(), min, max);
    found.sensitive_pattern("rotationToken", ROTATION_TOKEN_PATTERN, token.is_well_formed());
}

pub(crate) fn tags(found: &mut Violations, tags: &[Tag]) {
    for (path, tag) in constraint::members("tags", tags) {
        found.text(&format!("{path}.key"), &tag.key, 1, limits::TAG_KEY_CHARS_MAX);
        found.text(&format!("{path}.value"), &tag.value, 0, limits::TAG_VALUE_CHARS_MAX);
    }
}

pub(crate) fn page(
    found: &mut Violations,
    max_results: Option<i64>,
    next_token: Option<&str>,
    max: usize,
) {
    if let Some(results) = max_results {
        found.number("maxResults", results, 1, max);
    }
    if let Some(token) = next_token {
        found.text("nextToken", token, 1, limits::NEXT_TOKEN_CHARS_MAX);
    }
}

/// Checks the length of an ARN of a secret or role.
pub(crate) fn arn(found: &mut Violations, path: &str, text: Option<&str>) {
    if let Some(text) = text {
        found.text(path, text, *limits::ARN_CHARS.start(), *limits::ARN_CHARS.end());
    }
}
