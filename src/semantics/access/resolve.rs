//! Finds the secret that a `SecretId` means (rules SEM-ARN-1 to SEM-ARN-6) and checks whether the caller may
//! do the action (SEM-ACCESS). Every request that names a secret goes through here.
//!
//! An action that changes the secret is refused on a replica (SEM-REPL-5). One that reads it gets the
//! primary's record from `alias`.

use super::action::Action;
use super::{alias, permission};
use crate::model::name::is_account;
use crate::model::{Replication, Scope, SecretRecord, SecretRef};
use crate::semantics::fault::Fault;
use crate::semantics::messages;
use crate::semantics::plan::{Refusal, View};
use crate::semantics::validate::SecretId;

/// The live secret that a `SecretId` means for a caller in `scope`, scheduled ones included, if the
/// caller may do `action` to it. Another account learns nothing from a refusal (SEM-ACCESS-2).
pub(crate) fn find<V: View>(
    view: &V,
    scope: &Scope,
    secret: SecretId<'_>,
    action: Action,
) -> Result<Option<SecretRecord>, Refusal<V::Error>> {
    match look_up(view, scope, secret.reference).map_err(Refusal::View)? {
        Some(record) => {
            // A replica has its primary's policies, unless it is of another account.
            let shown = match must_be_own(&record) {
                Ok(()) => None,
                Err(_) => alias::shown(view, record.clone()).map_err(Refusal::View)?,
            };
            permission::check(scope, shown.as_ref().unwrap_or(&record), secret.text, action)?;
            Ok(Some(record))
        }
        None if is_of_another_account(scope, secret.reference) => {
            Err(permission::not_allowed(scope, secret.text, action).into())
        }
        None => Ok(None),
    }
}

/// The secret, whatever its state: E39, E1, and E28 to what changes it.
pub(crate) fn any<V: View>(
    view: &V,
    scope: &Scope,
    secret: SecretId<'_>,
    action: Action,
) -> Result<SecretRecord, Refusal<V::Error>> {
    let found = find(view, scope, secret, action)?;
    let record = found.ok_or_else(messages::no_secret)?;
    if action.changes_the_secret() {
        if record.cross_account_primary().is_none() || !action.is_about_a_replicas_own() {
            must_be_own(&record)?;
        }
        return Ok(record);
    }
    let shown = alias::shown(view, record).map_err(Refusal::View)?;
    Ok(shown.ok_or_else(messages::no_secret)?)
}

/// The secret, which must not be scheduled for deletion: E39, E1, E28, E5.
pub(crate) fn active<V: View>(
    view: &V,
    scope: &Scope,
    secret: SecretId<'_>,
    action: Action,
) -> Result<SecretRecord, Refusal<V::Error>> {
    let record = any(view, scope, secret, action)?;
    must_be_active(&record)?;
    Ok(record)
}

/// The secret, for an operation that seals or opens a value: E39, E1, E28, E5, E18.
pub(crate) fn with_value<V: View>(
    view: &V,
    scope: &Scope,
    secret: SecretId<'_>,
    action: Action,
) -> Result<SecretRecord, Refusal<V::Error>> {
    let record = active(view, scope, secret, action)?;
    permission::check_key(scope, &record)?;
    Ok(record)
}

fn look_up<V: View>(
    view: &V,
    scope: &Scope,
    reference: &SecretRef,
) -> Result<Option<SecretRecord>, V::Error> {
    match reference {
        SecretRef::Name(name) => view.secret_by_name(scope, name),
        // Another account's secrets are reached by their complete ARN only (SEM-ACCESS-1).
        SecretRef::PartialArn(named, name) if named == scope => view.secret_by_name(scope, name),
        SecretRef::Arn(arn) if arn.scope == *scope || is_within_reach(scope, &arn.scope) => {
            Ok(view
                .secret_by_name(&arn.scope, &arn.name)?
                .filter(|record| record.suffix == arn.suffix))
        }
        SecretRef::PartialArn(..) | SecretRef::Arn(_) | SecretRef::Nowhere => Ok(None),
    }
}

/// Another region is never looked into (SEM-ARN-5), nor an account that no caller can have.
fn is_within_reach(scope: &Scope, named: &Scope) -> bool {
    named.region == scope.region && is_account(&named.account)
}

/// Whether a scope is of another account that a caller can have, in the caller's region.
pub(crate) fn is_of_a_neighbour(caller: &Scope, named: &Scope) -> bool {
    named.account != caller.account && is_within_reach(caller, named)
}

fn is_of_another_account(scope: &Scope, reference: &SecretRef) -> bool {
    match reference {
        SecretRef::Arn(arn) => arn.scope.account != scope.account,
        SecretRef::PartialArn(named, _) => named.account != scope.account,
        SecretRef::Name(_) | SecretRef::Nowhere => false,
    }
}

/// E28 on a replica.
pub(crate) fn must_be_own(record: &SecretRecord) -> Result<(), Fault> {
    if record.cross_account_primary().is_some() {
        return Err(messages::is_cross_account_replica());
    }
    match record.replication {
        Some(Replication::ReplicaOf { .. }) => Err(messages::is_replica()),
        Some(Replication::Primary { .. }) | None => Ok(()),
    }
}

/// E5 on a scheduled secret.
fn must_be_active(record: &SecretRecord) -> Result<(), Fault> {
    if record.deletion.is_some() { Err(messages::is_scheduled()) } else { Ok(()) }
}
