//! The checks that need nothing but the request (rules SEM-CHECK, SEM-NAME, SEM-VAL).
//!
//! Each function looks at one request in AWS's order: model constraints (all violations in one
//! message, E27), then the characters of the name (E12), then the token (E10). `vault` calls them
//! on the caller's thread with the value's kind and length, before anything is sealed;
//! [`plan`](crate::semantics::plan) and `read` call them again without, so that no door goes around them.

use super::constraint::{self, Violations};
use super::{cross_account, replication};
use crate::model::api::{
    BatchGetSecretValue, CreateSecret, DeleteSecret, Filter, GetRandomPassword, GetSecretValue,
    ListSecretVersionIds, ListSecrets, PutSecretValue, SecretIdOnly, TagResource, UntagResource,
    UpdateSecret, UpdateSecretVersionStage,
};
use crate::model::name::NameError;
use crate::model::{RotationToken, SecretName, SecretRef, Stage, Tag, VersionId, limits};
use crate::secret::PayloadKind;
use crate::semantics::fault::Fault;
use crate::semantics::messages;

/// `FilterNameStringType` of the API model. AWS's order in the message is unknown.
const FILTER_KEYS: [&str; 7] =
    ["description", "name", "tag-key", "tag-value", "primary-region", "owning-service", "all"];
/// `SortByType` of the API model.
const SORT_KEYS: [&str; 4] = ["created-date", "last-accessed-date", "last-changed-date", "name"];
/// `SortOrderType` of the API model.
const SORT_ORDERS: [&str; 2] = ["asc", "desc"];
/// `FilterValueStringType` of the API model, as it stands in the message.
const FILTER_VALUE_PATTERN: &str = r"^\!?[a-zA-Z0-9 :_@\/\+\=\.\-\!]*$";
/// `RotationTokenType` of the API model, as it stands in the message.
const ROTATION_TOKEN_PATTERN: &str = r"^[a-zA-Z0-9\-]+$";

/// Kind and length in bytes of the value that travels with a request; `None` when there is none
/// or when it was checked before.
pub type ValueShape = Option<(PayloadKind, usize)>;

/// A required member is absent: `Value null at 'secretId' ... Member must not be null`. For
/// whoever reads the wire, where members can be missing. `paths` are lowerCamel.
#[must_use]
pub fn missing(paths: &[&str]) -> Option<Fault> {
    let mut found = Violations::default();
    for path in paths {
        found.missing(path);
    }
    found.into_result().err()
}

/// Checks `CreateSecret`.
pub fn create_secret<V>(request: &CreateSecret<V>, value: ValueShape) -> Result<(), Fault> {
    let mut found = Violations::default();
    found.text("name", &request.name, 1, limits::NAME_CHARS_MAX);
    token_length(&mut found, request.client_request_token.as_deref());
    metadata(&mut found, request.description.as_deref(), request.kms_key_id.as_deref());
    payload(&mut found, value);
    tags(&mut found, request.tags.as_deref().unwrap_or_default());
    if let Some(regions) = &request.add_replica_regions {
        replication::added(&mut found, regions);
    }
    partner(&mut found, request.partner.as_deref());
    cross_account::arn(
        &mut found,
        "crossAccountPrimaryARN",
        request.cross_account_primary_arn.as_deref(),
    );
    found.into_result()?;
    name(&request.name)?;
    token(request.client_request_token.as_deref()).map(drop)
}

/// Checks `PutSecretValue`.
pub fn put_secret_value<V>(request: &PutSecretValue<V>, value: ValueShape) -> Result<(), Fault> {
    let mut found = Violations::default();
    secret_id_length(&mut found, &request.secret_id);
    token_length(&mut found, request.client_request_token.as_deref());
    payload(&mut found, value);
    if let Some(stages) = &request.version_stages {
        let shown = stages.join(", ");
        found.list("versionStages", &shown, stages.len(), 1, limits::STAGES_MAX);
        for (path, stage) in constraint::members("versionStages", stages) {
            stage_length(&mut found, &path, stage);
        }
    }
    if let Some(token) = &request.rotation_token {
        rotation_token(&mut found, token);
    }
    found.into_result()?;
    reference(&request.secret_id)?;
    token(request.client_request_token.as_deref()).map(drop)
}

/// Checks `UpdateSecret`.
pub fn update_secret<V>(request: &UpdateSecret<V>, value: ValueShape) -> Result<(), Fault> {
    let mut found = Violations::default();
    secret_id_length(&mut found, &request.secret_id);
    token_length(&mut found, request.client_request_token.as_deref());
    metadata(&mut found, request.description.as_deref(), request.kms_key_id.as_deref());
    payload(&mut found, value);
    partner(&mut found, request.partner.as_deref());
    found.into_result()?;
    reference(&request.secret_id)?;
    token(request.client_request_token.as_deref()).map(drop)
}

/// Checks `UpdateSecretVersionStage`.
pub fn update_secret_version_stage(request: &UpdateSecretVersionStage) -> Result<(), Fault> {
    let mut found = Violations::default();
    secret_id_length(&mut found, &request.secret_id);
    stage_length(&mut found, "versionStage", &request.version_stage);
    version_length(&mut found, "removeFromVersionId", request.remove_from_version_id.as_deref());
    version_length(&mut found, "moveToVersionId", request.move_to_version_id.as_deref());
    found.into_result()?;
    reference(&request.secret_id).map(drop)
}

/// Checks `DeleteSecret`. The recovery window is no model constraint: E32 comes with the rules of
/// the operation.
pub fn delete_secret(request: &DeleteSecret) -> Result<(), Fault> {
    secret_id(&request.secret_id)
}

/// Checks `TagResource`.
pub fn tag_resource(request: &TagResource) -> Result<(), Fault> {
    let mut found = Violations::default();
    secret_id_length(&mut found, &request.secret_id);
    tags(&mut found, &request.tags);
    found.into_result()?;
    reference(&request.secret_id).map(drop)
}

/// Checks `UntagResource`.
pub fn untag_resource(request: &UntagResource) -> Result<(), Fault> {
    let mut found = Violations::default();
    secret_id_length(&mut found, &request.secret_id);
    for (path, key) in constraint::members("tagKeys", &request.tag_keys) {
        found.text(&path, key, 1, limits::TAG_KEY_CHARS_MAX);
    }
    found.into_result()?;
    reference(&request.secret_id).map(drop)
}

/// Checks `GetSecretValue`.
pub fn get_secret_value(request: &GetSecretValue) -> Result<(), Fault> {
    let mut found = Violations::default();
    secret_id_length(&mut found, &request.secret_id);
    version_length(&mut found, "versionId", request.version_id.as_deref());
    if let Some(stage) = &request.version_stage {
        stage_length(&mut found, "versionStage", stage);
    }
    found.into_result()?;
    reference(&request.secret_id).map(drop)
}

/// Checks `DescribeSecret`, `RestoreSecret`, `CancelRotateSecret`, `StopReplicationToReplica`.
pub fn secret_id_only(request: &SecretIdOnly) -> Result<(), Fault> {
    secret_id(&request.secret_id)
}

/// Checks `GetRandomPassword`.
pub fn get_random_password(request: &GetRandomPassword) -> Result<(), Fault> {
    let mut found = Violations::default();
    if let Some(length) = request.password_length {
        found.number("passwordLength", length, 1, limits::PASSWORD_CHARS_MAX);
    }
    if let Some(text) = &request.exclude_characters {
        found.text("excludeCharacters", text, 0, limits::EXCLUDE_CHARACTERS_MAX);
    }
    found.into_result()
}

/// Checks `BatchGetSecretValue`: constraints, then whether ids or filters are given (E36, E35), and
/// the presence of key and values in each filter (E37) last. An id with a character that no name
/// may have is a matter of its own secret (SEM-BATCH-3).
pub fn batch_get_secret_value(request: &BatchGetSecretValue) -> Result<(), Fault> {
    let mut found = Violations::default();
    if let Some(ids) = &request.secret_id_list {
        found.list("secretIdList", &ids.join(", "), ids.len(), 1, limits::BATCH_MAX);
        for (path, id) in constraint::members("secretIdList", ids) {
            found.text(&path, id, 1, limits::SECRET_ID_CHARS_MAX);
        }
    }
    let filters = request.filters.as_deref().unwrap_or_default();
    filter_constraints(&mut found, filters);
    page(&mut found, request.max_results, request.next_token.as_deref(), limits::BATCH_MAX);
    found.into_result()?;
    match (&request.secret_id_list, filters) {
        (_, []) if request.max_results.is_some() => return Err(messages::page_without_filters()),
        (Some(_), [_, ..]) | (None, []) => return Err(messages::ids_or_filters()),
        (Some(_), []) | (None, [_, ..]) => (),
    }
    whole_filters(filters)
}

/// Checks `ListSecretVersionIds`.
pub fn list_secret_version_ids(request: &ListSecretVersionIds) -> Result<(), Fault> {
    let mut found = Violations::default();
    secret_id_length(&mut found, &request.secret_id);
    page(&mut found, request.max_results, request.next_token.as_deref(), limits::PAGE_MAX);
    found.into_result()?;
    reference(&request.secret_id).map(drop)
}

/// Checks `ListSecrets`, the presence of key and values in each filter (E37) last.
pub fn list_secrets(request: &ListSecrets) -> Result<(), Fault> {
    let mut found = Violations::default();
    page(&mut found, request.max_results, request.next_token.as_deref(), limits::PAGE_MAX);
    let filters = request.filters.as_deref().unwrap_or_default();
    filter_constraints(&mut found, filters);
    if let Some(order) = &request.sort_order {
        found.one_of("sortOrder", order, &SORT_ORDERS);
    }
    if let Some(key) = &request.sort_by {
        found.one_of("sortBy", key, &SORT_KEYS);
    }
    found.into_result()?;
    whole_filters(filters)
}

/// Reads a `Name`: E12 for a character that none may have.
pub(crate) fn name(text: &str) -> Result<SecretName, Fault> {
    SecretName::parse(text).map_err(|error| match error {
        NameError::Character(_) => messages::bad_name(),
        NameError::Empty | NameError::TooLong => {
            let mut found = Violations::default();
            found.text("name", text, 1, limits::NAME_CHARS_MAX);
            found.into_result().err().unwrap_or_else(messages::bad_name)
        }
    })
}

/// Reads a `SecretId`: E12 for a character that no name may have. A friendly name longer than any
/// name can be is legal to ask for and found nowhere.
pub(crate) fn reference(text: &str) -> Result<SecretRef, Fault> {
    match SecretRef::parse(text) {
        Ok(reference) => Ok(reference),
        Err(NameError::TooLong) => Ok(SecretRef::Nowhere),
        Err(NameError::Character(_)) => Err(messages::bad_name()),
        Err(NameError::Empty) => secret_id(text).and(Ok(SecretRef::Nowhere)),
    }
}

/// Reads a `ClientRequestToken`: E10 if there is none.
pub(crate) fn token(text: Option<&str>) -> Result<VersionId, Fault> {
    let text = text.ok_or_else(messages::no_token)?;
    VersionId::parse(text).ok_or_else(|| {
        let mut found = Violations::default();
        token_length(&mut found, Some(text));
        found.into_result().err().unwrap_or_else(messages::no_token)
    })
}

/// Reads a `VersionStage`.
pub(crate) fn stage(text: &str) -> Result<Stage, Fault> {
    let mut found = Violations::default();
    stage_length(&mut found, "versionStage", text);
    found.into_result()?;
    Stage::parse(text).ok_or_else(|| messages::no_value_at_stage(text))
}

fn secret_id(text: &str) -> Result<(), Fault> {
    let mut found = Violations::default();
    secret_id_length(&mut found, text);
    found.into_result()?;
    reference(text).map(drop)
}

pub(super) fn secret_id_length(found: &mut Violations, text: &str) {
    found.text("secretId", text, 1, limits::SECRET_ID_CHARS_MAX);
}

pub(super) fn token_length(found: &mut Violations, token: Option<&str>) {
    version_length(found, "clientRequestToken", token);
}

fn stage_length(found: &mut Violations, path: &str, stage: &str) {
    found.text(path, stage, 1, limits::STAGE_CHARS_MAX);
}

fn version_length(found: &mut Violations, path: &str, version_id: Option<&str>) {
    if let Some(id) = version_id {
        found.text(path, id, limits::VERSION_ID_CHARS_MIN, limits::VERSION_ID_CHARS_MAX);
    }
}

fn metadata(found: &mut Violations, description: Option<&str>, kms_key_id: Option<&str>) {
    if let Some(text) = description {
        found.text("description", text, 0, limits::DESCRIPTION_CHARS_MAX);
    }
    if let Some(text) = kms_key_id {
        found.text("kmsKeyId", text, 0, limits::KMS_KEY_ID_CHARS_MAX);
    }
}

fn partner(found: &mut Violations, partner: Option<&str>) {
    if let Some(text) = partner {
        found.text("type", text, 0, limits::PARTNER_CHARS_MAX);
    }
}

fn payload(found: &mut Violations, value: ValueShape) {
    if let Some((kind, bytes)) = value {
        let path = match kind {
            PayloadKind::String => "secretString",
            PayloadKind::Binary => "secretBinary",
        };
        found.sensitive(path, bytes, 1, limits::VALUE_BYTES_MAX);
    }
}

fn rotation_token(found: &mut Violations, token: &RotationToken) {
    let (min, max) = (*limits::ROTATION_TOKEN_CHARS.start(), *limits::ROTATION_TOKEN_CHARS.end());
    found.sensitive("rotationToken", token.bytes(), min, max);
    found.sensitive_pattern("rotationToken", ROTATION_TOKEN_PATTERN, token.is_well_formed());
}

fn tags(found: &mut Violations, tags: &[Tag]) {
    for (path, tag) in constraint::members("tags", tags) {
        found.text(&format!("{path}.key"), &tag.key, 1, limits::TAG_KEY_CHARS_MAX);
        found.text(&format!("{path}.value"), &tag.value, 0, limits::TAG_VALUE_CHARS_MAX);
    }
}

pub(super) fn page(
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

fn filter_constraints(found: &mut Violations, filters: &[Filter]) {
    let shown: Vec<String> = filters.iter().map(show_filter).collect();
    found.list("filters", &shown.join(", "), filters.len(), 0, limits::FILTERS_MAX);
    for (path, filter) in constraint::members("filters", filters) {
        if let Some(key) = &filter.key {
            found.one_of(&format!("{path}.key"), key, &FILTER_KEYS);
        }
        let Some(values) = &filter.values else { continue };
        let path = format!("{path}.values");
        found.list(&path, &values.join(", "), values.len(), 1, limits::FILTER_VALUES_MAX);
        for (path, value) in constraint::members(&path, values) {
            found.text(&path, value, 0, limits::FILTER_VALUE_CHARS_MAX);
            found.pattern(&path, value, FILTER_VALUE_PATTERN, is_filter_value(value));
        }
    }
}

/// Each filter needs its key and its values (E37).
fn whole_filters(filters: &[Filter]) -> Result<(), Fault> {
    for filter in filters {
        let key = filter.key.as_deref().ok_or_else(messages::no_filter_key)?;
        filter.values.as_ref().ok_or_else(|| messages::no_filter_values(key))?;
    }
    Ok(())
}

fn is_filter_value(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_alphanumeric() || " :_@/+=.-!".contains(c))
}

fn show_filter(filter: &Filter) -> String {
    let key = filter.key.as_deref().unwrap_or("null");
    let values = filter.values.as_deref().unwrap_or_default().join(", ");
    format!("Filter(key={key}, values=[{values}])")
}
