//! Answers as JSON: members in the order of the API model, empty ones left out (rule WIRE-REPLY-3).

use super::json::{Writer, base64_len, escaped_len};
use super::operation::Operation;
use crate::error::{ErrorKind, Result};
use crate::model::api::{
    Deleted, Description, Named, Replicated, ReplicationStatus, ResourcePolicy, SecretPage,
    SecretValueOutput, VersionEntry, VersionPage, Written,
};
use crate::model::{Tag, VersionId};
use crate::secret::SecretValue;
use crate::semantics::Answer;
use zeroize::Zeroizing;

/// Room for the members around a value: ARN, name, id, 20 labels of ordinary length.
const COMMON_BYTES: usize = 4096;

/// The answer of a write. `None`: the vault answered another operation's answer, which no request
/// can bring about.
pub(super) fn write(operation: Operation, answer: Answer) -> Option<Zeroizing<Vec<u8>>> {
    let mut out = Writer::with_capacity(COMMON_BYTES);
    match (operation, answer) {
        (
            Operation::CreateSecret | Operation::UpdateSecret | Operation::PutSecretValue,
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
        (Operation::DeleteSecret, Answer::Deleted(deleted)) => self::deleted(&mut out, &deleted),
        (Operation::TagResource | Operation::UntagResource, Answer::Done) => out.object(|_| ()),
        _ => return None,
    }
    Some(out.finish())
}

fn written(out: &mut Writer, written: &Written) {
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

fn replicated(out: &mut Writer, replicated: &Replicated) {
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

fn named(out: &mut Writer, named: &Named) {
    out.object(|out| {
        out.name("ARN").text(&named.arn);
        out.name("Name").text(&named.name);
    });
}

fn deleted(out: &mut Writer, deleted: &Deleted) {
    out.object(|out| {
        out.name("ARN").text(&deleted.arn);
        out.name("Name").text(&deleted.name);
        out.name("DeletionDate").time(deleted.deletion_date);
    });
}

/// The answer of `GetSecretValue`. The buffer has room for the value from the start.
pub(super) fn secret_value(output: &SecretValueOutput) -> Result<Zeroizing<Vec<u8>>> {
    // EXPOSE: the caller asked for the value; it goes into a wiped buffer and to the socket.
    let bytes = output.value.bytes().expose();
    let text = match &output.value {
        SecretValue::Binary(_) => None,
        // Kept by the vault as UTF-8; anything else would be damage that its seal let through.
        SecretValue::String(_) => {
            Some(std::str::from_utf8(bytes).map_err(|_| ErrorKind::StateBroken)?)
        }
    };
    let room = text.map_or_else(|| base64_len(bytes.len()), escaped_len);
    let mut out = Writer::with_capacity(COMMON_BYTES + room);
    out.object(|out| {
        out.name("ARN").text(&output.arn);
        out.name("Name").text(&output.name);
        out.name("VersionId").text(output.version_id.as_str());
        match text {
            Some(text) => out.name("SecretString").text(text),
            None => out.name("SecretBinary").base64(bytes),
        }
        stages(out, &output.version_stages);
        out.name("CreatedDate").time(output.created_date);
    });
    Ok(out.finish())
}

pub(super) fn description(description: &Description) -> Zeroizing<Vec<u8>> {
    let mut out = Writer::with_capacity(COMMON_BYTES);
    describe(&mut out, description, "VersionIdsToStages");
    out.finish()
}

pub(super) fn secret_page(page: &SecretPage) -> Zeroizing<Vec<u8>> {
    let mut out = Writer::with_capacity(COMMON_BYTES);
    out.object(|out| {
        out.name("SecretList")
            .list(&page.secrets, |out, entry| describe(out, entry, "SecretVersionsToStages"));
        optional(out, "NextToken", page.next_token.as_deref());
    });
    out.finish()
}

pub(super) fn version_page(page: &VersionPage) -> Zeroizing<Vec<u8>> {
    let mut out = Writer::with_capacity(COMMON_BYTES);
    out.object(|out| {
        out.name("Versions").list(&page.versions, version_entry);
        optional(out, "NextToken", page.next_token.as_deref());
        out.name("ARN").text(&page.arn);
        out.name("Name").text(&page.name);
    });
    out.finish()
}

pub(super) fn resource_policy(policy: &ResourcePolicy) -> Zeroizing<Vec<u8>> {
    let mut out = Writer::with_capacity(COMMON_BYTES);
    out.object(|out| {
        out.name("ARN").text(&policy.arn);
        out.name("Name").text(&policy.name);
        optional(out, "ResourcePolicy", policy.policy.as_deref());
    });
    out.finish()
}

fn version_entry(out: &mut Writer, entry: &VersionEntry) {
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

fn describe(out: &mut Writer, description: &Description, versions: &str) {
    out.object(|out| {
        out.name("ARN").text(&description.arn);
        out.name("Name").text(&description.name);
        optional(out, "Description", description.description.as_deref());
        optional(out, "KmsKeyId", description.kms_key_id.as_deref());
        out.name("LastChangedDate").time(description.last_changed_date);
        for (name, date) in [
            ("LastAccessedDate", description.last_accessed_date),
            ("DeletedDate", description.deleted_date),
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
    });
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
mod tests {
    use super::*;
    use crate::env::UnixMillis;

    const V1: &str = "11111111-1111-1111-1111-111111111111";

    fn text(json: &[u8]) -> &str {
        std::str::from_utf8(json).unwrap()
    }

    fn bare() -> Description {
        Description {
            arn: "arn".into(),
            name: "n".into(),
            description: None,
            kms_key_id: None,
            created_date: UnixMillis(1_700_000_000_123),
            last_changed_date: UnixMillis(1_700_000_001_000),
            last_accessed_date: None,
            deleted_date: None,
            tags: None,
            versions_to_stages: Vec::new(),
            owning_service: None,
            primary_region: None,
            replication_status: None,
        }
    }

    #[test]
    fn what_is_not_there_is_left_out() {
        assert_eq!(
            text(&description(&bare())),
            r#"{"ARN":"arn","Name":"n","LastChangedDate":1700000001.0,"CreatedDate":1700000000.123}"#
        );
        let policy = ResourcePolicy { arn: "a".into(), name: "n".into(), policy: None };
        assert_eq!(text(&resource_policy(&policy)), r#"{"ARN":"a","Name":"n"}"#);
        let written = Written {
            arn: "a".into(),
            name: "n".into(),
            version_id: None,
            version_stages: Vec::new(),
            replication_status: None,
        };
        let json = write(Operation::CreateSecret, Answer::Written(written)).unwrap();
        assert_eq!(text(&json), r#"{"ARN":"a","Name":"n"}"#);
    }

    #[test]
    fn a_full_description_has_the_order_of_the_model() {
        let full = Description {
            description: Some("d\"".into()),
            kms_key_id: Some("k".into()),
            last_accessed_date: Some(UnixMillis(1_523_923_200_000)),
            deleted_date: Some(UnixMillis(1_700_000_002_500)),
            tags: Some(vec![Tag { key: "a".into(), value: String::new() }]),
            versions_to_stages: vec![(
                VersionId::parse(V1).unwrap(),
                vec!["AWSCURRENT".into(), "x".into()],
            )],
            owning_service: Some("s".into()),
            ..bare()
        };
        let expected = format!(
            r#"{{"ARN":"arn","Name":"n","Description":"d\"","KmsKeyId":"k","LastChangedDate":1700000001.0,"LastAccessedDate":1523923200.0,"DeletedDate":1700000002.5,"Tags":[{{"Key":"a","Value":""}}],"VersionIdsToStages":{{"{V1}":["AWSCURRENT","x"]}},"OwningService":"s","CreatedDate":1700000000.123}}"#
        );
        assert_eq!(text(&description(&full)), expected);
        let page = SecretPage { secrets: vec![full], next_token: Some("t".into()) };
        let listed = expected.replace("VersionIdsToStages", "SecretVersionsToStages");
        let expected = format!(r#"{{"SecretList":[{listed}],"NextToken":"t"}}"#);
        assert_eq!(text(&secret_page(&page)), expected);
    }

    #[test]
    fn removed_tags_are_an_empty_list() {
        let tagless = Description { tags: Some(Vec::new()), ..bare() };
        assert!(text(&description(&tagless)).contains(r#""Tags":[]"#));
    }

    #[test]
    fn a_version_without_labels_has_no_list_of_them() {
        let page = VersionPage {
            arn: "a".into(),
            name: "n".into(),
            versions: vec![VersionEntry {
                version_id: VersionId::parse(V1).unwrap(),
                version_stages: Vec::new(),
                created_date: UnixMillis(0),
                last_accessed_date: None,
                kms_key_ids: vec!["DefaultEncryptionKey".into()],
            }],
            next_token: None,
        };
        let expected = format!(
            r#"{{"Versions":[{{"VersionId":"{V1}","CreatedDate":0.0,"KmsKeyIds":["DefaultEncryptionKey"]}}],"ARN":"a","Name":"n"}}"#
        );
        assert_eq!(text(&version_page(&page)), expected);
    }

    #[test]
    fn a_value_keeps_its_kind_and_every_byte() {
        let output = |value| SecretValueOutput {
            arn: "a".into(),
            name: "n".into(),
            version_id: VersionId::parse(V1).unwrap(),
            value,
            version_stages: vec!["AWSCURRENT".into()],
            created_date: UnixMillis(1),
        };
        let json = secret_value(&output(SecretValue::text("\0\"\u{1f600}"))).unwrap();
        let expected = format!(
            r#"{{"ARN":"a","Name":"n","VersionId":"{V1}","SecretString":"\u0000\"{}","VersionStages":["AWSCURRENT"],"CreatedDate":0.001}}"#,
            '\u{1f600}'
        );
        assert_eq!(text(&json), expected);
        let json = secret_value(&output(SecretValue::binary([0, 255]))).unwrap();
        assert!(text(&json).contains(r#""SecretBinary":"AP8=","VersionStages""#));
    }

    #[test]
    fn tagging_answers_an_empty_object() {
        let json = write(Operation::TagResource, Answer::Done).unwrap();
        assert_eq!(text(&json), "{}");
        assert!(write(Operation::TagResource, Answer::More).is_none());
    }
}
