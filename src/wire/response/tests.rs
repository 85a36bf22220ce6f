//! The JSON of answers, to the byte.

use super::*;
use crate::env::UnixMillis;
use crate::model::api::{PrimaryDescription, ReplicaDescription, RotationRules};
use crate::model::{CrossAccountStatus, External, ExternalMetadata};

const V1: &str = "11111111-1111-1111-1111-111111111111";

fn text(json: &[u8]) -> &str {
    std::str::from_utf8(json).unwrap()
}

fn bare() -> DescribeSecretResponse {
    DescribeSecretResponse {
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
        rotation: None,
        primary_region: None,
        replication_status: None,
        external: None,
        cross_account_primary: None,
        cross_account_replica: None,
    }
}

#[test]
fn what_is_not_there_is_left_out() {
    assert_eq!(
        text(&description(&bare())),
        r#"{"ARN":"arn","Name":"n","LastChangedDate":1700000001.0,"CreatedDate":1700000000.123}"#
    );
    let written = VersionResponse {
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
    assert_eq!(text(&description(&full)), expected);
    let page = ListSecretsResponse { secrets: vec![full], next_token: Some("t".into()) };
    let listed = expected.replace("VersionIdsToStages", "SecretVersionsToStages");
    let expected = format!(r#"{{"SecretList":[{listed}],"NextToken":"t"}}"#);
    assert_eq!(text(&secret_page(&page)), expected);
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
        text(&description(&bare)),
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
        text(&description(&full)),
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
        text(&description(&full)),
        r#"{"ARN":"arn","Name":"n","Type":"p","Description":"d","RotationEnabled":true,"ExternalSecretRotationMetadata":[{"Key":"k","Value":"v"}],"ExternalSecretRotationRoleArn":"r","LastRotatedDate":1.5,"LastChangedDate":1700000001.0,"CreatedDate":1700000000.123,"PrimaryRegion":"us-east-1","CrossAccountPrimary":{"PrimarySecretARN":"a","ReplicationStatus":"Detached"},"CrossAccountReplicas":[{"ReplicaSecretARN":"b","ReplicationRoleARN":"r","ReplicationStatus":"InSync"}]}"#
    );
    let external = Some(External::of("p"));
    let least = DescribeSecretResponse { external, ..bare() };
    assert_eq!(
        text(&description(&least)),
        r#"{"ARN":"arn","Name":"n","Type":"p","LastChangedDate":1700000001.0,"CreatedDate":1700000000.123}"#
    );
}

#[test]
fn removed_tags_are_an_empty_list() {
    let tagless = DescribeSecretResponse { tags: Some(Vec::new()), ..bare() };
    assert!(text(&description(&tagless)).contains(r#""Tags":[]"#));
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
    assert_eq!(text(&version_page(&page)), expected);
}

#[test]
fn a_value_keeps_its_kind_and_every_byte() {
    let output = |value| GetSecretValueResponse {
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

/// A buffer that had to grow would have moved values that were written already.
#[test]
fn a_batch_has_room_for_all_values_from_the_start() {
    let output = |value| GetSecretValueResponse {
        arn: "a".repeat(600),
        name: "n".repeat(512),
        version_id: VersionId::parse(V1).unwrap(),
        value,
        version_stages: vec!["AWSCURRENT".into()],
        created_date: UnixMillis(1),
    };
    let (text, binary) = ("\u{1}".repeat(65_536), vec![255; 65_536]);
    let room = 6 * text.len() + base64_len(binary.len());
    let values = vec![output(SecretValue::text(text)), output(SecretValue::binary(binary))];
    let batch = BatchGetSecretValueResponse { values, next_token: None, errors: Vec::new() };
    let json = secret_value_batch(&batch).unwrap();
    assert!(json.len() > room);
    assert_eq!(json.capacity(), room + 3 * COMMON_BYTES);
}

#[test]
fn tagging_answers_an_empty_object() {
    let json = write(Operation::TagResource, Answer::Done).unwrap();
    assert_eq!(text(&json), "{}");
    assert!(write(Operation::TagResource, Answer::More).is_none());
}
