//! Members of requests about resource policies.

use super::constraint::Violations;
use super::members::secret_id_length;
use super::names::reference;
use crate::model::{SecretRef, limits};
use crate::semantics::fault::Fault;

/// `ResourcePolicyNameType` of the API model, as it stands in the message.
const NAME_PATTERN: &str = r"[0-9A-Za-z\-\_]+";

/// Checks a request that names a secret and one of its policies.
pub(crate) fn policy_of(secret_id: &str, policy_name: Option<&str>) -> Result<SecretRef, Fault> {
    let mut found = Violations::default();
    secret_id_length(&mut found, secret_id);
    name(&mut found, policy_name);
    found.into_result()?;
    reference(secret_id)
}

/// Checks the length of a policy.
pub(crate) fn text(found: &mut Violations, policy: &str) {
    found.text("resourcePolicy", policy, 1, limits::POLICY_CHARS_MAX);
}

/// Checks the name of a policy.
pub(crate) fn name(found: &mut Violations, name: Option<&str>) {
    if let Some(name) = name {
        let is_legal = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
        found.text("policyName", name, 1, limits::POLICY_NAME_CHARS_MAX);
        found.pattern("policyName", name, NAME_PATTERN, is_legal && !name.is_empty());
    }
}
