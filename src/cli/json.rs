//! `--output json`: the AWS operation's response with its member names, as the AWS CLI shows it.
//! Dates are seconds since 1970 with a fraction, binary values are base64, absent members are left
//! out.

mod related;

use super::exit::Failure;
use crate::env::UnixMillis;
use crate::model::VersionId;
use crate::model::api::{
    DeleteSecretResponse, DescribeSecretResponse, GetSecretValueResponse,
    ListSecretVersionIdsResponse, ReplicationStatus, RotationDescription, SecretResponse,
    SecretVersionsListEntry, VersionResponse,
};
use crate::secret::{SecretBytes, SecretValue};
use crate::vault::{CheckReport, Credential, RepairOutcome, RepairReport};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use related::{CrossAccountShape, ExternalShape, cross_account_shape, external_shape};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use zeroize::Zeroizing;

/// Enough for everything of an answer but its value.
const ENVELOPE_BYTES: usize = 16 * 1024;

/// Most bytes of JSON that one byte of text becomes (`\u0000`).
const ESCAPED_BYTES: usize = 6;

/// Prints `shape` into one buffer of `capacity` bytes: growing would leave copies behind.
fn print(shape: &impl Serialize, capacity: usize) -> Result<SecretBytes, Failure> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(capacity));
    serde_json::to_writer_pretty(&mut *bytes, shape)
        .map_err(|error| Failure::io("the answer cannot be written as JSON", &error.into()))?;
    bytes.push(b'\n');
    Ok(SecretBytes::copy_from(&bytes))
}

/// Seconds since 1970 with a fraction. Exact to the millisecond for many thousand years.
#[allow(clippy::cast_precision_loss)]
fn seconds(at: UnixMillis) -> f64 {
    at.0 as f64 / 1000.0
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct WrittenShape<'a> {
    #[serde(rename = "ARN")]
    arn: &'a str,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    version_id: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    version_stages: &'a [String],
}

/// `CreateSecret`, `PutSecretValue`
pub(crate) fn written(written: &VersionResponse) -> Result<SecretBytes, Failure> {
    let shape = WrittenShape {
        arn: &written.arn,
        name: &written.name,
        version_id: written.version_id.as_ref().map(VersionId::as_str),
        version_stages: &written.version_stages,
    };
    print(&shape, ENVELOPE_BYTES)
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ValueShape<'a> {
    #[serde(rename = "ARN")]
    arn: &'a str,
    name: &'a str,
    version_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_binary: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_string: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    version_stages: &'a [String],
    created_date: f64,
}

/// `GetSecretValue`
pub(crate) fn value(output: &GetSecretValueResponse) -> Result<SecretBytes, Failure> {
    // EXPOSE: the value is what was asked for.
    let bytes = output.value.bytes().expose();
    let mut base64 = Zeroizing::new(String::new());
    let (secret_binary, secret_string) = match &output.value {
        SecretValue::Binary(_) => {
            base64.reserve_exact(bytes.len() / 3 * 4 + 4);
            STANDARD.encode_string(bytes, &mut base64);
            (Some(base64.as_str()), None)
        }
        SecretValue::String(_) => {
            let text = std::str::from_utf8(bytes).map_err(|_| {
                Failure::new(
                    super::exit::Exit::Other,
                    "a text value is not UTF-8; nothing is shown",
                )
            })?;
            (None, Some(text))
        }
    };
    let shape = ValueShape {
        arn: &output.arn,
        name: &output.name,
        version_id: output.version_id.as_str(),
        secret_binary,
        secret_string,
        version_stages: &output.version_stages,
        created_date: seconds(output.created_date),
    };
    print(&shape, bytes.len() * ESCAPED_BYTES + ENVELOPE_BYTES)
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct NamedShape<'a> {
    #[serde(rename = "ARN")]
    arn: &'a str,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    deletion_date: Option<f64>,
}

/// `RestoreSecret`, `UpdateSecretVersionStage`
pub(crate) fn named(named: &SecretResponse) -> Result<SecretBytes, Failure> {
    let shape = NamedShape { arn: &named.arn, name: &named.name, deletion_date: None };
    print(&shape, ENVELOPE_BYTES)
}

/// `DeleteSecret`
pub(crate) fn deleted(deleted: &DeleteSecretResponse) -> Result<SecretBytes, Failure> {
    let deletion_date = Some(seconds(deleted.deletion_date));
    let shape = NamedShape { arn: &deleted.arn, name: &deleted.name, deletion_date };
    print(&shape, ENVELOPE_BYTES)
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct TagShape<'a> {
    key: &'a str,
    value: &'a str,
}

/// A map in its own order, which is the versions' age.
struct StagesShape<'a>(&'a [(VersionId, Vec<String>)]);

impl Serialize for StagesShape<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (version, stages) in self.0 {
            map.serialize_entry(version.as_str(), stages)?;
        }
        map.end()
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct DescriptionShape<'a> {
    #[serde(rename = "ARN")]
    arn: &'a str,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kms_key_id: Option<&'a str>,
    last_changed_date: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_accessed_date: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted_date: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<Vec<TagShape<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version_ids_to_stages: Option<StagesShape<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_versions_to_stages: Option<StagesShape<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    owning_service: Option<&'a str>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    external: Option<ExternalShape<'a>>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    rotation: Option<RotationShape<'a>>,
    created_date: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    primary_region: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    replication_status: Option<Vec<ReplicaShape<'a>>>,
    #[serde(flatten)]
    cross_account: CrossAccountShape<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ReplicaShape<'a> {
    region: &'a str,
    kms_key_id: &'a str,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_message: Option<&'a str>,
}

fn replica_shape(entry: &ReplicationStatus) -> ReplicaShape<'_> {
    ReplicaShape {
        region: &entry.region,
        kms_key_id: &entry.kms_key_id,
        status: entry.status.name(),
        status_message: entry.status_message.as_deref(),
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct RotationShape<'a> {
    rotation_enabled: bool,
    #[serde(rename = "RotationLambdaARN", skip_serializing_if = "Option::is_none")]
    rotation_lambda_arn: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rotation_rules: Option<RulesShape<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_rotated_date: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_rotation_date: Option<f64>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct RulesShape<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    automatically_after_days: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    schedule_expression: Option<&'a str>,
}

fn rotation_shape(found: &RotationDescription) -> RotationShape<'_> {
    RotationShape {
        rotation_enabled: found.rotation_enabled,
        rotation_lambda_arn: found.rotation_lambda_arn.as_deref(),
        rotation_rules: found.rotation_rules.as_ref().map(|rules| RulesShape {
            automatically_after_days: rules.automatically_after_days,
            duration: rules.duration.as_deref(),
            schedule_expression: rules.schedule_expression.as_deref(),
        }),
        last_rotated_date: found.last_rotated_date.map(seconds),
        next_rotation_date: found.next_rotation_date.map(seconds),
    }
}

fn description_shape(found: &DescribeSecretResponse, is_list_entry: bool) -> DescriptionShape<'_> {
    let stages = || Some(StagesShape(&found.versions_to_stages)).filter(|map| !map.0.is_empty());
    DescriptionShape {
        arn: &found.arn,
        name: &found.name,
        description: found.description.as_deref(),
        kms_key_id: found.kms_key_id.as_deref(),
        last_changed_date: seconds(found.last_changed_date),
        last_accessed_date: found.last_accessed_date.map(seconds),
        deleted_date: found.deleted_date.map(seconds),
        tags: found.tags.as_ref().map(|tags| {
            tags.iter().map(|tag| TagShape { key: &tag.key, value: &tag.value }).collect()
        }),
        version_ids_to_stages: if is_list_entry { None } else { stages() },
        secret_versions_to_stages: if is_list_entry { stages() } else { None },
        owning_service: found.owning_service.as_deref(),
        external: found.external.as_ref().map(external_shape),
        rotation: found.rotation.as_ref().map(rotation_shape),
        created_date: seconds(found.created_date),
        primary_region: found.primary_region.as_deref(),
        replication_status: found
            .replication_status
            .as_ref()
            .map(|entries| entries.iter().map(replica_shape).collect()),
        cross_account: cross_account_shape(found),
    }
}

/// `DescribeSecret`
pub(crate) fn description(found: &DescribeSecretResponse) -> Result<SecretBytes, Failure> {
    print(&description_shape(found, false), ENVELOPE_BYTES)
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ListShape<'a> {
    secret_list: Vec<DescriptionShape<'a>>,
}

/// `ListSecrets`, all pages in one
pub(crate) fn list(found: &[DescribeSecretResponse]) -> Result<SecretBytes, Failure> {
    let secret_list = found.iter().map(|entry| description_shape(entry, true)).collect();
    print(&ListShape { secret_list }, ENVELOPE_BYTES)
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct VersionShape<'a> {
    version_id: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    version_stages: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    last_accessed_date: Option<f64>,
    created_date: f64,
    kms_key_ids: &'a [String],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct VersionsShape<'a> {
    versions: Vec<VersionShape<'a>>,
    #[serde(rename = "ARN")]
    arn: &'a str,
    name: &'a str,
}

/// `ListSecretVersionIds`, all pages in one
pub(crate) fn versions(page: &ListSecretVersionIdsResponse) -> Result<SecretBytes, Failure> {
    fn shape(entry: &SecretVersionsListEntry) -> VersionShape<'_> {
        VersionShape {
            version_id: entry.version_id.as_str(),
            version_stages: &entry.version_stages,
            last_accessed_date: entry.last_accessed_date.map(seconds),
            created_date: seconds(entry.created_date),
            kms_key_ids: &entry.kms_key_ids,
        }
    }
    let versions = page.versions.iter().map(shape).collect();
    print(&VersionsShape { versions, arn: &page.arn, name: &page.name }, ENVELOPE_BYTES)
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct CredentialShape<'a> {
    access_key_id: &'a str,
    account: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_access_key: Option<&'a str>,
}

/// `credentials new`: the one time that the secret half is shown
pub(crate) fn credential(pair: &Credential) -> Result<SecretBytes, Failure> {
    // EXPOSE: a pair is made to be handed to the client.
    let secret = String::from_utf8_lossy(pair.secret_access_key.expose());
    let shape = CredentialShape {
        access_key_id: &pair.access_key_id,
        account: &pair.account,
        secret_access_key: Some(&secret),
    };
    print(&shape, ENVELOPE_BYTES)
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct CredentialsShape<'a> {
    credentials: Vec<CredentialShape<'a>>,
}

/// `credentials ls`
pub(crate) fn credentials(pairs: &[Credential]) -> Result<SecretBytes, Failure> {
    let credentials = pairs
        .iter()
        .map(|pair| CredentialShape {
            access_key_id: &pair.access_key_id,
            account: &pair.account,
            secret_access_key: None,
        })
        .collect();
    print(&CredentialsShape { credentials }, ENVELOPE_BYTES)
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct CheckShape<'a> {
    operations: u64,
    rows: u64,
    values: u64,
    warnings: &'a [String],
    damage: &'a [String],
}

/// `check`
pub(crate) fn check(report: &CheckReport) -> Result<SecretBytes, Failure> {
    let shape = CheckShape {
        operations: report.lsn,
        rows: report.rows,
        values: report.values,
        warnings: &report.warnings,
        damage: &report.damage,
    };
    print(&shape, ENVELOPE_BYTES)
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct RepairShape {
    outcome: &'static str,
    found: Vec<String>,
    done: Vec<String>,
    kept: Option<String>,
    lost: Option<LossShape>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct LossShape {
    first_operation: u64,
    last_operation: Option<u64>,
    secrets: u64,
    versions: u64,
}

/// `repair`
pub(crate) fn repair(report: &RepairReport) -> Result<SecretBytes, Failure> {
    let outcome = match report.outcome {
        RepairOutcome::NothingToDo => "NothingToDo",
        RepairOutcome::Repaired => "Repaired",
        RepairOutcome::WouldLose => "WouldLose",
    };
    let shape = RepairShape {
        outcome,
        found: report.found.iter().map(ToString::to_string).collect(),
        done: report.done.clone(),
        kept: report.kept.as_ref().map(|kept| kept.display().to_string()),
        lost: report.loss.as_ref().map(|loss| LossShape {
            first_operation: loss.first_lsn,
            last_operation: loss.last_lsn,
            secrets: loss.secrets,
            versions: loss.versions,
        }),
    };
    print(&shape, ENVELOPE_BYTES)
}

#[cfg(test)]
mod tests;
