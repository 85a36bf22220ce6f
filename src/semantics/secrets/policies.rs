//! `PutResourcePolicy` and `DeleteResourcePolicy` (SEM-POLICY).

use crate::model::api::{DeleteResourcePolicy, PolicyResponse, PutResourcePolicy};
use crate::model::{Policies, SecretRecord};
use crate::semantics::access::{Action, resolve};
use crate::semantics::change::{Change, Labels};
use crate::semantics::fault::Fault;
use crate::semantics::plan::{Answer, Context, Outcome, View, nothing};
use crate::semantics::validate::Checked;
use crate::semantics::{messages, policy};

pub(crate) fn put<V: View>(
    view: &V,
    context: &Context,
    request: &Checked<PutResourcePolicy>,
) -> Outcome<V> {
    let (secret, action) = (request.secret(), Action::PutResourcePolicy);
    let record = resolve::active(view, &context.scope, secret, action)?;
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
    request: &Checked<DeleteResourcePolicy>,
) -> Outcome<V> {
    let (secret, action) = (request.secret(), Action::DeleteResourcePolicy);
    let record = resolve::active(view, &context.scope, secret, action)?;
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

fn must_be_default(name: Option<&str>) -> Result<(), Fault> {
    match name {
        None | Some(Policies::DEFAULT) => Ok(()),
        Some(_) => Err(messages::reserved_policy()),
    }
}

/// The policy's name is in the answer only if it was in the request.
fn named(record: &SecretRecord, policy_name: Option<&str>) -> Answer {
    Answer::PolicyNamed(PolicyResponse {
        arn: record.arn().to_string(),
        name: record.name.to_string(),
        policy_name: policy_name.map(str::to_owned),
    })
}
