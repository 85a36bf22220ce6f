//! From checked members to the vault's requests. Absent stays absent: what it means is the rules'.

use super::operation::Operation;
use super::reply::Failure;
use super::shape::Fields;
use crate::model::Tag;
use crate::model::api::{
    CreateSecret, DeleteSecret, Filter, GetSecretValue, ListSecretVersionIds, ListSecrets,
    PutSecretValue, RemoveRegionsFromReplication, ReplicaRegion, ReplicateSecretToRegions,
    SecretIdOnly, TagResource, UntagResource, UpdateSecret, UpdateSecretVersionStage,
};
use crate::secret::SecretValue;
use crate::semantics::texts;
use crate::vault::Write;

/// A request that the vault can answer.
pub(super) enum Call {
    Write(Write),
    Read(Read),
}

/// A request that changes nothing.
pub(super) enum Read {
    DescribeSecret(SecretIdOnly),
    GetResourcePolicy(SecretIdOnly),
    GetSecretValue(GetSecretValue),
    ListSecretVersionIds(ListSecretVersionIds),
    ListSecrets(ListSecrets),
}

pub(super) fn read(operation: Operation, fields: Fields) -> Result<Call, Failure> {
    let mut fields = fields;
    Ok(match operation {
        Operation::CreateSecret => Call::Write(Write::CreateSecret(CreateSecret {
            name: fields.required_text("Name"),
            client_request_token: fields.text("ClientRequestToken"),
            description: fields.text("Description"),
            kms_key_id: fields.text("KmsKeyId"),
            value: value(&mut fields)?,
            tags: tags(&mut fields),
            add_replica_regions: replica_regions(&mut fields),
            force_overwrite_replica_secret: fields.boolean("ForceOverwriteReplicaSecret"),
        })),
        Operation::PutSecretValue => Call::Write(Write::PutSecretValue(PutSecretValue {
            secret_id: fields.required_text("SecretId"),
            client_request_token: fields.text("ClientRequestToken"),
            value: value(&mut fields)?,
            version_stages: fields.texts("VersionStages"),
        })),
        Operation::UpdateSecret => Call::Write(Write::UpdateSecret(UpdateSecret {
            secret_id: fields.required_text("SecretId"),
            client_request_token: fields.text("ClientRequestToken"),
            description: fields.text("Description"),
            kms_key_id: fields.text("KmsKeyId"),
            value: value(&mut fields)?,
        })),
        Operation::UpdateSecretVersionStage => {
            Call::Write(Write::UpdateSecretVersionStage(UpdateSecretVersionStage {
                secret_id: fields.required_text("SecretId"),
                version_stage: fields.required_text("VersionStage"),
                remove_from_version_id: fields.text("RemoveFromVersionId"),
                move_to_version_id: fields.text("MoveToVersionId"),
            }))
        }
        Operation::DeleteSecret => Call::Write(Write::DeleteSecret(DeleteSecret {
            secret_id: fields.required_text("SecretId"),
            recovery_window_in_days: fields.number("RecoveryWindowInDays"),
            force_delete_without_recovery: fields.boolean("ForceDeleteWithoutRecovery"),
        })),
        Operation::RestoreSecret => Call::Write(Write::RestoreSecret(secret_id(&mut fields))),
        Operation::TagResource => Call::Write(Write::TagResource(TagResource {
            secret_id: fields.required_text("SecretId"),
            tags: tags(&mut fields).unwrap_or_default(),
        })),
        Operation::UntagResource => Call::Write(Write::UntagResource(UntagResource {
            secret_id: fields.required_text("SecretId"),
            tag_keys: fields.texts("TagKeys").unwrap_or_default(),
        })),
        Operation::ReplicateSecretToRegions => {
            Call::Write(Write::ReplicateSecretToRegions(ReplicateSecretToRegions {
                secret_id: fields.required_text("SecretId"),
                add_replica_regions: replica_regions(&mut fields).unwrap_or_default(),
                force_overwrite_replica_secret: fields.boolean("ForceOverwriteReplicaSecret"),
            }))
        }
        Operation::RemoveRegionsFromReplication => {
            Call::Write(Write::RemoveRegionsFromReplication(RemoveRegionsFromReplication {
                secret_id: fields.required_text("SecretId"),
                remove_replica_regions: fields.texts("RemoveReplicaRegions").unwrap_or_default(),
            }))
        }
        Operation::StopReplicationToReplica => {
            Call::Write(Write::StopReplicationToReplica(secret_id(&mut fields)))
        }
        Operation::DescribeSecret => Call::Read(Read::DescribeSecret(secret_id(&mut fields))),
        Operation::GetResourcePolicy => Call::Read(Read::GetResourcePolicy(secret_id(&mut fields))),
        Operation::GetSecretValue => Call::Read(Read::GetSecretValue(GetSecretValue {
            secret_id: fields.required_text("SecretId"),
            version_id: fields.text("VersionId"),
            version_stage: fields.text("VersionStage"),
        })),
        Operation::ListSecretVersionIds => {
            Call::Read(Read::ListSecretVersionIds(ListSecretVersionIds {
                secret_id: fields.required_text("SecretId"),
                max_results: fields.number("MaxResults"),
                next_token: fields.text("NextToken"),
                include_deprecated: fields.boolean("IncludeDeprecated"),
            }))
        }
        Operation::ListSecrets => Call::Read(Read::ListSecrets(ListSecrets {
            include_planned_deletion: fields.boolean("IncludePlannedDeletion"),
            max_results: fields.number("MaxResults"),
            next_token: fields.text("NextToken"),
            filters: fields.structures("Filters", |mut fields| Filter {
                key: fields.text("Key"),
                values: fields.texts("Values"),
            }),
            sort_order: fields.text("SortOrder"),
            sort_by: fields.text("SortBy"),
        })),
    })
}

fn secret_id(fields: &mut Fields) -> SecretIdOnly {
    SecretIdOnly { secret_id: fields.required_text("SecretId") }
}

/// A tag without a key reads as an empty key, which the rules refuse by its length.
fn tags(fields: &mut Fields) -> Option<Vec<Tag>> {
    fields.structures("Tags", |mut fields| Tag {
        key: fields.text("Key").unwrap_or_default(),
        value: fields.text("Value").unwrap_or_default(),
    })
}

/// A replica without a region reads as one of an empty region, which the rules refuse by its length.
fn replica_regions(fields: &mut Fields) -> Option<Vec<ReplicaRegion>> {
    fields.structures("AddReplicaRegions", |mut fields| ReplicaRegion {
        region: fields.text("Region").unwrap_or_default(),
        kms_key_id: fields.text("KmsKeyId"),
    })
}

fn value(fields: &mut Fields) -> Result<Option<SecretValue>, Failure> {
    match (fields.secret_text("SecretString"), fields.secret_blob("SecretBinary")) {
        (None, None) => Ok(None),
        (Some(text), None) => Ok(Some(SecretValue::String(text))),
        (None, Some(bytes)) => Ok(Some(SecretValue::Binary(bytes))),
        (Some(_), Some(_)) => Err(Failure::Fault(texts::two_values())),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::super::json::parse;
    use super::*;
    use crate::semantics::FaultKind;

    fn call(operation: Operation, json: &str) -> Call {
        let fields = Fields::check(parse(json.as_bytes()).ok().unwrap(), operation.members());
        read(operation, fields.ok().unwrap()).ok().unwrap()
    }

    #[test]
    fn a_create_keeps_every_member() {
        let json = r#"{"Name":"n","ClientRequestToken":"t","Description":"","KmsKeyId":"k",
            "SecretString":"a\u0000\n","Tags":[{"Key":"a","Value":"b"},{"Key":"c"}]}"#;
        let Call::Write(Write::CreateSecret(request)) = call(Operation::CreateSecret, json) else {
            panic!("a create is a write");
        };
        assert_eq!(request.name, "n");
        assert_eq!(request.client_request_token.as_deref(), Some("t"));
        assert_eq!(request.description.as_deref(), Some(""));
        assert_eq!(request.kms_key_id.as_deref(), Some("k"));
        let value = request.value.unwrap();
        assert!(matches!(&value, SecretValue::String(text) if text.expose() == b"a\0\n"));
        let tags = request.tags.unwrap();
        assert_eq!((tags[0].key.as_str(), tags[0].value.as_str()), ("a", "b"));
        assert_eq!((tags[1].key.as_str(), tags[1].value.as_str()), ("c", ""));
    }

    #[test]
    fn a_put_without_options_has_none() {
        let json = r#"{"SecretId":"s","SecretBinary":"AP8=","VersionStages":null}"#;
        let Call::Write(Write::PutSecretValue(request)) = call(Operation::PutSecretValue, json)
        else {
            panic!("a put is a write");
        };
        assert_eq!(request.client_request_token, None);
        assert_eq!(request.version_stages, None);
        let value = request.value.unwrap();
        assert!(matches!(&value, SecretValue::Binary(bytes) if bytes.expose() == [0, 255]));
    }

    #[test]
    fn a_list_keeps_its_filters() {
        let json = r#"{"Filters":[{"Key":"name","Values":["a","!b"]},{}],"MaxResults":3.7}"#;
        let Call::Read(Read::ListSecrets(request)) = call(Operation::ListSecrets, json) else {
            panic!("a list is a read");
        };
        let filters = request.filters.unwrap();
        assert_eq!(filters[0].key.as_deref(), Some("name"));
        assert_eq!(filters[0].values.as_deref(), Some(&["a".to_owned(), "!b".to_owned()][..]));
        assert!(filters[1].key.is_none() && filters[1].values.is_none());
        assert_eq!(request.max_results, Some(3));
    }

    #[test]
    fn two_values_are_one_too_many() {
        let json = r#"{"SecretId":"s","SecretBinary":"AP8=","SecretString":"x"}"#;
        let operation = Operation::PutSecretValue;
        let fields = Fields::check(parse(json.as_bytes()).ok().unwrap(), operation.members());
        let failure = read(operation, fields.ok().unwrap()).err().unwrap();
        assert!(matches!(failure, Failure::Fault(f) if f.kind == FaultKind::InvalidParameter));
    }
}
