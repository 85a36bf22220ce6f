//! `GetResourcePolicy`, `ListResourcePolicies` and `ValidateResourcePolicy` (SEM-POLICY).

use super::page;
use crate::model::api::{
    GetResourcePolicy, GetResourcePolicyResponse, ListResourcePolicies,
    ListResourcePoliciesResponse, ValidateResourcePolicy, ValidateResourcePolicyResponse,
    ValidationErrorsEntry,
};
use crate::model::{Policies, Scope};
use crate::semantics::access::{Action, resolve};
use crate::semantics::plan::{Refusal, View};
use crate::semantics::validate::{Checked, SecretId};
use crate::semantics::{messages, policy};

/// `CheckName` of the only finding that is told as one. AWS's names are not documented (a guess).
const BROAD_ACCESS: &str = "BroadAccess";

/// `GetResourcePolicy`. That users attached none is no error, that nothing has another name is.
pub fn get_resource_policy<V: View>(
    view: &V,
    scope: &Scope,
    request: &Checked<GetResourcePolicy>,
) -> Result<GetResourcePolicyResponse, Refusal<V::Error>> {
    let record = resolve::active(view, scope, request.secret(), Action::GetResourcePolicy)?;
    let name = request.policy_name.as_deref().unwrap_or(Policies::DEFAULT);
    let policy = record.policies.as_ref().and_then(|policies| policies.get(name));
    if policy.is_none() && name != Policies::DEFAULT {
        return Err(messages::no_policy(name).into());
    }
    Ok(GetResourcePolicyResponse {
        arn: record.arn().to_string(),
        name: record.name.to_string(),
        policy: policy.map(str::to_owned),
        policy_name: request.policy_name.clone(),
    })
}

/// `ListResourcePolicies`: names only, `default` first.
pub fn list_resource_policies<V: View>(
    view: &V,
    scope: &Scope,
    request: &Checked<ListResourcePolicies>,
) -> Result<ListResourcePoliciesResponse, Refusal<V::Error>> {
    let record = resolve::active(view, scope, request.secret(), Action::ListResourcePolicies)?;
    let after = request.next_token.as_deref().map(page::parse_policy).transpose()?;
    let policies = record.policies.unwrap_or_default();
    // `default` sorts before all others, whatever their names.
    let place = |name: &str| (name != Policies::DEFAULT, name.to_owned());
    let after = after.as_deref().map(place);
    let limit = page::size(request.max_results);
    let rest = policies.names().filter(|name| after.as_ref().is_none_or(|at| place(name) > *at));
    let mut policy_names: Vec<String> = rest.take(limit + 1).map(str::to_owned).collect();
    let more = policy_names.len() > limit;
    policy_names.truncate(limit);
    let next_token = policy_names.last().filter(|_| more).map(|last| page::policy_token(last));
    Ok(ListResourcePoliciesResponse { policy_names, next_token })
}

/// `ValidateResourcePolicy`: what `PutResourcePolicy` would refuse, without a change.
pub fn validate_resource_policy<V: View>(
    view: &V,
    scope: &Scope,
    request: &Checked<ValidateResourcePolicy>,
) -> Result<ValidateResourcePolicyResponse, Refusal<V::Error>> {
    if let (Some(text), Some(reference)) = (&request.secret_id, request.names()) {
        let secret = SecretId { text, reference };
        resolve::any(view, scope, secret, Action::ValidateResourcePolicy)?;
    }
    let mut errors = Vec::new();
    if policy::parse(&request.resource_policy)?.is_broad() {
        errors.push(ValidationErrorsEntry {
            check_name: BROAD_ACCESS.to_owned(),
            error_message: messages::public_policy().message,
        });
    }
    Ok(ValidateResourcePolicyResponse { errors })
}
