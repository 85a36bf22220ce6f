//! What `strongroom --output json` prints, to the byte.

use super::*;
use crate::model::api::{
    DeleteSecretResponse, ListSecretVersionIdsResponse, PrimaryDescription, ReplicaDescription,
    ReplicationStatus, RotationDescription, RotationRules, SecretResponse, SecretVersionsListEntry,
};
use crate::model::{CrossAccountStatus, External, ExternalMetadata, ReplicaStatus, Tag};

#[track_caller]
fn check(response: &impl Structure, expected: &str) {
    assert_eq!(written(response, Style::Command), expected);
}

#[test]
fn an_answer_is_indented_and_ends_its_line() {
    let named = SecretResponse { arn: "a".into(), name: "n".into() };
    check(&named, "{\n  \"ARN\": \"a\",\n  \"Name\": \"n\"\n}\n");
    let gone =
        DeleteSecretResponse { arn: "a".into(), name: "n".into(), deletion_date: UnixMillis(1500) };
    check(
        &gone,
        r#"{
  "ARN": "a",
  "Name": "n",
  "DeletionDate": 1.5
}
"#,
    );
    check(
        &value(SecretValue::binary([0, 255])),
        &format!(
            r#"{{
  "ARN": "a",
  "Name": "n",
  "VersionId": "{V1}",
  "SecretBinary": "AP8=",
  "VersionStages": [
    "AWSCURRENT"
  ],
  "CreatedDate": 0.001
}}
"#
        ),
    );
}

fn rotation() -> RotationDescription {
    RotationDescription {
        rotation_enabled: true,
        rotation_lambda_arn: Some("f".into()),
        rotation_rules: Some(RotationRules {
            automatically_after_days: Some(7),
            ..RotationRules::default()
        }),
        last_rotated_date: Some(UnixMillis(1000)),
        next_rotation_date: Some(UnixMillis(1500)),
    }
}

#[test]
fn a_description_ends_with_partner_and_rotation() {
    let item = ExternalMetadata { key: "k".into(), value: "v".into() };
    let status = CrossAccountStatus::InSync;
    let full = DescribeSecretResponse {
        description: Some("d".into()),
        kms_key_id: Some("k".into()),
        last_accessed_date: Some(UnixMillis(0)),
        deleted_date: Some(UnixMillis(5)),
        tags: Some(vec![Tag { key: "a".into(), value: "b".into() }]),
        versions_to_stages: vec![(VersionId::parse(V1).unwrap(), vec!["AWSCURRENT".into()])],
        owning_service: Some("o".into()),
        external: Some(External {
            partner: "p".into(),
            metadata: vec![item],
            role: Some("r".into()),
        }),
        rotation: Some(rotation()),
        primary_region: Some("us-east-1".into()),
        replication_status: Some(vec![ReplicationStatus {
            region: "eu-west-1".into(),
            kms_key_id: "alias/aws/secretsmanager".into(),
            status: ReplicaStatus::Failed,
            status_message: Some("m".into()),
            last_accessed_date: Some(UnixMillis(86_400_000)),
        }]),
        cross_account_primary: Some(PrimaryDescription { arn: "a".into(), status }),
        cross_account_replica: Some(ReplicaDescription { arn: "b".into(), role: None, status }),
        ..bare()
    };
    let expected = format!(
        r#"{{
  "ARN": "arn",
  "Name": "n",
  "Description": "d",
  "KmsKeyId": "k",
  "LastChangedDate": 1700000001.0,
  "LastAccessedDate": 0.0,
  "DeletedDate": 0.005,
  "Tags": [
    {{
      "Key": "a",
      "Value": "b"
    }}
  ],
  "VersionIdsToStages": {{
    "{V1}": [
      "AWSCURRENT"
    ]
  }},
  "OwningService": "o",
  "Type": "p",
  "ExternalSecretRotationMetadata": [
    {{
      "Key": "k",
      "Value": "v"
    }}
  ],
  "ExternalSecretRotationRoleArn": "r",
  "RotationEnabled": true,
  "RotationLambdaARN": "f",
  "RotationRules": {{
    "AutomaticallyAfterDays": 7
  }},
  "LastRotatedDate": 1.0,
  "NextRotationDate": 1.5,
  "CreatedDate": 1700000000.123,
  "PrimaryRegion": "us-east-1",
  "ReplicationStatus": [
    {{
      "Region": "eu-west-1",
      "KmsKeyId": "alias/aws/secretsmanager",
      "Status": "Failed",
      "StatusMessage": "m",
      "LastAccessedDate": 86400.0
    }}
  ],
  "CrossAccountPrimary": {{
    "PrimarySecretARN": "a",
    "ReplicationStatus": "InSync"
  }},
  "CrossAccountReplicas": [
    {{
      "ReplicaSecretARN": "b",
      "ReplicationStatus": "InSync"
    }}
  ]
}}
"#
    );
    check(&full, &expected);
    let listed = written(&SecretList(&[full]), Style::Command);
    assert!(listed.contains("\"SecretVersionsToStages\": {"), "{listed}");
    assert!(!listed.contains("VersionIdsToStages"), "{listed}");
    check(&SecretList(&[]), "{\n  \"SecretList\": []\n}\n");
}

#[test]
fn removed_tags_are_an_empty_list() {
    let found = DescribeSecretResponse { tags: Some(vec![]), ..bare() };
    assert!(written(&found, Style::Command).contains("\"Tags\": [],"));
}

#[test]
fn versions_have_their_aws_names() {
    let entry = SecretVersionsListEntry {
        version_id: VersionId::parse(V1).unwrap(),
        version_stages: vec![],
        created_date: UnixMillis(1000),
        last_accessed_date: None,
        kms_key_ids: vec!["DefaultEncryptionKey".into()],
    };
    let page = ListSecretVersionIdsResponse {
        arn: "a".into(),
        name: "n".into(),
        versions: vec![entry],
        next_token: None,
    };
    let expected = format!(
        r#"{{
  "Versions": [
    {{
      "VersionId": "{V1}",
      "CreatedDate": 1.0,
      "KmsKeyIds": [
        "DefaultEncryptionKey"
      ]
    }}
  ],
  "ARN": "a",
  "Name": "n"
}}
"#
    );
    check(&page, &expected);
}
