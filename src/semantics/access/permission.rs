//! Who may do what to a secret (SEM-ACCESS).
//!
//! There is no IAM here: a caller is an account, and may do anything to the secrets of its own. A
//! resource policy takes from that with its Denies, and gives to other accounts with its Allows.
//! [`resolve`](super::resolve) asks for every secret that a request names, so no operation can
//! forget to.

use super::action::Action;
use crate::model::{Policies, Scope, SecretRecord};
use crate::semantics::fault::Fault;
use crate::semantics::messages;
use crate::semantics::policy::{self, Asked, Verdict};

/// Refuses what the caller may not do to the secret that `secret_id` led to.
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
            let arn = record.arn().to_string();
            Err(messages::denied(&policy::root_arn(caller), action.name(), &arn))
        }
        (false, Verdict::Denied | Verdict::Silent) => Err(not_allowed(caller, secret_id, action)),
    }
}

/// What another account gets for a secret that it may not reach and for one that is not there.
pub(crate) fn not_allowed(caller: &Scope, secret_id: &str, action: Action) -> Fault {
    messages::not_allowed(&policy::root_arn(caller), action.name(), secret_id)
}

/// Whether a policy of the secret forbids another account what needs no Allow of one.
pub(crate) fn denies(caller: &Scope, record: &SecretRecord, action: Action) -> bool {
    verdict(&Asked { caller, action: action.name(), record }) == Verdict::Denied
}

/// AWS's own key is of the account: another one cannot use it, whatever the policy says (E18).
pub(crate) fn check_key(caller: &Scope, record: &SecretRecord) -> Result<(), Fault> {
    if record.scope.account != caller.account && record.kms_key_id.is_none() {
        return Err(messages::key_is_of_account());
    }
    Ok(())
}

/// All policies of the secret together. One that cannot be read could say anything: it denies.
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
