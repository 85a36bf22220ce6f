//! Requests and responses about rotation.

use super::request::request;
use super::responses::VersionResponse;
use crate::env::UnixMillis;
use crate::model::external::ExternalMetadata;
use crate::model::rotation::RotationRules;

request! {
    /// `RotateSecret`: what is absent is as it was configured before.
    #[derive(Clone, Debug, Default)]
    RotateSecret {
        required {
            /// `SecretId`: name or ARN.
            secret_id: String,
        }
        optional {
            /// `ClientRequestToken`, 32 to 64 characters; becomes the `VersionId` of the new version.
            /// The vault's methods draw one if it is absent.
            client_request_token: String,
            /// `RotationLambdaARN`, at most 2048 characters.
            rotation_lambda_arn: String,
            /// `RotationRules`
            rotation_rules: RotationRules,
            /// `RotateImmediately`; absent: true.
            rotate_immediately: bool,
            /// `ExternalSecretRotationRoleArn`
            external_role_arn: String,
        }
        list {
            /// `ExternalSecretRotationMetadata`
            external_metadata: ExternalMetadata,
        }
    }
}

/// Response of `RotateSecret`.
pub type RotateSecretResponse = VersionResponse;

request! {
    /// `CancelRotateSecret`.
    #[derive(Clone, Debug, Default)]
    CancelRotateSecret {
        required {
            /// `SecretId`: name or ARN.
            secret_id: String,
        }
    }
}

/// Response of `CancelRotateSecret`.
pub type CancelRotateSecretResponse = VersionResponse;

/// What `DescribeSecret` and `ListSecrets` show of rotation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RotationDescription {
    /// `RotationEnabled`
    pub rotation_enabled: bool,
    /// `RotationLambdaARN`, unless a partner rotates it.
    pub rotation_lambda_arn: Option<String>,
    /// `RotationRules`
    pub rotation_rules: Option<RotationRules>,
    /// `LastRotatedDate`
    pub last_rotated_date: Option<UnixMillis>,
    /// `NextRotationDate`
    pub next_rotation_date: Option<UnixMillis>,
}
