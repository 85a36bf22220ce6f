//! Resource policies.

use super::json::{COMMON_BYTES, Members, Structure};
use crate::model::api::{
    GetResourcePolicyResponse, ListResourcePoliciesResponse, PolicyResponse,
    ValidateResourcePolicyResponse, ValidationErrorsEntry,
};
use serde::ser::SerializeMap;

impl Structure for PolicyResponse {
    fn add_members<M: SerializeMap>(&self, out: &mut Members<M>) {
        out.add("ARN", &self.arn);
        out.add("Name", &self.name);
        out.add_optional("PolicyName", self.policy_name.as_ref());
    }
}

impl Structure for GetResourcePolicyResponse {
    fn add_members<M: SerializeMap>(&self, out: &mut Members<M>) {
        out.add("ARN", &self.arn);
        out.add("Name", &self.name);
        out.add_optional("ResourcePolicy", self.policy.as_ref());
        out.add_optional("PolicyName", self.policy_name.as_ref());
    }

    fn room(&self) -> usize {
        COMMON_BYTES + self.policy.as_ref().map_or(0, |policy| 2 * policy.len())
    }
}

impl Structure for ListResourcePoliciesResponse {
    fn add_members<M: SerializeMap>(&self, out: &mut Members<M>) {
        out.structures("ResourcePolicies", self.policy_names.iter().map(PolicyEntry));
        out.add_optional("NextToken", self.next_token.as_ref());
    }
}

struct PolicyEntry<'a>(&'a String);

impl Structure for PolicyEntry<'_> {
    fn add_members<M: SerializeMap>(&self, out: &mut Members<M>) {
        out.add("PolicyName", self.0);
    }
}

impl Structure for ValidateResourcePolicyResponse {
    fn add_members<M: SerializeMap>(&self, out: &mut Members<M>) {
        out.add("PolicyValidationPassed", &self.errors.is_empty());
        out.structures("ValidationErrors", &self.errors);
    }
}

impl Structure for ValidationErrorsEntry {
    fn add_members<M: SerializeMap>(&self, out: &mut Members<M>) {
        out.add("CheckName", &self.check_name);
        out.add("ErrorMessage", &self.error_message);
    }
}
