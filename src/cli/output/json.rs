//! `--output json`: the AWS operation's response with its member names, as the AWS CLI shows it, and
//! documents of the command's own in the same style.

use super::text;
use crate::cli::error::{CliError, Exit};
use crate::responses::{Structure, Style, pretty, to_json};
use crate::secret::SecretBytes;
use crate::vault::{CheckReport, Credential, LabelEvent, RepairOutcome, RepairReport};
use serde::Serialize;

/// The response of an AWS operation.
pub(crate) fn response(response: &impl Structure) -> Result<SecretBytes, CliError> {
    let json = to_json(response, Style::Command)
        .map_err(|_| CliError::new(Exit::Other, "a text value is not UTF-8; nothing is shown"))?;
    Ok(SecretBytes::copy_from(&json))
}

/// A document that AWS does not have.
fn document(document: &impl Serialize) -> Result<SecretBytes, CliError> {
    Ok(SecretBytes::copy_from(&pretty(document)?))
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct CredentialDocument<'a> {
    access_key_id: &'a str,
    account: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_access_key: Option<&'a str>,
}

/// `credentials new`: the one time that the secret half is shown
pub(crate) fn credential(pair: &Credential) -> Result<SecretBytes, CliError> {
    // EXPOSE: a pair is made to be handed to the client.
    let secret = String::from_utf8_lossy(pair.secret_access_key.expose());
    document(&CredentialDocument {
        access_key_id: &pair.access_key_id,
        account: &pair.account,
        secret_access_key: Some(&secret),
    })
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct CredentialsDocument<'a> {
    credentials: Vec<CredentialDocument<'a>>,
}

/// `credentials ls`
pub(crate) fn credentials(pairs: &[Credential]) -> Result<SecretBytes, CliError> {
    let credentials = pairs
        .iter()
        .map(|pair| CredentialDocument {
            access_key_id: &pair.access_key_id,
            account: &pair.account,
            secret_access_key: None,
        })
        .collect();
    document(&CredentialsDocument { credentials })
}

/// An event as AWS sends it to `EventBridge` (SEM-EVENT-4).
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct EventDocument<'a> {
    version: &'static str,
    id: &'a str,
    detail_type: &'static str,
    source: &'static str,
    account: &'a str,
    time: String,
    region: &'a str,
    resources: [&'a str; 1],
    detail: EventDetail<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EventDetail<'a> {
    name: &'a str,
    label_updated: &'a str,
    version_id: &'a str,
}

impl<'a> EventDocument<'a> {
    fn of(event: &'a LabelEvent) -> Self {
        Self {
            version: "0",
            id: &event.id,
            detail_type: "Secret Label Updated",
            source: "aws.secretsmanager",
            account: &event.scope.account,
            time: text::seconds(event.time),
            region: &event.scope.region,
            resources: [&event.arn],
            detail: EventDetail {
                name: &event.name,
                label_updated: &event.label,
                version_id: &event.version_id,
            },
        }
    }
}

/// An event on one line, for its receiver.
pub(crate) fn label_event(event: &LabelEvent) -> serde_json::Result<Vec<u8>> {
    serde_json::to_vec(&EventDocument::of(event))
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct EventsDocument<'a> {
    events: Vec<EventDocument<'a>>,
    is_on: bool,
    dropped: u64,
}

/// `events ls`
pub(crate) fn events(
    is_on: bool,
    dropped: u64,
    waiting: &[LabelEvent],
) -> Result<SecretBytes, CliError> {
    let events = waiting.iter().map(EventDocument::of).collect();
    document(&EventsDocument { events, is_on, dropped })
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct CheckDocument<'a> {
    operations: u64,
    rows: u64,
    values: u64,
    warnings: &'a [String],
    damage: &'a [String],
}

/// `check`
pub(crate) fn check(report: &CheckReport) -> Result<SecretBytes, CliError> {
    document(&CheckDocument {
        operations: report.lsn,
        rows: report.rows,
        values: report.values,
        warnings: &report.warnings,
        damage: &report.damage,
    })
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct RepairDocument {
    outcome: &'static str,
    found: Vec<String>,
    done: Vec<String>,
    kept: Option<String>,
    lost: Option<LossDocument>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct LossDocument {
    first_operation: u64,
    last_operation: Option<u64>,
    secrets: u64,
    versions: u64,
}

/// `repair`
pub(crate) fn repair(report: &RepairReport) -> Result<SecretBytes, CliError> {
    let outcome = match report.outcome {
        RepairOutcome::NothingToDo => "NothingToDo",
        RepairOutcome::Repaired => "Repaired",
        RepairOutcome::WouldLose => "WouldLose",
    };
    document(&RepairDocument {
        outcome,
        found: report.found.iter().map(ToString::to_string).collect(),
        done: report.done.clone(),
        kept: report.kept.as_ref().map(|kept| kept.display().to_string()),
        lost: report.loss.as_ref().map(|loss| LossDocument {
            first_operation: loss.first_lsn,
            last_operation: loss.last_lsn,
            secrets: loss.secrets,
            versions: loss.versions,
        }),
    })
}

#[cfg(test)]
mod tests;
