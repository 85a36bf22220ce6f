//! Requests and responses about resource policies.

use super::paged::paged;
use super::request::request;
use super::responses::PolicyResponse;

request! {
    /// `PutResourcePolicy`.
    #[derive(Clone, Debug, Default)]
    PutResourcePolicy {
        required {
            /// `SecretId`: name or ARN.
            secret_id: String,
            /// `ResourcePolicy`, 1 to 20480 characters. Reads print it anew (SEM-POLICY-1).
            resource_policy: String,
        }
        optional {
            /// `PolicyName`: `default` or absent.
            policy_name: String,
            /// `BlockPublicPolicy`: refuses a policy that gives access to everybody.
            block_public_policy: bool,
        }
    }
}

/// Response of `PutResourcePolicy`.
pub type PutResourcePolicyResponse = PolicyResponse;

/// Requests that name a policy of a secret.
macro_rules! policy_request {
    ($($(#[$about:meta])* $name:ident;)*) => {$(
        request! {
            $(#[$about])*
            #[derive(Clone, Debug, Default)]
            $name {
                required {
                    /// `SecretId`: name or ARN.
                    secret_id: String,
                }
                optional {
                    /// `PolicyName`; absent: `default`, the policy that users attach.
                    policy_name: String,
                }
            }
        }
    )*};
}

policy_request! {
    /// `GetResourcePolicy`.
    GetResourcePolicy;
    /// `DeleteResourcePolicy`.
    DeleteResourcePolicy;
}

/// Response of `DeleteResourcePolicy`.
pub type DeleteResourcePolicyResponse = PolicyResponse;

/// Response of `GetResourcePolicy`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GetResourcePolicyResponse {
    /// `ARN`
    pub arn: String,
    /// `Name`
    pub name: String,
    /// `ResourcePolicy`
    pub policy: Option<String>,
    /// `PolicyName`: that of the request, or `default`.
    pub policy_name: Option<String>,
}

request! {
    /// `ValidateResourcePolicy`.
    #[derive(Clone, Debug, Default)]
    ValidateResourcePolicy {
        required {
            /// `ResourcePolicy`, 1 to 20480 characters.
            resource_policy: String,
        }
        optional {
            /// `SecretId`, if the policy is meant for a secret that is there.
            secret_id: String,
        }
    }
}

/// Response of `ValidateResourcePolicy`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValidateResourcePolicyResponse {
    /// `ValidationErrors`; empty means that `PolicyValidationPassed`.
    pub errors: Vec<ValidationErrorsEntry>,
}

/// One of `ValidationErrors`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValidationErrorsEntry {
    /// `CheckName`
    pub check_name: String,
    /// `ErrorMessage`
    pub error_message: String,
}

request! {
    /// `ListResourcePolicies`.
    #[derive(Clone, Debug, Default)]
    ListResourcePolicies {
        required {
            /// `SecretId`: name or ARN.
            secret_id: String,
        }
        optional {
            /// `MaxResults`, 1 to 100; absent: 100.
            max_results: i64,
            /// `NextToken` of the page before.
            next_token: String,
        }
    }
}

/// Response of `ListResourcePolicies`: a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListResourcePoliciesResponse {
    /// `PolicyName` of each of `ResourcePolicies`.
    pub policy_names: Vec<String>,
    /// `NextToken`, if there is more.
    pub next_token: Option<String>,
}

paged!(ListResourcePolicies: policy_names of String);
