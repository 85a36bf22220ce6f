//! From checked members to the vault's requests. Absent stays absent: what it means is the rules'.

use super::operation::Operation;
use crate::model::api::{
    AssociateCrossAccountReplica, BatchGetSecretValue, CancelRotateSecret, CreateSecret,
    DeleteResourcePolicy, DeleteSecret, DescribeSecret, DisassociateCrossAccountReplica, Filter,
    GetRandomPassword, GetResourcePolicy, GetSecretValue, ListResourcePolicies,
    ListSecretVersionIds, ListSecrets, PutResourcePolicy, PutSecretValue,
    RemoveRegionsFromReplication, ReplicaRegion, ReplicateSecretToRegions, RestoreSecret,
    RotateSecret, RotationRules, StopReplicationToReplica, TagResource, UntagResource,
    UpdateSecret, UpdateSecretVersionStage, ValidateResourcePolicy,
};
use crate::model::{ExternalMetadata, Tag};
use crate::secret::SecretValue;
use crate::semantics::messages;
use crate::vault::Write;
use crate::wire::reply::Failure;
use crate::wire::schema::Fields;

/// A request that the vault can answer.
pub(crate) enum Call {
    Write(Write),
    Read(Read),
}

/// A request that changes nothing.
pub(crate) enum Read {
    BatchGetSecretValue(BatchGetSecretValue),
    DescribeSecret(DescribeSecret),
    GetRandomPassword(GetRandomPassword),
    GetResourcePolicy(GetResourcePolicy),
    GetSecretValue(GetSecretValue),
    ListResourcePolicies(ListResourcePolicies),
    ListSecretVersionIds(ListSecretVersionIds),
    ListSecrets(ListSecrets),
    ValidateResourcePolicy(ValidateResourcePolicy),
}

#[allow(clippy::too_many_lines)] // A table: one arm an operation.
pub(crate) fn read(operation: Operation, fields: Fields) -> Result<Call, Failure> {
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
            partner: fields.text("Type"),
            cross_account_primary_arn: fields.text("CrossAccountPrimaryARN"),
        })),
        Operation::PutSecretValue => Call::Write(Write::PutSecretValue(PutSecretValue {
            secret_id: fields.required_text("SecretId"),
            client_request_token: fields.text("ClientRequestToken"),
            value: value(&mut fields)?,
            version_stages: fields.texts("VersionStages"),
            rotation_token: fields.secret_text("RotationToken").map(Into::into),
        })),
        Operation::UpdateSecret => Call::Write(Write::UpdateSecret(UpdateSecret {
            secret_id: fields.required_text("SecretId"),
            client_request_token: fields.text("ClientRequestToken"),
            description: fields.text("Description"),
            kms_key_id: fields.text("KmsKeyId"),
            value: value(&mut fields)?,
            partner: fields.text("Type"),
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
        Operation::CancelRotateSecret => Call::Write(Write::CancelRotateSecret(
            CancelRotateSecret::new(fields.required_text("SecretId")),
        )),
        Operation::RotateSecret => Call::Write(Write::RotateSecret(RotateSecret {
            secret_id: fields.required_text("SecretId"),
            client_request_token: fields.text("ClientRequestToken"),
            rotation_lambda_arn: fields.text("RotationLambdaARN"),
            rotation_rules: fields.structure("RotationRules").map(|mut fields| RotationRules {
                automatically_after_days: fields.number("AutomaticallyAfterDays"),
                duration: fields.text("Duration"),
                schedule_expression: fields.text("ScheduleExpression"),
            }),
            rotate_immediately: fields.boolean("RotateImmediately"),
            external_metadata: external_metadata(&mut fields),
            external_role_arn: fields.text("ExternalSecretRotationRoleArn"),
        })),
        Operation::RestoreSecret => {
            Call::Write(Write::RestoreSecret(RestoreSecret::new(fields.required_text("SecretId"))))
        }
        Operation::TagResource => Call::Write(Write::TagResource(TagResource {
            secret_id: fields.required_text("SecretId"),
            tags: tags(&mut fields).unwrap_or_default(),
        })),
        Operation::UntagResource => Call::Write(Write::UntagResource(UntagResource {
            secret_id: fields.required_text("SecretId"),
            tag_keys: fields.texts("TagKeys").unwrap_or_default(),
        })),
        Operation::BatchGetSecretValue => {
            Call::Read(Read::BatchGetSecretValue(BatchGetSecretValue {
                secret_id_list: fields.texts("SecretIdList"),
                filters: filters(&mut fields),
                max_results: fields.number("MaxResults"),
                next_token: fields.text("NextToken"),
            }))
        }
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
        Operation::StopReplicationToReplica => Call::Write(Write::StopReplicationToReplica(
            StopReplicationToReplica::new(fields.required_text("SecretId")),
        )),
        Operation::AssociateCrossAccountReplica => {
            Call::Write(Write::AssociateCrossAccountReplica(AssociateCrossAccountReplica {
                secret_id: fields.required_text("SecretId"),
                replica_arn: fields.required_text("CrossAccountReplicaARN"),
                replica_restriction: fields.text("ReplicaRestriction"),
                replication_role_arn: fields.text("ReplicationRoleARN"),
            }))
        }
        Operation::DisassociateCrossAccountReplica => {
            Call::Write(Write::DisassociateCrossAccountReplica(DisassociateCrossAccountReplica {
                secret_id: fields.required_text("SecretId"),
                replica_arn: fields.required_text("CrossAccountReplicaARN"),
            }))
        }
        Operation::DescribeSecret => {
            Call::Read(Read::DescribeSecret(DescribeSecret::new(fields.required_text("SecretId"))))
        }
        Operation::GetRandomPassword => Call::Read(Read::GetRandomPassword(GetRandomPassword {
            password_length: fields.number("PasswordLength"),
            exclude_characters: fields.text("ExcludeCharacters"),
            exclude_numbers: fields.boolean("ExcludeNumbers"),
            exclude_punctuation: fields.boolean("ExcludePunctuation"),
            exclude_uppercase: fields.boolean("ExcludeUppercase"),
            exclude_lowercase: fields.boolean("ExcludeLowercase"),
            include_space: fields.boolean("IncludeSpace"),
            require_each_included_type: fields.boolean("RequireEachIncludedType"),
        })),
        Operation::PutResourcePolicy => Call::Write(Write::PutResourcePolicy(PutResourcePolicy {
            secret_id: fields.required_text("SecretId"),
            resource_policy: fields.required_text("ResourcePolicy"),
            policy_name: fields.text("PolicyName"),
            block_public_policy: fields.boolean("BlockPublicPolicy"),
        })),
        Operation::DeleteResourcePolicy => {
            Call::Write(Write::DeleteResourcePolicy(DeleteResourcePolicy {
                secret_id: fields.required_text("SecretId"),
                policy_name: fields.text("PolicyName"),
            }))
        }
        Operation::GetResourcePolicy => Call::Read(Read::GetResourcePolicy(GetResourcePolicy {
            secret_id: fields.required_text("SecretId"),
            policy_name: fields.text("PolicyName"),
        })),
        Operation::GetSecretValue => Call::Read(Read::GetSecretValue(GetSecretValue {
            secret_id: fields.required_text("SecretId"),
            version_id: fields.text("VersionId"),
            version_stage: fields.text("VersionStage"),
        })),
        Operation::ListResourcePolicies => {
            Call::Read(Read::ListResourcePolicies(ListResourcePolicies {
                secret_id: fields.required_text("SecretId"),
                max_results: fields.number("MaxResults"),
                next_token: fields.text("NextToken"),
            }))
        }
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
            filters: filters(&mut fields),
            sort_order: fields.text("SortOrder"),
            sort_by: fields.text("SortBy"),
        })),
        Operation::ValidateResourcePolicy => {
            Call::Read(Read::ValidateResourcePolicy(ValidateResourcePolicy {
                secret_id: fields.text("SecretId"),
                resource_policy: fields.required_text("ResourcePolicy"),
            }))
        }
    })
}

/// A tag without a key reads as an empty key, which the rules refuse by its length.
fn tags(fields: &mut Fields) -> Option<Vec<Tag>> {
    fields.structures("Tags", |mut fields| Tag {
        key: fields.text("Key").unwrap_or_default(),
        value: fields.text("Value").unwrap_or_default(),
    })
}

/// An item without key or value reads as one with an empty text, which the rules refuse by its length.
fn external_metadata(fields: &mut Fields) -> Option<Vec<ExternalMetadata>> {
    fields.structures("ExternalSecretRotationMetadata", |mut fields| ExternalMetadata {
        key: fields.text("Key").unwrap_or_default(),
        value: fields.text("Value").unwrap_or_default(),
    })
}

fn filters(fields: &mut Fields) -> Option<Vec<Filter>> {
    fields.structures("Filters", |mut fields| Filter {
        key: fields.text("Key"),
        values: fields.texts("Values"),
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
        (Some(_), Some(_)) => Err(Failure::Fault(messages::two_values())),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;
    use crate::semantics::FaultKind;
    use crate::wire::json::parse;

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
    fn a_rotation_keeps_every_member() {
        let json = r#"{"SecretId":"s","ClientRequestToken":"t","RotationLambdaARN":"f",
            "RotationRules":{"AutomaticallyAfterDays":7,"Duration":"3h","ScheduleExpression":"e"},
            "RotateImmediately":false,"ExternalSecretRotationRoleArn":"r",
            "ExternalSecretRotationMetadata":[{"Key":"k","Value":"v"},{}]}"#;
        let Call::Write(Write::RotateSecret(request)) = call(Operation::RotateSecret, json) else {
            panic!("a rotation is a write");
        };
        assert_eq!(request.client_request_token.as_deref(), Some("t"));
        assert_eq!(request.rotation_lambda_arn.as_deref(), Some("f"));
        assert_eq!(request.rotate_immediately, Some(false));
        assert_eq!(request.external_role_arn.as_deref(), Some("r"));
        let items = request.external_metadata.unwrap();
        assert_eq!((items[0].key.as_str(), items[0].value.as_str()), ("k", "v"));
        assert_eq!((items[1].key.as_str(), items[1].value.as_str()), ("", ""));
        let rules = request.rotation_rules.unwrap();
        assert_eq!(rules.automatically_after_days, Some(7));
        assert_eq!(rules.duration.as_deref(), Some("3h"));
        assert_eq!(rules.schedule_expression.as_deref(), Some("e"));
        let json = r#"{"SecretId":"s","RotationRules":null}"#;
        let Call::Write(Write::RotateSecret(request)) = call(Operation::RotateSecret, json) else {
            panic!("a rotation is a write");
        };
        assert_eq!((request.rotation_rules, request.rotate_immediately), (None, None));
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
