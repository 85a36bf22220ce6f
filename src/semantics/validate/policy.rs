//! The checks of requests about resource policies.

use super::constraint::Violations;
use super::members::{page, secret_id_length};
use super::names::reference;
use crate::model::SecretRef;
use crate::model::api::{ListResourcePolicies, PutResourcePolicy, ValidateResourcePolicy};
use crate::model::limits;
use crate::semantics::fault::Fault;

/// `ResourcePolicyNameType` of the API model, as it stands in the message.
const NAME_PATTERN: &str = r"[0-9A-Za-z\-\_]+";

/// Checks `PutResourcePolicy`. The policy itself is read after the secret was found.
pub fn put_resource_policy(request: &PutResourcePolicy) -> Result<SecretRef, Fault> {
    let mut found = Violations::default();
    secret_id_length(&mut found, &request.secret_id);
    text(&mut found, &request.resource_policy);
    name(&mut found, request.policy_name.as_deref());
    found.into_result()?;
    reference(&request.secret_id)
}

/// Checks `GetResourcePolicy` and `DeleteResourcePolicy`.
pub fn resource_policy_id(id: &str, policy_name: Option<&str>) -> Result<SecretRef, Fault> {
    let mut found = Violations::default();
    secret_id_length(&mut found, id);
    name(&mut found, policy_name);
    found.into_result()?;
    reference(id)
}

/// Checks `ListResourcePolicies`.
pub fn list_resource_policies(request: &ListResourcePolicies) -> Result<SecretRef, Fault> {
    let mut found = Violations::default();
    secret_id_length(&mut found, &request.secret_id);
    page(&mut found, request.max_results, request.next_token.as_deref(), limits::PAGE_MAX);
    found.into_result()?;
    reference(&request.secret_id)
}

/// Checks `ValidateResourcePolicy`.
pub fn validate_resource_policy(
    request: &ValidateResourcePolicy,
) -> Result<Option<SecretRef>, Fault> {
    let mut found = Violations::default();
    if let Some(id) = &request.secret_id {
        secret_id_length(&mut found, id);
    }
    text(&mut found, &request.resource_policy);
    found.into_result()?;
    request.secret_id.as_deref().map(reference).transpose()
}

fn text(found: &mut Violations, policy: &str) {
    found.text("resourcePolicy", policy, 1, limits::POLICY_CHARS_MAX);
}

fn name(found: &mut Violations, name: Option<&str>) {
    if let Some(name) = name {
        let is_legal = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
        found.text("policyName", name, 1, limits::POLICY_NAME_CHARS_MAX);
        found.pattern("policyName", name, NAME_PATTERN, is_legal && !name.is_empty());
    }
}
