//! Who may do what to a secret (SEM-ACCESS).
//!
//! There is no IAM here. A caller is an account, and an account may do anything to its own secrets. The
//! Denies of a resource policy restrict that, and its Allows give access to other accounts.
//! [`resolve`](super::resolve) runs these checks for every secret that a request names.

use super::action::Action;
use crate::model::{Policies, Scope, SecretRecord, customer_key};
use crate::semantics::fault::Fault;
use crate::semantics::messages;
use crate::semantics::policy::{self, Asked, Verdict};

/// Refuses an action that the caller may not do to the secret. `secret_id` is repeated in the refusal.
pub(crate) fn check(
    caller: &Scope,
    record: &SecretRecord,
    secret_id: &str,
    action: Action,
) -> Result<(), Fault> {
    let is_own = record.scope.account == caller.account;
    if is_own && (record.policies.is_none() || action.is_always_the_owners()) {
        return Ok(());
    }
    let asked = Asked { caller, action: action.name(), record };
    match (is_own, verdict(&asked)) {
        (true, Verdict::Allowed | Verdict::Silent) | (false, Verdict::Allowed) => Ok(()),
        (true, Verdict::Denied) => {
            Err(messages::denied(&policy::root_arn(caller), action.name(), secret_id))
        }
        (false, Verdict::Denied | Verdict::Silent) => Err(not_allowed(caller, secret_id, action)),
    }
}

/// Whether nothing but the record decides what the caller may do to the secret. So an answer about it stays
/// right until the record changes. Policies can also ask what time it is.
#[must_use]
pub fn depends_on_record_alone(caller: &Scope, record: &SecretRecord) -> bool {
    record.scope.account == caller.account && record.policies.is_none()
}

/// The refusal for another account. It is the same for a secret without access and for one that does not
/// exist.
pub(crate) fn not_allowed(caller: &Scope, secret_id: &str, action: Action) -> Fault {
    messages::not_allowed(&policy::root_arn(caller), action.name(), secret_id)
}

/// Whether a policy of the secret denies an action that needs no Allow.
pub(crate) fn denies(caller: &Scope, record: &SecretRecord, action: Action) -> bool {
    verdict(&Asked { caller, action: action.name(), record }) == Verdict::Denied
}

/// Other accounts cannot use AWS's own key, whatever the policy says (E18).
pub(crate) fn check_key(caller: &Scope, record: &SecretRecord) -> Result<(), Fault> {
    if record.scope.account != caller.account
        && customer_key(record.kms_key_id.as_deref()).is_none()
    {
        return Err(messages::key_is_of_account());
    }
    Ok(())
}

/// What all policies of the secret say together. A policy that cannot be read denies.
fn verdict(asked: &Asked<'_>) -> Verdict {
    let mut verdict = Verdict::Silent;
    for text in asked.record.policies.iter().flat_map(Policies::texts) {
        match policy::parse(text).map_or(Verdict::Denied, |policy| policy.verdict(asked)) {
            Verdict::Denied => return Verdict::Denied,
            Verdict::Allowed => verdict = Verdict::Allowed,
            Verdict::Silent => {}
        }
    }
    verdict
}
