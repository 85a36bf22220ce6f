//! What the subcommands on secrets do.

use super::answer::Answer;
use super::request::{Place, Put};
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
use crate::semantics::FaultKind;
use crate::vault::Vault;

/// `put`
pub(super) fn put(
    vault: &Vault,
    put: &Put,
    value: &SecretBytes,
    is_json: bool,
) -> Result<Answer, CliError> {
    let written = store(vault, put, value)?;
    if is_json {
        return document(&written);
    }
    let id = written.version_id.as_ref().map(|id| text::one_line(id.as_str()));
    Ok(Answer::lines(id.as_deref()))
}

/// Stores a new version. With `--create` a missing secret is created first.
fn store(vault: &Vault, put: &Put, value: &SecretBytes) -> Result<VersionResponse, CliError> {
    let Put { place, name, stages, token, create, is_binary } = put;
    let scope = place.scope();
    // EXPOSE: copied, because the same request may be asked again.
    let value = SecretBytes::copy_from(value.expose());
    let value = if *is_binary { SecretValue::Binary(value) } else { SecretValue::String(value) };
    if *create && !exists(vault, &scope, name)? {
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
    let is_missing = is_fault(&error, FaultKind::ResourceNotFound) && !create;
    let failure = CliError::from(error);
    if is_missing { failure.hint("--create creates the secret") } else { failure }
}

fn exists(vault: &Vault, scope: &Scope, name: &str) -> Result<bool, CliError> {
    match vault.in_scope(scope).describe_secret(DescribeSecret::new(name)) {
        Ok(_) => Ok(true),
        // An ARN names a secret that existed once. No secret can be created from it.
        Err(error)
            if is_fault(&error, FaultKind::ResourceNotFound) && !name.starts_with("arn:") =>
        {
            Ok(false)
        }
        Err(error) => Err(error.into()),
    }
}

fn is_fault(error: &Error, kind: FaultKind) -> bool {
    error.fault().is_some_and(|fault| fault.kind == kind)
}

/// Fails as a `put` of this name would, as far as the name decides.
pub(super) fn find(
    vault: &Vault,
    place: &Place,
    name: &str,
    create: bool,
) -> Result<Answer, CliError> {
    let scope = place.scope();
    if create {
        exists(vault, &scope, name)?;
    } else {
        let found = vault.in_scope(&scope).describe_secret(DescribeSecret::new(name));
        found.map_err(|error| refused_put(error, create))?;
    }
    Ok(Answer::nothing())
}

/// `get`
pub(super) fn get(
    vault: &Vault,
    place: &Place,
    (name, version, stage): (&str, Option<&str>, Option<&str>),
    is_json: bool,
) -> Result<Answer, CliError> {
    let request = GetSecretValue {
        secret_id: name.to_owned(),
        version_id: version.map(str::to_owned),
        version_stage: stage.map(str::to_owned),
    };
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
    if is_json {
        return document(&SecretList(&found));
    }
    Ok(Answer::lines(found.iter().map(|entry| entry.name.as_str())))
}

/// All secrets whose name starts with `prefix`, by name.
fn list(
    vault: &Vault,
    scope: &Scope,
    prefix: &str,
) -> Result<Vec<DescribeSecretResponse>, CliError> {
    let mut request = ListSecrets { max_results: Some(page_max()), ..ListSecrets::default() };
    let mut found = Vec::new();
    loop {
        let page = vault.in_scope(scope).list_secrets(request.clone())?;
        found.extend(page.secrets.into_iter().filter(|entry| entry.name.starts_with(prefix)));
        request.next_token = page.next_token;
        if request.next_token.is_none() {
            break;
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
    if is_json {
        return document(&found);
    }
    let lines = text::description(&found);
    Ok(Answer::lines(lines.iter().map(String::as_str)))
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
    if is_json {
        return document(&found);
    }
    let lines: Vec<String> = found.versions.iter().map(text::version).collect();
    Ok(Answer::lines(lines.iter().map(String::as_str)))
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
pub(super) fn stage(
    vault: &Vault,
    place: &Place,
    (name, label): (&str, &str),
    (to, from): (Option<String>, Option<String>),
    is_json: bool,
) -> Result<Answer, CliError> {
    let request = UpdateSecretVersionStage {
        secret_id: name.to_owned(),
        version_stage: label.to_owned(),
        remove_from_version_id: from,
        move_to_version_id: to,
    };
    let named = vault.in_scope(place.scope()).update_secret_version_stage(request)?;
    if is_json { document(&named) } else { Ok(Answer::nothing()) }
}

/// `rm`
pub(super) fn rm(
    vault: &Vault,
    place: &Place,
    name: &str,
    (window, now): (Option<i64>, bool),
    is_json: bool,
) -> Result<Answer, CliError> {
    let scope = place.scope();
    let request = DeleteSecret {
        secret_id: name.to_owned(),
        recovery_window_in_days: window,
        force_delete_without_recovery: now.then_some(true),
    };
    // As with AWS, a forced deletion of a missing secret succeeds. A warning hints at a mistyped name.
    let missing = now
        && vault
            .in_scope(&scope)
            .describe_secret(DescribeSecret::new(name))
            .is_err_and(|error| is_fault(&error, FaultKind::ResourceNotFound));
    let deleted = vault.in_scope(&scope).delete_secret(request)?;
    let shredded = if now { vault.shred() } else { Ok(()) };
    let mut answer = if is_json {
        document(&deleted)?
    } else {
        Answer::lines([text::date_time(deleted.deletion_date).as_str()])
    };
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
    if is_json { document(&named) } else { Ok(Answer::nothing()) }
}

fn document(response: &impl Structure) -> Result<Answer, CliError> {
    Ok(Answer::data(json::response(response)?))
}
