//! `GetResourcePolicy`, `ListResourcePolicies` and `ValidateResourcePolicy` (SEM-POLICY).

use super::page;
use crate::model::api::{
    GetResourcePolicy, GetResourcePolicyResponse, ListResourcePolicies,
    ListResourcePoliciesResponse, ValidateResourcePolicy, ValidateResourcePolicyResponse,
    ValidationErrorsEntry,
};
use crate::model::{Policies, Scope, SecretRef, limits};
use crate::semantics::access::{Action, resolve};
use crate::semantics::fault::Fault;
use crate::semantics::operation::Look;
use crate::semantics::plan::{Refusal, View};
use crate::semantics::validate::{
    AboutSecret, Check, Checked, SecretId, Violations, members, names, policies,
};
use crate::semantics::{messages, policy};

/// `CheckName` of the only finding that is told as one. AWS's names are not documented (a guess).
const BROAD_ACCESS: &str = "BroadAccess";

impl Check for GetResourcePolicy {
    type Names = SecretRef;
    const IS_ALWAYS_THE_OWNERS: bool = true;

    fn check(&self) -> Result<Self::Names, Fault> {
        policies::policy_of(&self.secret_id, self.policy_name.as_deref())
    }
}

impl AboutSecret for GetResourcePolicy {
    fn secret_id(&self) -> &str {
        &self.secret_id
    }
}

/// `GetResourcePolicy`. That users attached none is no error, that nothing has another name is.
impl Look for GetResourcePolicy {
    type Found = GetResourcePolicyResponse;

    fn look<V: View>(
        view: &V,
        scope: &Scope,
        request: &Checked<Self>,
    ) -> Result<Self::Found, Refusal<V::Error>> {
        let record = resolve::active(view, scope, request.secret(), Action::GetResourcePolicy)?;
        let name = request.policy_name.as_deref().unwrap_or(Policies::DEFAULT);
        let policy = record.policies.as_ref().and_then(|policies| policies.get(name));
        if policy.is_none() && name != Policies::DEFAULT {
            return Err(messages::no_policy(name).into());
        }
        Ok(GetResourcePolicyResponse {
            arn: record.arn().to_string(),
            name: record.name.to_string(),
            policy: policy.map(|text| policy::printed(text).unwrap_or_else(|| text.to_owned())),
            policy_name: Some(name.to_owned()),
        })
    }
}

impl Check for ListResourcePolicies {
    type Names = SecretRef;

    fn check(&self) -> Result<Self::Names, Fault> {
        let mut found = Violations::default();
        members::secret_id_length(&mut found, &self.secret_id);
        members::page(&mut found, self.max_results, self.next_token.as_deref(), limits::PAGE_MAX);
        found.into_result()?;
        names::reference(&self.secret_id)
    }
}

impl AboutSecret for ListResourcePolicies {
    fn secret_id(&self) -> &str {
        &self.secret_id
    }
}

/// `ListResourcePolicies`: names only, `default` first.
impl Look for ListResourcePolicies {
    type Found = ListResourcePoliciesResponse;

    fn look<V: View>(
        view: &V,
        scope: &Scope,
        request: &Checked<Self>,
    ) -> Result<Self::Found, Refusal<V::Error>> {
        let record = resolve::active(view, scope, request.secret(), Action::ListResourcePolicies)?;
        let after = request.next_token.as_deref().map(page::parse_policy).transpose()?;
        let policies = record.policies.unwrap_or_default();
        // `default` sorts before all others, whatever their names.
        let place = |name: &str| (name != Policies::DEFAULT, name.to_owned());
        let after = after.as_deref().map(place);
        let limit = page::size(request.max_results);
        let rest =
            policies.names().filter(|name| after.as_ref().is_none_or(|at| place(name) > *at));
        let mut policy_names: Vec<String> = rest.take(limit + 1).map(str::to_owned).collect();
        let more = policy_names.len() > limit;
        policy_names.truncate(limit);
        let next_token = policy_names.last().filter(|_| more).map(|last| page::policy_token(last));
        Ok(ListResourcePoliciesResponse { policy_names, next_token })
    }
}

impl Check for ValidateResourcePolicy {
    type Names = Option<SecretRef>;

    fn check(&self) -> Result<Self::Names, Fault> {
        let mut found = Violations::default();
        if let Some(id) = &self.secret_id {
            members::secret_id_length(&mut found, id);
        }
        policies::text(&mut found, &self.resource_policy);
        found.into_result()?;
        self.secret_id.as_deref().map(names::reference).transpose()
    }
}

/// `ValidateResourcePolicy`: what `PutResourcePolicy` would refuse, without a change.
impl Look for ValidateResourcePolicy {
    type Found = ValidateResourcePolicyResponse;

    fn look<V: View>(
        view: &V,
        scope: &Scope,
        request: &Checked<Self>,
    ) -> Result<Self::Found, Refusal<V::Error>> {
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
}
