//! What `describe` and `list` show of partners and of replicas in other accounts.

use super::TagShape;
use crate::model::External;
use crate::model::api::DescribeSecretResponse;
use serde::Serialize;

/// `CrossAccountPrimary` and `CrossAccountReplicas`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CrossAccountShape<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    cross_account_primary: Option<PrimaryShape<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cross_account_replicas: Option<[CrossReplicaShape<'a>; 1]>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PrimaryShape<'a> {
    #[serde(rename = "PrimarySecretARN")]
    arn: &'a str,
    replication_status: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct CrossReplicaShape<'a> {
    #[serde(rename = "ReplicaSecretARN")]
    arn: &'a str,
    #[serde(rename = "ReplicationRoleARN", skip_serializing_if = "Option::is_none")]
    role: Option<&'a str>,
    replication_status: &'static str,
}

pub(super) fn cross_account_shape(found: &DescribeSecretResponse) -> CrossAccountShape<'_> {
    let primary = found.cross_account_primary.as_ref().map(|primary| PrimaryShape {
        arn: &primary.arn,
        replication_status: primary.status.name(),
    });
    let replicas = found.cross_account_replica.as_ref().map(|replica| {
        [CrossReplicaShape {
            arn: &replica.arn,
            role: replica.role.as_deref(),
            replication_status: replica.status.name(),
        }]
    });
    CrossAccountShape { cross_account_primary: primary, cross_account_replicas: replicas }
}

/// `Type` and what is known of the partner's rotation.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ExternalShape<'a> {
    #[serde(rename = "Type")]
    partner: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_secret_rotation_metadata: Option<Vec<TagShape<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_secret_rotation_role_arn: Option<&'a str>,
}

pub(super) fn external_shape(found: &External) -> ExternalShape<'_> {
    let items = found.metadata.iter();
    let items: Vec<_> = items.map(|item| TagShape { key: &item.key, value: &item.value }).collect();
    ExternalShape {
        partner: &found.partner,
        external_secret_rotation_metadata: Some(items).filter(|items| !items.is_empty()),
        external_secret_rotation_role_arn: found.role.as_deref(),
    }
}
