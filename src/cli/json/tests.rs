#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::*;
use crate::model::api::{PrimaryDescription, ReplicaDescription, RotationRules};
use crate::model::{CrossAccountStatus, External, ExternalMetadata, ReplicaStatus, Tag};
use serde_json::{Value, json};

const ID: &str = "EXAMPLE1-90ab-cdef-fedc-ba987SECRET1";
const ARN: &str = "arn:aws:secretsmanager:us-east-1:000000000000:secret:n-AbCdEf";

fn parsed(bytes: Result<SecretBytes, Failure>) -> Value {
    serde_json::from_slice(bytes.unwrap().expose()).unwrap()
}

fn version_id() -> VersionId {
    VersionId::parse(ID).unwrap()
}

fn output(value: SecretValue, stages: &[&str]) -> GetSecretValueResponse {
    GetSecretValueResponse {
        arn: ARN.into(),
        name: "n".into(),
        version_id: version_id(),
        value,
        version_stages: stages.iter().map(|stage| (*stage).to_owned()).collect(),
        created_date: UnixMillis(1_523_477_145_713),
    }
}

fn described() -> DescribeSecretResponse {
    DescribeSecretResponse {
        arn: ARN.into(),
        name: "n".into(),
        description: None,
        kms_key_id: None,
        created_date: UnixMillis(1000),
        last_changed_date: UnixMillis(2500),
        last_accessed_date: None,
        deleted_date: None,
        tags: None,
        versions_to_stages: vec![],
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
fn partners_and_other_accounts_are_shown() {
    let item = ExternalMetadata { key: "k".into(), value: "v".into() };
    let status = CrossAccountStatus::InSync;
    let found = DescribeSecretResponse {
        external: Some(External {
            partner: "p".into(),
            metadata: vec![item],
            role: Some("r".into()),
        }),
        cross_account_primary: Some(PrimaryDescription { arn: "a".into(), status }),
        cross_account_replica: Some(ReplicaDescription { arn: "b".into(), role: None, status }),
        ..described()
    };
    let expected = json!({
        "ARN": ARN, "Name": "n", "Type": "p", "LastChangedDate": 2.5, "CreatedDate": 1.0,
        "ExternalSecretRotationMetadata": [{"Key": "k", "Value": "v"}],
        "ExternalSecretRotationRoleArn": "r",
        "CrossAccountPrimary": {"PrimarySecretARN": "a", "ReplicationStatus": "InSync"},
        "CrossAccountReplicas": [{"ReplicaSecretARN": "b", "ReplicationStatus": "InSync"}],
    });
    assert_eq!(parsed(description(&found)), expected);
}

#[test]
fn a_text_value_is_a_secret_string() {
    let text = "a\"\\\n\u{0}\u{e9}\u{1f600}";
    let shown = parsed(value(&output(SecretValue::text(text), &["AWSCURRENT"])));
    let expected = json!({
        "ARN": ARN, "Name": "n", "VersionId": ID, "SecretString": text,
        "VersionStages": ["AWSCURRENT"], "CreatedDate": 1_523_477_145.713,
    });
    assert_eq!(shown, expected);
}

#[test]
fn a_binary_value_is_base64_and_no_labels_is_no_member() {
    let shown = parsed(value(&output(SecretValue::binary(vec![0, 255, 1]), &[])));
    assert_eq!(shown["SecretBinary"], "AP8B");
    assert!(shown.get("SecretString").is_none());
    assert!(shown.get("VersionStages").is_none());
}

#[test]
fn the_longest_value_of_the_worst_characters_fits_its_buffer() {
    let text = "\u{1}".repeat(65_536);
    let shown = parsed(value(&output(SecretValue::text(text.clone()), &[])));
    assert_eq!(shown["SecretString"], text);
}

#[test]
fn absent_members_are_left_out_and_present_ones_have_their_aws_names() {
    let bare = json!({"ARN": ARN, "Name": "n", "CreatedDate": 1.0, "LastChangedDate": 2.5});
    assert_eq!(parsed(description(&described())), bare);
    let full = DescribeSecretResponse {
        description: Some("d".into()),
        kms_key_id: Some("k".into()),
        last_accessed_date: Some(UnixMillis(0)),
        deleted_date: Some(UnixMillis(5)),
        tags: Some(vec![Tag { key: "a".into(), value: "b".into() }]),
        versions_to_stages: vec![(version_id(), vec!["AWSCURRENT".into()])],
        owning_service: Some("o".into()),
        primary_region: Some("us-east-1".into()),
        replication_status: Some(vec![ReplicationStatus {
            region: "eu-west-1".into(),
            kms_key_id: "alias/aws/secretsmanager".into(),
            status: ReplicaStatus::Failed,
            status_message: Some("m".into()),
        }]),
        ..described()
    };
    let expected = json!({
        "ARN": ARN, "Name": "n", "Description": "d", "KmsKeyId": "k", "CreatedDate": 1.0,
        "LastChangedDate": 2.5, "LastAccessedDate": 0.0, "DeletedDate": 0.005,
        "Tags": [{"Key": "a", "Value": "b"}], "OwningService": "o",
        "VersionIdsToStages": {ID: ["AWSCURRENT"]}, "PrimaryRegion": "us-east-1",
        "ReplicationStatus": [{"Region": "eu-west-1", "KmsKeyId": "alias/aws/secretsmanager",
            "Status": "Failed", "StatusMessage": "m"}],
    });
    assert_eq!(parsed(description(&full)), expected);
    let listed = parsed(list(&[full]));
    let entry = &listed["SecretList"][0];
    assert_eq!(entry["SecretVersionsToStages"], json!({ID: ["AWSCURRENT"]}));
    assert!(entry.get("VersionIdsToStages").is_none());
}

#[test]
fn the_tags_of_a_secret_that_lost_them_are_an_empty_list() {
    let found = DescribeSecretResponse { tags: Some(vec![]), ..described() };
    assert_eq!(parsed(description(&found))["Tags"], json!([]));
}

#[test]
fn writes_answer_with_what_aws_answers() {
    let made = VersionResponse {
        arn: ARN.into(),
        name: "n".into(),
        version_id: Some(version_id()),
        version_stages: vec![],
        replication_status: None,
    };
    assert_eq!(parsed(written(&made)), json!({"ARN": ARN, "Name": "n", "VersionId": ID}));
    let put = VersionResponse { version_stages: vec!["S".into()], ..made };
    assert_eq!(parsed(written(&put))["VersionStages"], json!(["S"]));
    let gone =
        DeleteSecretResponse { arn: ARN.into(), name: "n".into(), deletion_date: UnixMillis(1500) };
    let expected = json!({"ARN": ARN, "Name": "n", "DeletionDate": 1.5});
    assert_eq!(parsed(deleted(&gone)), expected);
    let back = SecretResponse { arn: ARN.into(), name: "n".into() };
    assert_eq!(parsed(named(&back)), json!({"ARN": ARN, "Name": "n"}));
}

#[test]
fn versions_have_their_aws_names() {
    let entry = SecretVersionsListEntry {
        version_id: version_id(),
        version_stages: vec![],
        created_date: UnixMillis(1000),
        last_accessed_date: None,
        kms_key_ids: vec!["DefaultEncryptionKey".into()],
    };
    let page = ListSecretVersionIdsResponse {
        arn: ARN.into(),
        name: "n".into(),
        versions: vec![entry],
        next_token: None,
    };
    let expected = json!({"ARN": ARN, "Name": "n", "Versions": [
        {"VersionId": ID, "CreatedDate": 1.0, "KmsKeyIds": ["DefaultEncryptionKey"]},
    ]});
    assert_eq!(parsed(versions(&page)), expected);
}

#[test]
fn a_list_of_credentials_has_no_secret_half() {
    let pair = || Credential {
        access_key_id: "AKIA1".into(),
        account: "000000000000".into(),
        secret_access_key: SecretBytes::copy_from(b"hunter2"),
    };
    assert!(!parsed(credentials(&[pair()])).to_string().contains("hunter2"));
    assert_eq!(parsed(credential(&pair()))["SecretAccessKey"], "hunter2");
}

#[test]
fn rotation_has_the_members_of_aws() {
    let rotation = RotationDescription {
        rotation_enabled: true,
        rotation_lambda_arn: Some("f".into()),
        rotation_rules: Some(RotationRules {
            automatically_after_days: Some(7),
            ..RotationRules::default()
        }),
        last_rotated_date: None,
        next_rotation_date: Some(UnixMillis(1500)),
    };
    let found = DescribeSecretResponse { rotation: Some(rotation), ..described() };
    let expected = json!({
        "ARN": ARN, "Name": "n", "CreatedDate": 1.0, "LastChangedDate": 2.5,
        "RotationEnabled": true, "RotationLambdaARN": "f", "NextRotationDate": 1.5,
        "RotationRules": {"AutomaticallyAfterDays": 7},
    });
    assert_eq!(parsed(description(&found)), expected);
}
