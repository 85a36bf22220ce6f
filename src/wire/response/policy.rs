//! Answers about resource policies.

use super::{COMMON_BYTES, optional};
use crate::model::api::{
    GetResourcePolicyResponse, ListResourcePoliciesResponse, PolicyResponse,
    ValidateResourcePolicyResponse, ValidationErrorsEntry,
};
use crate::wire::json::{Writer, escaped_len};
use zeroize::Zeroizing;

pub(super) fn named(out: &mut Writer, named: &PolicyResponse) {
    out.object(|out| {
        out.name("ARN").text(&named.arn);
        out.name("Name").text(&named.name);
        optional(out, "PolicyName", named.policy_name.as_deref());
    });
}

pub(crate) fn resource_policy(policy: &GetResourcePolicyResponse) -> Zeroizing<Vec<u8>> {
    let room = policy.policy.as_deref().map_or(0, escaped_len);
    let mut out = Writer::with_capacity(COMMON_BYTES + room);
    out.object(|out| {
        out.name("ARN").text(&policy.arn);
        out.name("Name").text(&policy.name);
        optional(out, "ResourcePolicy", policy.policy.as_deref());
        optional(out, "PolicyName", policy.policy_name.as_deref());
    });
    out.finish()
}

pub(crate) fn policy_page(page: &ListResourcePoliciesResponse) -> Zeroizing<Vec<u8>> {
    let mut out = Writer::with_capacity(COMMON_BYTES);
    out.object(|out| {
        out.name("ResourcePolicies").list(&page.policy_names, |out, name| {
            out.object(|out| out.name("PolicyName").text(name));
        });
        optional(out, "NextToken", page.next_token.as_deref());
    });
    out.finish()
}

pub(crate) fn policy_validation(validation: &ValidateResourcePolicyResponse) -> Zeroizing<Vec<u8>> {
    let mut out = Writer::with_capacity(COMMON_BYTES);
    out.object(|out| {
        out.name("PolicyValidationPassed").boolean(validation.errors.is_empty());
        out.name("ValidationErrors").list(&validation.errors, finding);
    });
    out.finish()
}

fn finding(out: &mut Writer, finding: &ValidationErrorsEntry) {
    out.object(|out| {
        out.name("CheckName").text(&finding.check_name);
        out.name("ErrorMessage").text(&finding.error_message);
    });
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::semantics::Answer;
    use crate::wire::request::Operation;
    use crate::wire::response::write;

    fn text(json: &[u8]) -> &str {
        std::str::from_utf8(json).unwrap()
    }

    #[test]
    fn a_policy_is_a_text_in_the_answer() {
        let mut policy = GetResourcePolicyResponse {
            arn: "a".into(),
            name: "n".into(),
            policy: None,
            policy_name: None,
        };
        assert_eq!(text(&resource_policy(&policy)), r#"{"ARN":"a","Name":"n"}"#);
        policy.policy_name = Some("default".into());
        policy.policy = Some("{\n\t\"Version\" : 1}".into());
        assert_eq!(
            text(&resource_policy(&policy)),
            r#"{"ARN":"a","Name":"n","ResourcePolicy":"{\n\t\"Version\" : 1}","PolicyName":"default"}"#
        );
    }

    #[test]
    fn writes_answer_with_the_name_of_the_policy() {
        for operation in [Operation::PutResourcePolicy, Operation::DeleteResourcePolicy] {
            let mut named = PolicyResponse { arn: "a".into(), name: "n".into(), policy_name: None };
            let json = write(operation, Answer::PolicyNamed(named.clone())).unwrap();
            assert_eq!(text(&json), r#"{"ARN":"a","Name":"n"}"#);
            named.policy_name = Some("default".into());
            let json = write(operation, Answer::PolicyNamed(named)).unwrap();
            assert_eq!(text(&json), r#"{"ARN":"a","Name":"n","PolicyName":"default"}"#);
            assert!(write(operation, Answer::Done).is_none());
        }
    }

    #[test]
    fn lists_are_there_when_empty() {
        let page = |names: &[&str], next_token| ListResourcePoliciesResponse {
            policy_names: names.iter().map(ToString::to_string).collect(),
            next_token,
        };
        assert_eq!(text(&policy_page(&page(&[], None))), r#"{"ResourcePolicies":[]}"#);
        assert_eq!(
            text(&policy_page(&page(&["default", "x"], Some("t".into())))),
            r#"{"ResourcePolicies":[{"PolicyName":"default"},{"PolicyName":"x"}],"NextToken":"t"}"#
        );
        let mut validation = ValidateResourcePolicyResponse { errors: Vec::new() };
        assert_eq!(
            text(&policy_validation(&validation)),
            r#"{"PolicyValidationPassed":true,"ValidationErrors":[]}"#
        );
        let finding = ValidationErrorsEntry { check_name: "c".into(), error_message: "m".into() };
        validation.errors.push(finding);
        assert_eq!(
            text(&policy_validation(&validation)),
            r#"{"PolicyValidationPassed":false,"ValidationErrors":[{"CheckName":"c","ErrorMessage":"m"}]}"#
        );
    }
}
