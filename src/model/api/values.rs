//! Requests and responses about values, their versions and the labels on them.

use super::paged::paged;
use super::request::request;
use super::responses::{SecretResponse, VersionResponse};
use super::secrets::Filter;
use crate::env::UnixMillis;
use crate::model::name::VersionId;
use crate::model::rotation_token::RotationToken;
use crate::secret::SecretValue;

request! {
    /// `PutSecretValue`.
    #[derive(Debug)]
    PutSecretValue<V = SecretValue> {
        required {
            /// `SecretId`: name or ARN.
            secret_id: String,
        }
        given {
            /// `SecretString` or `SecretBinary`, 1 to 65536 bytes.
            value: V,
        }
        optional {
            /// `ClientRequestToken`, 32 to 64 characters; becomes the `VersionId`. The vault's methods
            /// draw one if it is absent.
            client_request_token: String,
            /// `RotationToken`, 36 to 256 characters; checked and not kept.
            rotation_token: RotationToken,
        }
        list {
            /// `VersionStages`, 1 to 20; absent: `AWSCURRENT`.
            version_stages: String,
        }
    }
}

/// Response of `PutSecretValue`.
pub type PutSecretValueResponse = VersionResponse;

request! {
    /// `GetSecretValue`: the current value unless a version or a stage is named.
    #[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
    GetSecretValue {
        required {
            /// `SecretId`: name or ARN.
            secret_id: String,
        }
        optional {
            /// `VersionId`, 32 to 64 characters.
            version_id: String,
            /// `VersionStage`, 1 to 256 characters.
            version_stage: String,
        }
    }
}

/// Response of `GetSecretValue`.
#[derive(Debug)]
pub struct GetSecretValueResponse {
    /// `ARN`
    pub arn: String,
    /// `Name`
    pub name: String,
    /// `VersionId`
    pub version_id: VersionId,
    /// `SecretString` or `SecretBinary`
    pub value: SecretValue,
    /// `VersionStages`; omitted on the wire when empty.
    pub version_stages: Vec<String>,
    /// `CreatedDate` of the version.
    pub created_date: UnixMillis,
}

request! {
    /// `BatchGetSecretValue`: either ids or filters.
    #[derive(Clone, Debug, Default)]
    BatchGetSecretValue {
        required {}
        optional {
            /// `MaxResults`, 1 to 20; with filters only.
            max_results: i64,
            /// `NextToken` of the page before.
            next_token: String,
        }
        list {
            /// `SecretIdList`, 1 to 20 names or ARNs.
            secret_id_list: String,
            /// `Filters`, at most 10; a secret is read if all fit.
            filters: Filter,
        }
    }
}

/// Response of `BatchGetSecretValue`.
#[derive(Debug)]
pub struct BatchGetSecretValueResponse {
    /// `SecretValues`
    pub values: Vec<SecretValueEntry>,
    /// `NextToken`, if there is more.
    pub next_token: Option<String>,
    /// `Errors`
    pub errors: Vec<ApiErrorType>,
}

/// An entry of `SecretValues`: what `GetSecretValue` gives for the secret.
pub type SecretValueEntry = GetSecretValueResponse;

/// One of `Errors` (`APIErrorType`): why a secret of a batch has no value in the response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiErrorType {
    /// `SecretId` as it was asked for.
    pub secret_id: String,
    /// `ErrorCode`: the exception's name.
    pub error_code: String,
    /// `Message`
    pub message: String,
}

request! {
    /// `ListSecretVersionIds`.
    #[derive(Clone, Debug, Default)]
    ListSecretVersionIds {
        required {
            /// `SecretId`: name or ARN.
            secret_id: String,
        }
        optional {
            /// `MaxResults`, 1 to 100; absent: 100.
            max_results: i64,
            /// `NextToken` of the page before.
            next_token: String,
            /// `IncludeDeprecated`: shows versions without labels too.
            include_deprecated: bool,
        }
    }
}

/// Response of `ListSecretVersionIds`: a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListSecretVersionIdsResponse {
    /// `ARN`
    pub arn: String,
    /// `Name`
    pub name: String,
    /// `Versions`, oldest first.
    pub versions: Vec<SecretVersionsListEntry>,
    /// `NextToken`, if there is more.
    pub next_token: Option<String>,
}

paged!(ListSecretVersionIds: versions of SecretVersionsListEntry);

/// An entry of `Versions`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretVersionsListEntry {
    /// `VersionId`
    pub version_id: VersionId,
    /// `VersionStages`; omitted on the wire when empty.
    pub version_stages: Vec<String>,
    /// `CreatedDate`
    pub created_date: UnixMillis,
    /// `LastAccessedDate`: midnight UTC of the day.
    pub last_accessed_date: Option<UnixMillis>,
    /// `KmsKeyIds`: `["DefaultEncryptionKey"]` for the default key.
    pub kms_key_ids: Vec<String>,
}

request! {
    /// `UpdateSecretVersionStage`.
    #[derive(Clone, Debug, Default)]
    UpdateSecretVersionStage {
        required {
            /// `SecretId`: name or ARN.
            secret_id: String,
            /// `VersionStage`, 1 to 256 characters.
            version_stage: String,
        }
        optional {
            /// `RemoveFromVersionId`: the version that has the label.
            remove_from_version_id: String,
            /// `MoveToVersionId`: the version that gets it.
            move_to_version_id: String,
        }
    }
}

/// Response of `UpdateSecretVersionStage`.
pub type UpdateSecretVersionStageResponse = SecretResponse;
