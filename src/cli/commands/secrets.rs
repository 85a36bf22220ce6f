//! The subcommands on secrets, one function each.

use crate::cli::args::{Get, Global, Ls, Name, Put, Rm, Stage, Versions};
use crate::cli::context::Context;
use crate::cli::error::{CliError, Exit};
use crate::cli::input::Input;
use crate::cli::input::value::{self, Source};
use crate::cli::output::{json, text};
use crate::cli::session::with_vault;
use crate::cli::{locations, output, unlock};
use crate::env::private_file;
use crate::error::Error;
use crate::model::Scope;
use crate::model::api::{
    CreateSecret, DeleteSecret, DescribeSecret, DescribeSecretResponse, GetSecretValue,
    GetSecretValueResponse, ListSecretVersionIds, ListSecretVersionIdsResponse, ListSecrets,
    PutSecretValue, RestoreSecret, UpdateSecretVersionStage, VersionResponse,
};
use crate::model::limits::PAGE_MAX;
use crate::responses::SecretList;
use crate::secret::{SecretBytes, SecretValue};
use crate::semantics::FaultKind;
use crate::vault::Vault;
use std::path::Path;

/// `put`
pub(crate) fn put(context: &Context, global: &Global, args: Put) -> Result<(), CliError> {
    let source = value::source(&args)?;
    let is_stdin = source == Source::Input(Input::Stdin);
    unlock::check_stdin(context, global, is_stdin)?;
    let scope = locations::scope_of(context, global, &args.name)?;
    // Read to the end before the vault is locked: the process that writes to us may need the vault.
    let ready = match &source {
        Source::Input(input) => Some(value::read(input, args.binary)?),
        Source::Prompt => None,
    };
    let is_json = global.is_json();
    let written = with_vault(context, global, |vault| {
        let value = match ready {
            Some(value) => value,
            None => value::ask(&args.name, args.binary)?,
        };
        store(vault, &scope, args, value)
    })?;
    if is_json {
        return output::secret(&json::response(&written)?);
    }
    let id = written.version_id.as_ref().map(|id| text::one_line(id.as_str()));
    output::lines(id.as_deref())
}

/// Stores a new version. With `--create` a missing secret is created first.
fn store(
    vault: &Vault,
    scope: &Scope,
    args: Put,
    value: SecretValue,
) -> Result<VersionResponse, CliError> {
    let Put { name, stages, token, create, .. } = args;
    if create && !exists(vault, scope, &name)? {
        let mut request = CreateSecret::new(name.as_str());
        if stages.is_empty() {
            // In one operation, so that nobody sees the secret without its value.
            request.value = Some(value);
            request.client_request_token = token;
            return Ok(vault.in_scope(scope).create_secret(request)?);
        }
        vault.in_scope(scope).create_secret(request)?;
    }
    let mut request = PutSecretValue::new(name, value);
    request.client_request_token = token;
    request.version_stages = Some(stages).filter(|stages| !stages.is_empty());
    vault.in_scope(scope).put_secret_value(request).map_err(|error| {
        let is_missing = is_fault(&error, FaultKind::ResourceNotFound) && !create;
        let failure = CliError::from(error);
        if is_missing { failure.hint("--create creates the secret") } else { failure }
    })
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

/// `get`
pub(crate) fn get(context: &Context, global: &Global, args: &Get) -> Result<(), CliError> {
    let scope = locations::scope_of(context, global, &args.name)?;
    let request = GetSecretValue {
        secret_id: args.name.clone(),
        version_id: args.version.clone(),
        version_stage: args.stage.clone(),
    };
    let found = with_vault(context, global, |vault| {
        Ok(vault.in_scope(&scope).get_secret_value(request)?)
    })?;
    let json;
    let bytes = if global.is_json() {
        json = json::response(&found)?;
        &json
    } else {
        found.value.bytes()
    };
    match &args.out {
        Some(path) => write_out(context, path, bytes),
        None => show(&found, bytes, global.is_json()),
    }
}

fn show(
    found: &GetSecretValueResponse,
    bytes: &SecretBytes,
    is_json: bool,
) -> Result<(), CliError> {
    output::secret(bytes)?;
    // JSON ends with a newline. A raw value gets one, so that the prompt starts on its own line.
    // EXPOSE: only its last byte is looked at.
    let is_open_line = !is_json && !found.value.bytes().expose().ends_with(b"\n");
    if is_open_line && output::data_is_seen() { output::data(b"\n") } else { Ok(()) }
}

fn write_out(context: &Context, path: &Path, bytes: &SecretBytes) -> Result<(), CliError> {
    // EXPOSE: the value was asked to go to this file.
    private_file::write(&context.env, path, bytes.expose()).map_err(|error| {
        let exit = match error.kind() {
            std::io::ErrorKind::AlreadyExists | std::io::ErrorKind::InvalidInput => Exit::Usage,
            _ => Exit::Other,
        };
        CliError::refused(exit, &format!("{} cannot be written", path.display()), &error)
    })
}

/// `ls`
pub(crate) fn ls(context: &Context, global: &Global, args: &Ls) -> Result<(), CliError> {
    let scope = Scope::new(Scope::DEFAULT_ACCOUNT, &locations::region(context, global)?);
    let prefix = args.prefix.as_deref().unwrap_or_default();
    let found = with_vault(context, global, |vault| list(vault, &scope, prefix))?;
    if global.is_json() {
        return output::secret(&json::response(&SecretList(&found))?);
    }
    output::lines(found.iter().map(|entry| entry.name.as_str()))
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
pub(crate) fn describe(context: &Context, global: &Global, args: &Name) -> Result<(), CliError> {
    let scope = locations::scope_of(context, global, &args.name)?;
    let request = DescribeSecret::new(args.name.as_str());
    let found = with_vault(context, global, |vault| {
        Ok(vault.in_scope(&scope).describe_secret(request)?)
    })?;
    if global.is_json() {
        return output::secret(&json::response(&found)?);
    }
    let lines = text::description(&found);
    output::lines(lines.iter().map(String::as_str))
}

/// `versions`
pub(crate) fn versions(
    context: &Context,
    global: &Global,
    args: &Versions,
) -> Result<(), CliError> {
    let scope = locations::scope_of(context, global, &args.name)?;
    let found = with_vault(context, global, |vault| all_versions(vault, &scope, args))?;
    if global.is_json() {
        return output::secret(&json::response(&found)?);
    }
    let lines: Vec<String> = found.versions.iter().map(text::version).collect();
    output::lines(lines.iter().map(String::as_str))
}

fn all_versions(
    vault: &Vault,
    scope: &Scope,
    args: &Versions,
) -> Result<ListSecretVersionIdsResponse, CliError> {
    let mut request = ListSecretVersionIds {
        secret_id: args.name.clone(),
        max_results: Some(page_max()),
        next_token: None,
        include_deprecated: Some(args.all),
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
pub(crate) fn stage(context: &Context, global: &Global, args: Stage) -> Result<(), CliError> {
    let scope = locations::scope_of(context, global, &args.name)?;
    let request = UpdateSecretVersionStage {
        secret_id: args.name,
        version_stage: args.label,
        remove_from_version_id: args.from,
        move_to_version_id: args.to,
    };
    let named = with_vault(context, global, |vault| {
        Ok(vault.in_scope(&scope).update_secret_version_stage(request)?)
    })?;
    if global.is_json() { output::secret(&json::response(&named)?) } else { Ok(()) }
}

/// `rm`
pub(crate) fn rm(context: &Context, global: &Global, args: &Rm) -> Result<(), CliError> {
    let scope = locations::scope_of(context, global, &args.name)?;
    let request = DeleteSecret {
        secret_id: args.name.clone(),
        recovery_window_in_days: args.window,
        force_delete_without_recovery: args.now.then_some(true),
    };
    let (deleted, shredded) = with_vault(context, global, |vault| {
        if args.now {
            warn_if_missing(vault, &scope, &args.name);
        }
        let deleted = vault.in_scope(&scope).delete_secret(request)?;
        let shredded = if args.now { vault.shred() } else { Ok(()) };
        Ok((deleted, shredded))
    })?;
    if global.is_json() {
        output::secret(&json::response(&deleted)?)?;
    } else {
        output::lines([text::date_time(deleted.deletion_date).as_str()])?;
    }
    shredded.map_err(|error| {
        let failure = CliError::from(error);
        let message =
            format!("the secret is deleted, but its keys are not erased yet: {}", failure.message);
        CliError {
            exit: failure.exit,
            message,
            hint: Some("run `rm --now` again to erase them".into()),
        }
    })
}

/// As with AWS, a forced deletion of a missing secret succeeds. A warning hints at a mistyped name.
fn warn_if_missing(vault: &Vault, scope: &Scope, name: &str) {
    let missing = vault
        .in_scope(scope)
        .describe_secret(DescribeSecret::new(name))
        .is_err_and(|error| is_fault(&error, FaultKind::ResourceNotFound));
    if missing {
        output::warn("there was no such secret");
    }
}

/// `restore`
pub(crate) fn restore(context: &Context, global: &Global, args: &Name) -> Result<(), CliError> {
    let scope = locations::scope_of(context, global, &args.name)?;
    let request = RestoreSecret::new(args.name.as_str());
    let named =
        with_vault(context, global, |vault| Ok(vault.in_scope(&scope).restore_secret(request)?))?;
    if global.is_json() { output::secret(&json::response(&named)?) } else { Ok(()) }
}
