//! The JSON of responses, to the byte.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod command;
mod server;

use super::*;
use crate::env::UnixMillis;
use crate::model::VersionId;
use crate::model::api::{DescribeSecretResponse, GetSecretValueResponse};
use crate::secret::SecretValue;

const V1: &str = "11111111-1111-1111-1111-111111111111";

fn server(response: &impl Structure) -> String {
    written(response, Style::Server)
}

fn written(response: &impl Structure, style: Style) -> String {
    String::from_utf8(to_json(response, style).unwrap().to_vec()).unwrap()
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

fn value(value: SecretValue) -> GetSecretValueResponse {
    GetSecretValueResponse {
        arn: "a".into(),
        name: "n".into(),
        version_id: VersionId::parse(V1).unwrap(),
        value,
        version_stages: vec!["AWSCURRENT".into()],
        created_date: UnixMillis(1),
    }
}
