//! Requests and answers about resource policies.

/// `PutResourcePolicy`.
#[derive(Clone, Debug, Default)]
pub struct PutResourcePolicy {
    /// `SecretId`
    pub secret_id: String,
    /// `ResourcePolicy`: kept byte for byte.
    pub resource_policy: String,
    /// `PolicyName`: `default` or absent.
    pub policy_name: Option<String>,
    /// `BlockPublicPolicy`
    pub block_public_policy: Option<bool>,
}

/// `GetResourcePolicy`, `DeleteResourcePolicy`.
#[derive(Clone, Debug, Default)]
pub struct ResourcePolicyId {
    /// `SecretId`
    pub secret_id: String,
    /// `PolicyName`; absent: `default`.
    pub policy_name: Option<String>,
}

impl ResourcePolicyId {
    /// The policy that users attach to this secret.
    #[must_use]
    pub fn new(secret_id: impl Into<String>) -> Self {
        Self { secret_id: secret_id.into(), policy_name: None }
    }
}

/// `ValidateResourcePolicy`.
#[derive(Clone, Debug, Default)]
pub struct ValidateResourcePolicy {
    /// `SecretId`, if the policy is meant for a secret that is there.
    pub secret_id: Option<String>,
    /// `ResourcePolicy`
    pub resource_policy: String,
}

/// `ListResourcePolicies`.
#[derive(Clone, Debug, Default)]
pub struct ListResourcePolicies {
    /// `SecretId`
    pub secret_id: String,
    /// `MaxResults`, 1 to 100.
    pub max_results: Option<i64>,
    /// `NextToken`
    pub next_token: Option<String>,
}

/// Answer of `PutResourcePolicy` and `DeleteResourcePolicy`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyNamed {
    /// `ARN`
    pub arn: String,
    /// `Name`
    pub name: String,
    /// `PolicyName`, if the request named it.
    pub policy_name: Option<String>,
}

/// Answer of `GetResourcePolicy`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourcePolicy {
    /// `ARN`
    pub arn: String,
    /// `Name`
    pub name: String,
    /// `ResourcePolicy`
    pub policy: Option<String>,
    /// `PolicyName`, if the request named it.
    pub policy_name: Option<String>,
}

/// Answer of `ValidateResourcePolicy`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyValidation {
    /// `ValidationErrors`; empty means that `PolicyValidationPassed`.
    pub errors: Vec<PolicyFinding>,
}

/// One of `ValidationErrors`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyFinding {
    /// `CheckName`
    pub check_name: String,
    /// `ErrorMessage`
    pub error_message: String,
}

/// Answer of `ListResourcePolicies`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyPage {
    /// `PolicyName` of each of `ResourcePolicies`.
    pub policy_names: Vec<String>,
    /// `NextToken`
    pub next_token: Option<String>,
}
