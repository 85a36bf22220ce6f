//! The checks of requests about secrets, versions, values, tags and lists.
//!
//! Each function looks at one request in AWS's order: model constraints (all violations in one
//! message, E27), then the characters of the name (E12), then the token (E10). It returns what the
//! request names, parsed.

use super::constraint::{self, Violations};
use super::filters::{filter_constraints, whole_filters};
use super::members::{
    ValueShape, arn, metadata, page, partner, payload, rotation_token, secret_id_length,
    stage_length, tags, token_length, version_length,
};
use super::names::{
    CreateNames, PutNames, StageNames, ValueNames, VersionNames, name, reference, secret_id, stage,
    token, version,
};
use super::replication;
use crate::model::api::{
    BatchGetSecretValue, CreateSecret, DeleteSecret, GetRandomPassword, GetSecretValue,
    ListSecretVersionIds, ListSecrets, PutSecretValue, TagResource, UntagResource, UpdateSecret,
    UpdateSecretVersionStage,
};
use crate::model::{SecretRef, Stage, limits};
use crate::semantics::fault::Fault;
use crate::semantics::messages;

/// `SortByType` of the API model.
const SORT_KEYS: [&str; 4] = ["created-date", "last-accessed-date", "last-changed-date", "name"];
/// `SortOrderType` of the API model.
const SORT_ORDERS: [&str; 2] = ["asc", "desc"];

/// Checks `CreateSecret`.
pub fn create_secret<V>(
    request: &CreateSecret<V>,
    value: ValueShape,
) -> Result<CreateNames, Fault> {
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
    arn(&mut found, "crossAccountPrimaryARN", request.cross_account_primary_arn.as_deref());
    found.into_result()?;
    let name = name(&request.name)?;
    Ok(CreateNames { name, token: token(request.client_request_token.as_deref())? })
}

/// Checks `PutSecretValue`.
pub fn put_secret_value<V>(
    request: &PutSecretValue<V>,
    value: ValueShape,
) -> Result<PutNames, Fault> {
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
    let secret = reference(&request.secret_id)?;
    let token = token(request.client_request_token.as_deref())?;
    // Their lengths were checked, so none is left out.
    let stages = request.version_stages.as_deref();
    let stages = stages.map(|stages| stages.iter().filter_map(|text| Stage::parse(text)).collect());
    Ok(PutNames { secret, token, stages })
}

/// Checks `UpdateSecret`.
pub fn update_secret<V>(
    request: &UpdateSecret<V>,
    value: ValueShape,
) -> Result<VersionNames, Fault> {
    let mut found = Violations::default();
    secret_id_length(&mut found, &request.secret_id);
    token_length(&mut found, request.client_request_token.as_deref());
    metadata(&mut found, request.description.as_deref(), request.kms_key_id.as_deref());
    payload(&mut found, value);
    partner(&mut found, request.partner.as_deref());
    found.into_result()?;
    let secret = reference(&request.secret_id)?;
    Ok(VersionNames { secret, token: token(request.client_request_token.as_deref())? })
}

/// Checks `UpdateSecretVersionStage`.
pub fn update_secret_version_stage(
    request: &UpdateSecretVersionStage,
) -> Result<StageNames, Fault> {
    let mut found = Violations::default();
    secret_id_length(&mut found, &request.secret_id);
    stage_length(&mut found, "versionStage", &request.version_stage);
    version_length(&mut found, "removeFromVersionId", request.remove_from_version_id.as_deref());
    version_length(&mut found, "moveToVersionId", request.move_to_version_id.as_deref());
    found.into_result()?;
    let secret = reference(&request.secret_id)?;
    let stage = stage(&request.version_stage)?;
    let from = version(request.remove_from_version_id.as_deref())?;
    Ok(StageNames { secret, stage, from, to: version(request.move_to_version_id.as_deref())? })
}

/// Checks `DeleteSecret`. The recovery window is no model constraint: E32 comes with the rules of
/// the operation.
pub fn delete_secret(request: &DeleteSecret) -> Result<SecretRef, Fault> {
    secret_id(&request.secret_id)
}

/// Checks `TagResource`.
pub fn tag_resource(request: &TagResource) -> Result<SecretRef, Fault> {
    let mut found = Violations::default();
    secret_id_length(&mut found, &request.secret_id);
    tags(&mut found, &request.tags);
    found.into_result()?;
    reference(&request.secret_id)
}

/// Checks `UntagResource`.
pub fn untag_resource(request: &UntagResource) -> Result<SecretRef, Fault> {
    let mut found = Violations::default();
    secret_id_length(&mut found, &request.secret_id);
    for (path, key) in constraint::members("tagKeys", &request.tag_keys) {
        found.text(&path, key, 1, limits::TAG_KEY_CHARS_MAX);
    }
    found.into_result()?;
    reference(&request.secret_id)
}

/// Checks `GetSecretValue`.
pub fn get_secret_value(request: &GetSecretValue) -> Result<ValueNames, Fault> {
    let mut found = Violations::default();
    secret_id_length(&mut found, &request.secret_id);
    version_length(&mut found, "versionId", request.version_id.as_deref());
    if let Some(stage) = &request.version_stage {
        stage_length(&mut found, "versionStage", stage);
    }
    found.into_result()?;
    let secret = reference(&request.secret_id)?;
    let version = version(request.version_id.as_deref())?;
    Ok(ValueNames {
        secret,
        version,
        stage: request.version_stage.as_deref().map(stage).transpose()?,
    })
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
pub fn list_secret_version_ids(request: &ListSecretVersionIds) -> Result<SecretRef, Fault> {
    let mut found = Violations::default();
    secret_id_length(&mut found, &request.secret_id);
    page(&mut found, request.max_results, request.next_token.as_deref(), limits::PAGE_MAX);
    found.into_result()?;
    reference(&request.secret_id)
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
