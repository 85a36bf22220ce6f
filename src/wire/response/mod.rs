//! Answers as JSON: members in the order of the API model, empty ones left out (rule WIRE-REPLY-3).

mod policy;
mod related;

pub(crate) use policy::{policy_page, policy_validation, resource_policy};

use crate::env::UnixMillis;
use crate::error::{ErrorKind, Result};
use crate::model::api::{
    ApiErrorType, BatchGetSecretValueResponse, DeleteSecretResponse, DescribeSecretResponse,
    GetSecretValueResponse, ListSecretVersionIdsResponse, ListSecretsResponse, ReplicationResponse,
    ReplicationStatus, RotationDescription, SecretResponse, SecretVersionsListEntry,
    VersionResponse,
};
use crate::model::{Tag, VersionId};
use crate::secret::{SecretBytes, SecretValue};
use crate::semantics::Answer;
use crate::wire::encoding::time::format_decimal;
use crate::wire::json::{Writer, base64_len, escaped_len};
use crate::wire::request::Operation;
use zeroize::Zeroizing;

/// Room for the members around a value: ARN, name, id, 20 labels of ordinary length.
const COMMON_BYTES: usize = 4096;

/// The answer of a write. `None`: the vault answered another operation's answer, which no request
/// can bring about.
pub(crate) fn write(operation: Operation, answer: Answer) -> Option<Zeroizing<Vec<u8>>> {
    let mut out = Writer::with_capacity(COMMON_BYTES);
    match (operation, answer) {
        (
            Operation::CreateSecret
            | Operation::UpdateSecret
            | Operation::PutSecretValue
            | Operation::RotateSecret
            | Operation::CancelRotateSecret,
            Answer::Written(written),
        ) => self::written(&mut out, &written),
        (Operation::UpdateSecretVersionStage | Operation::RestoreSecret, Answer::Named(named)) => {
            self::named(&mut out, &named);
        }
        (Operation::StopReplicationToReplica, Answer::Named(named)) => {
            out.object(|out| {
                out.name("ARN").text(&named.arn);
            });
        }
        (
            Operation::ReplicateSecretToRegions | Operation::RemoveRegionsFromReplication,
            Answer::Replicated(replicated),
        ) => self::replicated(&mut out, &replicated),
        (
            Operation::AssociateCrossAccountReplica | Operation::DisassociateCrossAccountReplica,
            Answer::Associated(answer),
        ) => related::associated(&mut out, &answer),
        (Operation::DeleteSecret, Answer::Deleted(deleted)) => self::deleted(&mut out, &deleted),
        (
            Operation::PutResourcePolicy | Operation::DeleteResourcePolicy,
            Answer::PolicyNamed(named),
        ) => policy::named(&mut out, &named),
        (Operation::TagResource | Operation::UntagResource, Answer::Done) => out.object(|_| ()),
        _ => return None,
    }
    Some(out.finish())
}

fn written(out: &mut Writer, written: &VersionResponse) {
    out.object(|out| {
        out.name("ARN").text(&written.arn);
        out.name("Name").text(&written.name);
        if let Some(version_id) = &written.version_id {
            out.name("VersionId").text(version_id.as_str());
        }
        stages(out, &written.version_stages);
        if let Some(entries) = &written.replication_status {
            out.name("ReplicationStatus").list(entries, replication_status);
        }
    });
}

fn replicated(out: &mut Writer, replicated: &ReplicationResponse) {
    out.object(|out| {
        out.name("ARN").text(&replicated.arn);
        out.name("ReplicationStatus").list(&replicated.replication_status, replication_status);
    });
}

fn replication_status(out: &mut Writer, entry: &ReplicationStatus) {
    out.object(|out| {
        out.name("Region").text(&entry.region);
        out.name("KmsKeyId").text(&entry.kms_key_id);
        out.name("Status").text(entry.status.name());
        optional(out, "StatusMessage", entry.status_message.as_deref());
    });
}

fn named(out: &mut Writer, named: &SecretResponse) {
    out.object(|out| {
        out.name("ARN").text(&named.arn);
        out.name("Name").text(&named.name);
    });
}

fn deleted(out: &mut Writer, deleted: &DeleteSecretResponse) {
    out.object(|out| {
        out.name("ARN").text(&deleted.arn);
        out.name("Name").text(&deleted.name);
        out.name("DeletionDate").time(deleted.deletion_date);
    });
}

/// The answer of `GetSecretValue`. The buffer has room for the value from the start.
pub(crate) fn secret_value(output: &GetSecretValueResponse) -> Result<Zeroizing<Vec<u8>>> {
    single_value(output, Writer::time)
}

/// The same as AWS's agent writes it: the date is a string.
pub(crate) fn agent_value(output: &GetSecretValueResponse) -> Result<Zeroizing<Vec<u8>>> {
    single_value(output, |out, date| out.text(&format_decimal(date)))
}

fn single_value(
    output: &GetSecretValueResponse,
    write_date: impl FnOnce(&mut Writer, UnixMillis),
) -> Result<Zeroizing<Vec<u8>>> {
    let content = Content::of(&output.value)?;
    let mut out = Writer::with_capacity(COMMON_BYTES + content.room());
    value_entry(&mut out, output, content, write_date);
    Ok(out.finish())
}

/// The answer of `BatchGetSecretValue`. The buffer has room for all values from the start, so none
/// of them is moved while the others are written.
pub(crate) fn secret_value_batch(
    batch: &BatchGetSecretValueResponse,
) -> Result<Zeroizing<Vec<u8>>> {
    let contents: Result<Vec<Content<'_>>> =
        batch.values.iter().map(|output| Content::of(&output.value)).collect();
    let contents = contents?;
    let values: usize = contents.iter().map(Content::room).sum();
    let entries = batch.values.len() + batch.errors.len() + 1;
    let mut out = Writer::with_capacity(COMMON_BYTES * entries + values);
    out.object(|out| {
        out.name("SecretValues").list(
            batch.values.iter().zip(contents),
            |out, (output, content)| {
                value_entry(out, output, content, Writer::time);
            },
        );
        optional(out, "NextToken", batch.next_token.as_deref());
        out.name("Errors").list(&batch.errors, batch_error);
    });
    Ok(out.finish())
}

pub(crate) fn random_password(password: &SecretBytes) -> Result<Zeroizing<Vec<u8>>> {
    // EXPOSE: the caller asked for it; it goes into a wiped buffer and to the socket.
    let text = utf8(password.expose())?;
    let mut out = Writer::with_capacity(escaped_len(text) + COMMON_BYTES);
    out.object(|out| out.name("RandomPassword").text(text));
    Ok(out.finish())
}

/// A value as its answer shows it.
#[derive(Clone, Copy)]
enum Content<'a> {
    Text(&'a str),
    Bytes(&'a [u8]),
}

impl<'a> Content<'a> {
    fn of(value: &'a SecretValue) -> Result<Self> {
        // EXPOSE: the caller asked for the value; it goes into a wiped buffer and to the socket.
        let bytes = value.bytes().expose();
        Ok(match value {
            SecretValue::Binary(_) => Self::Bytes(bytes),
            SecretValue::String(_) => Self::Text(utf8(bytes)?),
        })
    }

    /// Bytes that it takes between the quotes.
    fn room(&self) -> usize {
        match self {
            Self::Text(text) => escaped_len(text),
            Self::Bytes(bytes) => base64_len(bytes.len()),
        }
    }
}

/// Kept by the vault as UTF-8; anything else would be damage that its seal let through.
fn utf8(bytes: &[u8]) -> Result<&str> {
    Ok(std::str::from_utf8(bytes).map_err(|_| ErrorKind::StateBroken)?)
}

fn value_entry(
    out: &mut Writer,
    output: &GetSecretValueResponse,
    content: Content<'_>,
    write_date: impl FnOnce(&mut Writer, UnixMillis),
) {
    out.object(|out| {
        out.name("ARN").text(&output.arn);
        out.name("Name").text(&output.name);
        out.name("VersionId").text(output.version_id.as_str());
        match content {
            Content::Text(text) => out.name("SecretString").text(text),
            Content::Bytes(bytes) => out.name("SecretBinary").base64(bytes),
        }
        stages(out, &output.version_stages);
        write_date(out.name("CreatedDate"), output.created_date);
    });
}

fn batch_error(out: &mut Writer, error: &ApiErrorType) {
    out.object(|out| {
        out.name("SecretId").text(&error.secret_id);
        out.name("ErrorCode").text(&error.error_code);
        out.name("Message").text(&error.message);
    });
}

pub(crate) fn description(description: &DescribeSecretResponse) -> Zeroizing<Vec<u8>> {
    let mut out = Writer::with_capacity(COMMON_BYTES);
    describe(&mut out, description, "VersionIdsToStages");
    out.finish()
}

pub(crate) fn secret_page(page: &ListSecretsResponse) -> Zeroizing<Vec<u8>> {
    let mut out = Writer::with_capacity(COMMON_BYTES);
    out.object(|out| {
        out.name("SecretList")
            .list(&page.secrets, |out, entry| describe(out, entry, "SecretVersionsToStages"));
        optional(out, "NextToken", page.next_token.as_deref());
    });
    out.finish()
}

pub(crate) fn version_page(page: &ListSecretVersionIdsResponse) -> Zeroizing<Vec<u8>> {
    let mut out = Writer::with_capacity(COMMON_BYTES);
    out.object(|out| {
        out.name("Versions").list(&page.versions, version_entry);
        optional(out, "NextToken", page.next_token.as_deref());
        out.name("ARN").text(&page.arn);
        out.name("Name").text(&page.name);
    });
    out.finish()
}

fn version_entry(out: &mut Writer, entry: &SecretVersionsListEntry) {
    out.object(|out| {
        out.name("VersionId").text(entry.version_id.as_str());
        stages(out, &entry.version_stages);
        if let Some(date) = entry.last_accessed_date {
            out.name("LastAccessedDate").time(date);
        }
        out.name("CreatedDate").time(entry.created_date);
        out.name("KmsKeyIds").list(&entry.kms_key_ids, |out, id| out.text(id));
    });
}

fn describe(out: &mut Writer, description: &DescribeSecretResponse, versions: &str) {
    out.object(|out| {
        out.name("ARN").text(&description.arn);
        out.name("Name").text(&description.name);
        if let Some(external) = &description.external {
            out.name("Type").text(&external.partner);
        }
        optional(out, "Description", description.description.as_deref());
        optional(out, "KmsKeyId", description.kms_key_id.as_deref());
        if let Some(rotation) = &description.rotation {
            self::rotation(out, rotation);
        }
        if let Some(external) = &description.external {
            related::external_rotation(out, external);
        }
        if let Some(date) = description.rotation.as_ref().and_then(|r| r.last_rotated_date) {
            out.name("LastRotatedDate").time(date);
        }
        out.name("LastChangedDate").time(description.last_changed_date);
        for (name, date) in [
            ("LastAccessedDate", description.last_accessed_date),
            ("DeletedDate", description.deleted_date),
            ("NextRotationDate", description.rotation.as_ref().and_then(|r| r.next_rotation_date)),
        ] {
            if let Some(date) = date {
                out.name(name).time(date);
            }
        }
        if let Some(tags) = &description.tags {
            out.name("Tags").list(tags, tag);
        }
        if !description.versions_to_stages.is_empty() {
            out.name(versions).object(|out| stage_map(out, &description.versions_to_stages));
        }
        optional(out, "OwningService", description.owning_service.as_deref());
        out.name("CreatedDate").time(description.created_date);
        optional(out, "PrimaryRegion", description.primary_region.as_deref());
        if let Some(entries) = &description.replication_status {
            out.name("ReplicationStatus").list(entries, replication_status);
        }
        related::cross_account(out, description);
    });
}

fn rotation(out: &mut Writer, rotation: &RotationDescription) {
    out.name("RotationEnabled").boolean(rotation.rotation_enabled);
    optional(out, "RotationLambdaARN", rotation.rotation_lambda_arn.as_deref());
    if let Some(rules) = &rotation.rotation_rules {
        out.name("RotationRules").object(|out| {
            if let Some(days) = rules.automatically_after_days {
                out.name("AutomaticallyAfterDays").integer(days);
            }
            optional(out, "Duration", rules.duration.as_deref());
            optional(out, "ScheduleExpression", rules.schedule_expression.as_deref());
        });
    }
}

fn stage_map(out: &mut Writer, versions: &[(VersionId, Vec<String>)]) {
    for (version_id, stages) in versions {
        out.name(version_id.as_str()).list(stages, |out, stage| out.text(stage));
    }
}

fn tag(out: &mut Writer, tag: &Tag) {
    out.object(|out| {
        out.name("Key").text(&tag.key);
        out.name("Value").text(&tag.value);
    });
}

fn stages(out: &mut Writer, stages: &[String]) {
    if !stages.is_empty() {
        out.name("VersionStages").list(stages, |out, stage| out.text(stage));
    }
}

fn optional(out: &mut Writer, name: &str, text: Option<&str>) {
    if let Some(text) = text {
        out.name(name).text(text);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
