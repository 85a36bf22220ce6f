//! The operations on resource policies (SEM-POLICY): attach, show, list, detach, validate.

use crate::model::api::{
    ListResourcePolicies, PolicyFinding, PolicyNamed, PolicyPage, PolicyValidation,
    PutResourcePolicy, ResourcePolicy, ResourcePolicyId, ValidateResourcePolicy,
};
use crate::model::{Policies, Scope, SecretRecord};
use crate::semantics::access::Action;
use crate::semantics::access::resolve;
use crate::semantics::change::{Change, Labels, nothing};
use crate::semantics::fault::Fault;
use crate::semantics::read::page;
use crate::semantics::{Answer, Context, Outcome, Refusal, View, messages, policy, validate};

/// `CheckName` of the only finding that is told as one. AWS's names are not documented (a guess).
const BROAD_ACCESS: &str = "BroadAccess";

pub(crate) fn put<V: View>(view: &V, context: &Context, request: &PutResourcePolicy) -> Outcome<V> {
    validate::put_resource_policy(request)?;
    let (id, action) = (&request.secret_id, Action::PutResourcePolicy);
    let record = resolve::active(view, &context.scope, id, action)?;
    must_be_default(request.policy_name.as_deref())?;
    let policy = policy::parse(&request.resource_policy)?;
    if request.block_public_policy == Some(true) && policy.is_broad() {
        return Err(messages::public_policy().into());
    }
    let answer = named(&record, request.policy_name.as_deref());
    let mut policies = record.policies.clone().unwrap_or_default();
    let text = Some(request.resource_policy.clone());
    if policies.default == text {
        return Ok(nothing(answer));
    }
    policies.default = text;
    let mut change = Change::of(record, Labels::none(), context.now);
    change.record.policies = Some(policies);
    Ok(change.finish(answer)?)
}

pub(crate) fn delete<V: View>(
    view: &V,
    context: &Context,
    request: &ResourcePolicyId,
) -> Outcome<V> {
    validate::resource_policy_id(request)?;
    let (id, action) = (&request.secret_id, Action::DeleteResourcePolicy);
    let record = resolve::active(view, &context.scope, id, action)?;
    must_be_default(request.policy_name.as_deref())?;
    let answer = named(&record, request.policy_name.as_deref());
    let mut change = Change::of(record, Labels::none(), context.now);
    let policies = change.record.policies.as_mut();
    if policies.and_then(|policies| policies.default.take()).is_none() {
        return Ok(nothing(answer));
    }
    change.record.policies = change.record.policies.filter(|policies| !policies.is_empty());
    Ok(change.finish(answer)?)
}

/// `GetResourcePolicy`. That users attached none is no error, that nothing has another name is.
pub fn get_resource_policy<V: View>(
    view: &V,
    scope: &Scope,
    request: &ResourcePolicyId,
) -> Result<ResourcePolicy, Refusal<V::Error>> {
    validate::resource_policy_id(request)?;
    let record = resolve::active(view, scope, &request.secret_id, Action::GetResourcePolicy)?;
    let name = request.policy_name.as_deref().unwrap_or(Policies::DEFAULT);
    let policy = record.policies.as_ref().and_then(|policies| policies.get(name));
    if policy.is_none() && name != Policies::DEFAULT {
        return Err(messages::no_policy(name).into());
    }
    Ok(ResourcePolicy {
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
    request: &ListResourcePolicies,
) -> Result<PolicyPage, Refusal<V::Error>> {
    validate::list_resource_policies(request)?;
    let record = resolve::active(view, scope, &request.secret_id, Action::ListResourcePolicies)?;
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
    Ok(PolicyPage { policy_names, next_token })
}

/// `ValidateResourcePolicy`: what `PutResourcePolicy` would refuse, without a change.
pub fn validate_resource_policy<V: View>(
    view: &V,
    scope: &Scope,
    request: &ValidateResourcePolicy,
) -> Result<PolicyValidation, Refusal<V::Error>> {
    validate::validate_resource_policy(request)?;
    if let Some(id) = &request.secret_id {
        resolve::any(view, scope, id, Action::ValidateResourcePolicy)?;
    }
    let mut errors = Vec::new();
    if policy::parse(&request.resource_policy)?.is_broad() {
        errors.push(PolicyFinding {
            check_name: BROAD_ACCESS.to_owned(),
            error_message: messages::public_policy().message,
        });
    }
    Ok(PolicyValidation { errors })
}

fn must_be_default(name: Option<&str>) -> Result<(), Fault> {
    match name {
        None | Some(Policies::DEFAULT) => Ok(()),
        Some(_) => Err(messages::reserved_policy()),
    }
}

/// The policy is named to whoever named it.
fn named(record: &SecretRecord, policy_name: Option<&str>) -> Answer {
    Answer::PolicyNamed(PolicyNamed {
        arn: record.arn().to_string(),
        name: record.name.to_string(),
        policy_name: policy_name.map(str::to_owned),
    })
}
