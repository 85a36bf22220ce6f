//! `PutResourcePolicy` and `DeleteResourcePolicy` (SEM-POLICY).

use crate::model::api::{DeleteResourcePolicy, PolicyResponse, PutResourcePolicy};
use crate::model::{Policies, SecretRecord, SecretRef};
use crate::semantics::access::{Action, resolve};
use crate::semantics::change::{Change, Labels};
use crate::semantics::fault::Fault;
use crate::semantics::operation::Decide;
use crate::semantics::plan::{Answer, Context, Outcome, View, nothing};
use crate::semantics::validate::{
    AboutSecret, Check, Checked, Violations, members, names, policies,
};
use crate::semantics::{messages, policy};

impl Check for PutResourcePolicy {
    type Names = SecretRef;
    const IS_ABOUT_A_REPLICAS_OWN: bool = true;
    const IS_ALWAYS_THE_OWNERS: bool = true;

    /// The policy itself is read after the secret was found.
    fn check(&self) -> Result<Self::Names, Fault> {
        let mut found = Violations::default();
        members::secret_id_length(&mut found, &self.secret_id);
        policies::text(&mut found, &self.resource_policy);
        policies::name(&mut found, self.policy_name.as_deref());
        found.into_result()?;
        names::reference(&self.secret_id)
    }
}

impl AboutSecret for PutResourcePolicy {
    fn secret_id(&self) -> &str {
        &self.secret_id
    }
}

impl Decide for PutResourcePolicy {
    const GROWS: bool = true;

    fn decide<V: View>(view: &V, context: &Context, request: &Checked<Self>) -> Outcome<V> {
        let (secret, action) = (request.secret(), Action::PutResourcePolicy);
        let record = resolve::active(view, &context.scope, secret, action)?;
        must_be_default(request.policy_name.as_deref())?;
        let policy = policy::parse(&request.resource_policy)?;
        if request.block_public_policy == Some(true) && policy.is_broad() {
            return Err(messages::public_policy().into());
        }
        let answer = named(&record);
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
}

impl Check for DeleteResourcePolicy {
    type Names = SecretRef;
    const IS_ABOUT_A_REPLICAS_OWN: bool = true;
    const IS_ALWAYS_THE_OWNERS: bool = true;

    fn check(&self) -> Result<Self::Names, Fault> {
        policies::policy_of(&self.secret_id, self.policy_name.as_deref())
    }
}

impl AboutSecret for DeleteResourcePolicy {
    fn secret_id(&self) -> &str {
        &self.secret_id
    }
}

impl Decide for DeleteResourcePolicy {
    fn decide<V: View>(view: &V, context: &Context, request: &Checked<Self>) -> Outcome<V> {
        let (secret, action) = (request.secret(), Action::DeleteResourcePolicy);
        let record = resolve::active(view, &context.scope, secret, action)?;
        must_be_default(request.policy_name.as_deref())?;
        let answer = named(&record);
        let mut change = Change::of(record, Labels::none(), context.now);
        let policies = change.record.policies.as_mut();
        if policies.and_then(|policies| policies.default.take()).is_none() {
            return Ok(nothing(answer));
        }
        change.record.policies = change.record.policies.filter(|policies| !policies.is_empty());
        Ok(change.finish(answer)?)
    }
}

fn must_be_default(name: Option<&str>) -> Result<(), Fault> {
    match name {
        None | Some(Policies::DEFAULT) => Ok(()),
        Some(_) => Err(messages::reserved_policy()),
    }
}

/// The answer names the policy, also if the request did not (SEM-POLICY-11).
fn named(record: &SecretRecord) -> Answer {
    Answer::PolicyNamed(PolicyResponse {
        arn: record.arn().to_string(),
        name: record.name.to_string(),
        policy_name: Some(Policies::DEFAULT.to_owned()),
    })
}
