//! What the subcommands on secrets do.

use super::answer::Answer;
use super::request::{Get, Place, Put, Rm, Stage};
use crate::cli::error::CliError;
use crate::cli::output::{json, text};
use crate::error::Error;
use crate::model::Scope;
use crate::model::api::{
    CreateSecret, DeleteSecret, DescribeSecret, DescribeSecretResponse, GetSecretValue,
    ListSecretVersionIds, ListSecretVersionIdsResponse, ListSecrets, PutSecretValue, RestoreSecret,
    UpdateSecretVersionStage, VersionResponse,
};
use crate::model::limits::PAGE_MAX;
use crate::responses::{SecretList, Structure};
use crate::secret::{SecretBytes, SecretValue};
use crate::vault::Vault;

/// `put`
pub(super) fn put(
    vault: &Vault,
    put: &Put,
    value: &SecretBytes,
    is_json: bool,
) -> Result<Answer, CliError> {
    let written = store(vault, put, value)?;
    answer(is_json, &written, || {
        let id = written.version_id.as_ref().map(|id| text::one_line(id.as_str()));
        Answer::lines(id.as_deref())
    })
}

/// Stores a new version. With `--create` a missing secret is created first.
fn store(vault: &Vault, put: &Put, value: &SecretBytes) -> Result<VersionResponse, CliError> {
    let Put { place, name, stages, token, create, is_binary } = put;
    let scope = place.scope();
    // EXPOSE: copied, because the same request may be asked again.
    let value = SecretBytes::copy_from(value.expose());
    let value = if *is_binary { SecretValue::Binary(value) } else { SecretValue::String(value) };
    if *create && can_create(name) && is_missing(vault, &scope, name)? {
        let mut request = CreateSecret::new(name.as_str());
        if stages.is_empty() {
            // In one operation, so that nobody sees the secret without its value.
            request.value = Some(value);
            request.client_request_token = Some(token.clone());
            return Ok(vault.in_scope(&scope).create_secret(request)?);
        }
        vault.in_scope(&scope).create_secret(request)?;
    }
    let mut request = PutSecretValue::new(name.as_str(), value);
    request.client_request_token = Some(token.clone());
    request.version_stages = Some(stages.clone()).filter(|stages| !stages.is_empty());
    vault.in_scope(&scope).put_secret_value(request).map_err(|error| refused_put(error, *create))
}

fn refused_put(error: Error, create: bool) -> CliError {
    let lacks_create = error.is_not_found() && !create;
    let failure = CliError::from(error);
    if lacks_create { failure.hint("--create creates the secret") } else { failure }
}

fn is_missing(vault: &Vault, scope: &Scope, name: &str) -> Result<bool, CliError> {
    match vault.in_scope(scope).describe_secret(DescribeSecret::new(name)) {
        Ok(_) => Ok(false),
        Err(error) if error.is_not_found() => Ok(true),
        Err(error) => Err(error.into()),
    }
}

/// An ARN names a secret that existed once. No secret can be created from it.
fn can_create(name: &str) -> bool {
    !name.starts_with("arn:")
}

/// Fails as a `put` of this name would, as far as the name decides.
pub(super) fn find(
    vault: &Vault,
    place: &Place,
    name: &str,
    create: bool,
) -> Result<Answer, CliError> {
    let scope = place.scope();
    if create && can_create(name) {
        is_missing(vault, &scope, name)?;
    } else {
        let found = vault.in_scope(&scope).describe_secret(DescribeSecret::new(name));
        found.map_err(|error| refused_put(error, create))?;
    }
    Ok(Answer::nothing())
}

/// `get`
pub(super) fn get(vault: &Vault, get: &Get, is_json: bool) -> Result<Answer, CliError> {
    let Get { place, name, version, stage } = get.clone();
    let request = GetSecretValue { secret_id: name, version_id: version, version_stage: stage };
    let found = vault.in_scope(place.scope()).get_secret_value(request)?;
    if is_json {
        return document(&found);
    }
    let data = match found.value {
        SecretValue::String(bytes) | SecretValue::Binary(bytes) => bytes,
    };
    // EXPOSE: only its last byte is looked at.
    let is_open_line = !data.expose().ends_with(b"\n");
    Ok(Answer { is_open_line, ..Answer::data(data) })
}

/// `ls`
pub(super) fn ls(
    vault: &Vault,
    place: &Place,
    prefix: &str,
    is_json: bool,
) -> Result<Answer, CliError> {
    let found = list(vault, &place.scope(), prefix)?;
    answer(is_json, &SecretList(&found), || {
        Answer::lines(found.iter().map(|entry| entry.name.as_str()))
    })
}

/// All secrets whose name starts with `prefix`, by name.
fn list(
    vault: &Vault,
    scope: &Scope,
    prefix: &str,
) -> Result<Vec<DescribeSecretResponse>, CliError> {
    let request = ListSecrets { max_results: Some(page_max()), ..ListSecrets::default() };
    let mut found = Vec::new();
    for entry in vault.in_scope(scope).all(request) {
        let entry = entry?;
        if entry.name.starts_with(prefix) {
            found.push(entry);
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

fn page_max() -> i64 {
    i64::try_from(PAGE_MAX).unwrap_or(i64::MAX)
}

/// `describe`
pub(super) fn describe(
    vault: &Vault,
    place: &Place,
    name: &str,
    is_json: bool,
) -> Result<Answer, CliError> {
    let found = vault.in_scope(place.scope()).describe_secret(DescribeSecret::new(name))?;
    answer(is_json, &found, || Answer::lines(text::description(&found)))
}

/// `versions`
pub(super) fn versions(
    vault: &Vault,
    place: &Place,
    name: &str,
    all: bool,
    is_json: bool,
) -> Result<Answer, CliError> {
    let found = all_versions(vault, &place.scope(), name, all)?;
    answer(is_json, &found, || Answer::lines(found.versions.iter().map(text::version)))
}

fn all_versions(
    vault: &Vault,
    scope: &Scope,
    name: &str,
    all: bool,
) -> Result<ListSecretVersionIdsResponse, CliError> {
    let mut request = ListSecretVersionIds {
        secret_id: name.to_owned(),
        max_results: Some(page_max()),
        next_token: None,
        include_deprecated: Some(all),
    };
    let mut found = vault.in_scope(scope).list_secret_version_ids(request.clone())?;
    while let Some(token) = found.next_token.take() {
        request.next_token = Some(token);
        let page = vault.in_scope(scope).list_secret_version_ids(request.clone())?;
        found.versions.extend(page.versions);
        found.next_token = page.next_token;
    }
    Ok(found)
}

/// `stage`
pub(super) fn stage(vault: &Vault, stage: &Stage, is_json: bool) -> Result<Answer, CliError> {
    let Stage { place, name, label, to, from } = stage.clone();
    let request = UpdateSecretVersionStage {
        secret_id: name,
        version_stage: label,
        remove_from_version_id: from,
        move_to_version_id: to,
    };
    let named = vault.in_scope(place.scope()).update_secret_version_stage(request)?;
    answer(is_json, &named, Answer::nothing)
}

/// `rm`
pub(super) fn rm(vault: &Vault, rm: &Rm, is_json: bool) -> Result<Answer, CliError> {
    let Rm { place, name, window, now } = rm;
    let scope = place.scope();
    let request = DeleteSecret {
        secret_id: name.clone(),
        recovery_window_in_days: *window,
        force_delete_without_recovery: now.then_some(true),
    };
    // As with AWS, a forced deletion of a missing secret succeeds. A warning hints at a mistyped name.
    let missing = *now && is_missing(vault, &scope, name).unwrap_or(false);
    let deleted = vault.in_scope(&scope).delete_secret(request)?;
    let shredded = if *now { vault.shred() } else { Ok(()) };
    let mut answer =
        answer(is_json, &deleted, || Answer::lines([text::date_time(deleted.deletion_date)]))?;
    if missing {
        answer.warn("there was no such secret");
    }
    answer.failure = shredded.err().map(|error| {
        let failure = CliError::from(error);
        let message =
            format!("the secret is deleted, but its keys are not erased yet: {}", failure.message);
        CliError::new(failure.exit, message).hint("run `rm --now` again to erase them")
    });
    Ok(answer)
}

/// `restore`
pub(super) fn restore(
    vault: &Vault,
    place: &Place,
    name: &str,
    is_json: bool,
) -> Result<Answer, CliError> {
    let named = vault.in_scope(place.scope()).restore_secret(RestoreSecret::new(name))?;
    answer(is_json, &named, Answer::nothing)
}

/// The response as a document, or in the form for people.
fn answer(
    is_json: bool,
    response: &impl Structure,
    for_people: impl FnOnce() -> Answer,
) -> Result<Answer, CliError> {
    if is_json { document(response) } else { Ok(for_people()) }
}

fn document(response: &impl Structure) -> Result<Answer, CliError> {
    Ok(Answer::data(json::response(response)?))
}
