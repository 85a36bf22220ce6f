//! What the server sends, to the byte.

use super::*;
use crate::error::ErrorKind;
use crate::model::api::{
    BatchGetSecretValueResponse, GetResourcePolicyResponse, ListResourcePoliciesResponse,
    ListSecretVersionIdsResponse, ListSecretsResponse, PolicyResponse, PrimaryDescription,
    ReplicaDescription, RotationDescription, RotationRules, SecretVersionsListEntry,
    ValidateResourcePolicyResponse, ValidationErrorsEntry, VersionResponse,
};
use crate::model::{CrossAccountStatus, External, ExternalMetadata, Tag};
use crate::secret::SecretBytes;

#[test]
fn what_is_not_there_is_left_out() {
    assert_eq!(
        server(&bare()),
        r#"{"ARN":"arn","Name":"n","LastChangedDate":1700000001.0,"CreatedDate":1700000000.123}"#
    );
    let written = VersionResponse {
        arn: "a".into(),
        name: "n".into(),
        version_id: None,
        version_stages: Vec::new(),
        replication_status: None,
    };
    assert_eq!(server(&written), r#"{"ARN":"a","Name":"n"}"#);
}

#[test]
fn a_full_description_has_the_order_of_the_model() {
    let full = DescribeSecretResponse {
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
    assert_eq!(server(&full), expected);
    let page = ListSecretsResponse { secrets: vec![full], next_token: Some("t".into()) };
    let listed = expected.replace("VersionIdsToStages", "SecretVersionsToStages");
    let expected = format!(r#"{{"SecretList":[{listed}],"NextToken":"t"}}"#);
    assert_eq!(server(&page), expected);
}

#[test]
fn rotation_is_shown_where_the_model_has_it() {
    let rotation = RotationDescription {
        rotation_enabled: false,
        rotation_lambda_arn: Some("f".into()),
        rotation_rules: None,
        last_rotated_date: None,
        next_rotation_date: None,
    };
    let bare = DescribeSecretResponse { rotation: Some(rotation.clone()), ..bare() };
    assert_eq!(
        server(&bare),
        r#"{"ARN":"arn","Name":"n","RotationEnabled":false,"RotationLambdaARN":"f","LastChangedDate":1700000001.0,"CreatedDate":1700000000.123}"#
    );
    let rules = RotationRules {
        automatically_after_days: Some(7),
        duration: Some("3h".into()),
        schedule_expression: Some("e".into()),
    };
    let rotation = RotationDescription {
        rotation_enabled: true,
        rotation_rules: Some(rules),
        last_rotated_date: Some(UnixMillis(1500)),
        next_rotation_date: Some(UnixMillis(2000)),
        ..rotation
    };
    let full = DescribeSecretResponse { rotation: Some(rotation), ..bare };
    assert_eq!(
        server(&full),
        r#"{"ARN":"arn","Name":"n","RotationEnabled":true,"RotationLambdaARN":"f","RotationRules":{"AutomaticallyAfterDays":7,"Duration":"3h","ScheduleExpression":"e"},"LastRotatedDate":1.5,"LastChangedDate":1700000001.0,"NextRotationDate":2.0,"CreatedDate":1700000000.123}"#
    );
}

#[test]
fn partners_and_other_accounts_are_shown_where_the_model_has_them() {
    let rotation = RotationDescription {
        rotation_enabled: true,
        rotation_lambda_arn: None,
        rotation_rules: None,
        last_rotated_date: Some(UnixMillis(1500)),
        next_rotation_date: None,
    };
    let item = ExternalMetadata { key: "k".into(), value: "v".into() };
    let external = External { partner: "p".into(), metadata: vec![item], role: Some("r".into()) };
    let status = CrossAccountStatus::Detached;
    let full = DescribeSecretResponse {
        description: Some("d".into()),
        rotation: Some(rotation),
        external: Some(external),
        primary_region: Some("us-east-1".into()),
        cross_account_primary: Some(PrimaryDescription { arn: "a".into(), status }),
        cross_account_replica: Some(ReplicaDescription {
            arn: "b".into(),
            role: Some("r".into()),
            status: CrossAccountStatus::InSync,
        }),
        ..bare()
    };
    assert_eq!(
        server(&full),
        r#"{"ARN":"arn","Name":"n","Type":"p","Description":"d","RotationEnabled":true,"ExternalSecretRotationMetadata":[{"Key":"k","Value":"v"}],"ExternalSecretRotationRoleArn":"r","LastRotatedDate":1.5,"LastChangedDate":1700000001.0,"CreatedDate":1700000000.123,"PrimaryRegion":"us-east-1","CrossAccountPrimary":{"PrimarySecretARN":"a","ReplicationStatus":"Detached"},"CrossAccountReplicas":[{"ReplicaSecretARN":"b","ReplicationRoleARN":"r","ReplicationStatus":"InSync"}]}"#
    );
    let external = Some(External::of("p"));
    let least = DescribeSecretResponse { external, ..bare() };
    assert_eq!(
        server(&least),
        r#"{"ARN":"arn","Name":"n","Type":"p","LastChangedDate":1700000001.0,"CreatedDate":1700000000.123}"#
    );
}

#[test]
fn removed_tags_are_an_empty_list() {
    let tagless = DescribeSecretResponse { tags: Some(Vec::new()), ..bare() };
    assert!(server(&tagless).contains(r#""Tags":[]"#));
}

#[test]
fn a_version_without_labels_has_no_list_of_them() {
    let page = ListSecretVersionIdsResponse {
        arn: "a".into(),
        name: "n".into(),
        versions: vec![SecretVersionsListEntry {
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
    assert_eq!(server(&page), expected);
}

#[test]
fn a_value_keeps_its_kind_and_every_byte() {
    let expected = format!(
        r#"{{"ARN":"a","Name":"n","VersionId":"{V1}","SecretString":"\u0000\"{}","VersionStages":["AWSCURRENT"],"CreatedDate":0.001}}"#,
        '\u{1f600}'
    );
    assert_eq!(server(&value(SecretValue::text("\0\"\u{1f600}"))), expected);
    let json = server(&value(SecretValue::binary([0, 255])));
    assert!(json.contains(r#""SecretBinary":"AP8=","VersionStages""#));
}

/// Growing would copy the values that were written already.
#[test]
fn a_batch_has_room_for_all_values_from_the_start() {
    let bytes = 65_536;
    let long = |value| GetSecretValueResponse { arn: "a".repeat(600), ..self::value(value) };
    let values = vec![
        long(SecretValue::text("x".repeat(bytes))),
        long(SecretValue::binary(vec![255; bytes])),
    ];
    let batch = BatchGetSecretValueResponse { values, next_token: None, errors: Vec::new() };
    let json = to_json(&batch, Style::Server).unwrap();
    assert_eq!(json.capacity(), batch.room());
}

#[test]
fn the_longest_value_of_the_worst_characters_is_written_whole() {
    let text = "\u{1}".repeat(65_536);
    let json = server(&value(SecretValue::text(text.as_str())));
    assert!(json.contains(&"\\u0001".repeat(65_536)));
}

/// A client prints the number as it stands, so its text is the contract (WIRE-REPLY-4).
#[test]
fn a_timestamp_always_has_a_fraction() {
    for (millis, number, decimal) in [
        (1_700_000_000_123, "1700000000.123", "1700000000.123"),
        (1_523_923_200_000, "1523923200.0", "1523923200"),
        (1_700_000_000_120, "1700000000.12", "1700000000.12"),
        (1_700_000_000_001, "1700000000.001", "1700000000.001"),
        (0, "0.0", "0"),
        (-1, "-0.001", "-0.001"),
        (253_402_300_799_999, "253402300799.999", "253402300799.999"),
    ] {
        let value = GetSecretValueResponse {
            created_date: UnixMillis(millis),
            ..value(SecretValue::text(""))
        };
        assert!(server(&value).ends_with(&format!(r#","CreatedDate":{number}}}"#)), "{millis}");
        let agent = written(&value, Style::Agent);
        assert!(agent.ends_with(&format!(r#","CreatedDate":"{decimal}"}}"#)), "{agent}");
    }
}

/// WIRE-JSON-5
#[test]
fn every_character_of_a_value_comes_back() {
    let low: String = (0..0x300).filter_map(char::from_u32).collect();
    let edges = "\u{7ff}\u{800}\u{2028}\u{2029}\u{d7ff}\u{e000}\u{fffd}\u{ffff}\u{10000}\u{10ffff}";
    for text in [low.as_str(), edges, "", "\0\0", "\\u0000", "\"\\/\u{8}\u{c}\n\r\t"] {
        let json = server(&value(SecretValue::text(text)));
        let parsed: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(parsed["SecretString"], text);
    }
}

/// Other writers escape more; clients compare bytes.
#[test]
fn only_what_must_be_escaped_is() {
    let json = server(&value(SecretValue::text("a\"\\/\u{8}\u{c}\n\r\t\0\u{1f}\u{7f}")));
    assert!(json.contains(concat!(r#""a\"\\/\b\f\n\r\t\u0000\u001f"#, "\u{7f}\"")), "{json}");
}

#[test]
fn a_text_that_is_not_utf_8_is_damage() {
    let value = value(SecretValue::String(SecretBytes::copy_from(b"\xff")));
    assert_eq!(to_json(&value, Style::Server).err().unwrap().kind(), &ErrorKind::StateBroken);
}

#[test]
fn a_policy_is_a_text_in_the_answer() {
    let mut policy = GetResourcePolicyResponse {
        arn: "a".into(),
        name: "n".into(),
        policy: None,
        policy_name: None,
    };
    assert_eq!(server(&policy), r#"{"ARN":"a","Name":"n"}"#);
    policy.policy_name = Some("default".into());
    policy.policy = Some("{\n\t\"Version\" : 1}".into());
    assert_eq!(
        server(&policy),
        r#"{"ARN":"a","Name":"n","ResourcePolicy":"{\n\t\"Version\" : 1}","PolicyName":"default"}"#
    );
}

#[test]
fn the_name_of_a_policy_is_shown_if_there_is_one() {
    let mut named = PolicyResponse { arn: "a".into(), name: "n".into(), policy_name: None };
    assert_eq!(server(&named), r#"{"ARN":"a","Name":"n"}"#);
    named.policy_name = Some("default".into());
    assert_eq!(server(&named), r#"{"ARN":"a","Name":"n","PolicyName":"default"}"#);
}

#[test]
fn lists_are_there_when_empty() {
    let page = |names: &[&str], next_token| ListResourcePoliciesResponse {
        policy_names: names.iter().map(ToString::to_string).collect(),
        next_token,
    };
    assert_eq!(server(&page(&[], None)), r#"{"ResourcePolicies":[]}"#);
    assert_eq!(
        server(&page(&["default", "x"], Some("t".into()))),
        r#"{"ResourcePolicies":[{"PolicyName":"default"},{"PolicyName":"x"}],"NextToken":"t"}"#
    );
    let mut validation = ValidateResourcePolicyResponse { errors: Vec::new() };
    assert_eq!(server(&validation), r#"{"PolicyValidationPassed":true,"ValidationErrors":[]}"#);
    let finding = ValidationErrorsEntry { check_name: "c".into(), error_message: "m".into() };
    validation.errors.push(finding);
    assert_eq!(
        server(&validation),
        r#"{"PolicyValidationPassed":false,"ValidationErrors":[{"CheckName":"c","ErrorMessage":"m"}]}"#
    );
}
