//! Refusals about resource policies and access (E18 to E22, E39).

use crate::semantics::fault::{Fault, FaultKind};

/// E18: other accounts cannot use the key of the secret.
#[must_use]
pub fn key_is_of_account() -> Fault {
    Fault::new(
        FaultKind::InvalidRequest,
        "You can't access a secret from a different AWS account if you encrypt the secret with the \
         default KMS service key.",
    )
}

/// E19: an invalid principal.
#[must_use]
pub fn unsupported_principal() -> Fault {
    Fault::new(
        FaultKind::MalformedPolicyDocument,
        "This resource policy contains an unsupported principal.",
    )
}

/// E20: invalid JSON, or JSON that is not a policy.
#[must_use]
pub fn policy_syntax() -> Fault {
    Fault::new(FaultKind::MalformedPolicyDocument, "This resource policy contains a syntax error.")
}

/// E21: an invalid service.
#[must_use]
pub fn unsupported_service() -> Fault {
    Fault::new(
        FaultKind::MalformedPolicyDocument,
        "This resource policy contains an unsupported service principal.",
    )
}

/// E22: the policy allows broad access, and the request blocks that.
#[must_use]
pub fn public_policy() -> Fault {
    Fault::new(
        FaultKind::PublicPolicy,
        "You can't attach a resource-based policy that allows broad access to the secret.",
    )
}

/// Only the policy `default` can be attached and deleted (our own text).
#[must_use]
pub fn reserved_policy() -> Fault {
    Fault::new(
        FaultKind::InvalidParameter,
        "You can attach and delete only the resource policy with the name default.",
    )
}

/// No policy of that name is attached (our own text).
#[must_use]
pub fn no_policy(name: &str) -> Fault {
    Fault::new(
        FaultKind::ResourceNotFound,
        format!("Secrets Manager can't find the specified resource policy: {name}"),
    )
}

/// E39: nothing allows it. The text is the same whether the secret exists or not.
#[must_use]
pub fn not_allowed(user: &str, action: &str, resource: &str) -> Fault {
    let action = format!("secretsmanager:{action}");
    Fault::new(
        FaultKind::AccessDenied,
        format!(
            "User: {user} is not authorized to perform: {action} on resource: {resource} because no \
             resource-based policy allows the {action} action"
        ),
    )
}

/// E39: a policy denies it to the secret's own account.
#[must_use]
pub fn denied(user: &str, action: &str, resource: &str) -> Fault {
    Fault::new(
        FaultKind::AccessDenied,
        format!(
            "User: {user} is not authorized to perform: secretsmanager:{action} on resource: \
             {resource} with an explicit deny in a resource-based policy"
        ),
    )
}
