//! Which secret a `SecretId` means (rules SEM-ARN-1 to SEM-ARN-6).
//!
//! [`any`] and [`active`] are for whoever changes it, so they refuse replicas (SEM-REPL-5); whoever
//! only shows it asks `alias`.

use super::fault::Fault;
use super::{Refusal, View, texts, validate};
use crate::model::{Replication, Scope, SecretRecord, SecretRef};

/// The live secret that `secret_id` means for a caller in `scope`, scheduled ones included.
pub(super) fn look_up<V: View>(
    view: &V,
    scope: &Scope,
    reference: &SecretRef,
) -> Result<Option<SecretRecord>, V::Error> {
    match reference {
        SecretRef::Name(name) => view.secret_by_name(scope, name),
        // Another account or region is never looked into (SEM-ARN-5).
        SecretRef::PartialArn(named, name) if named == scope => view.secret_by_name(scope, name),
        SecretRef::Arn(arn) if arn.scope == *scope => {
            Ok(view.secret_by_name(scope, &arn.name)?.filter(|record| record.suffix == arn.suffix))
        }
        SecretRef::PartialArn(..) | SecretRef::Arn(_) | SecretRef::Nowhere => Ok(None),
    }
}

/// The secret to change, whatever its state: E12, E1, E28.
pub(super) fn any<V: View>(
    view: &V,
    scope: &Scope,
    secret_id: &str,
) -> Result<SecretRecord, Refusal<V::Error>> {
    let reference = validate::reference(secret_id)?;
    let found = look_up(view, scope, &reference).map_err(Refusal::View)?;
    let record = found.ok_or_else(texts::no_secret)?;
    must_be_own(&record)?;
    Ok(record)
}

/// The secret to change, which must not be scheduled for deletion: E12, E1, E28, E5.
pub(super) fn active<V: View>(
    view: &V,
    scope: &Scope,
    secret_id: &str,
) -> Result<SecretRecord, Refusal<V::Error>> {
    let record = any(view, scope, secret_id)?;
    must_be_active(&record)?;
    Ok(record)
}

/// E28 on a replica.
pub(super) fn must_be_own(record: &SecretRecord) -> Result<(), Fault> {
    match record.replication {
        Some(Replication::ReplicaOf { .. }) => Err(texts::is_replica()),
        Some(Replication::Primary { .. }) | None => Ok(()),
    }
}

/// E5 on a scheduled secret.
pub(super) fn must_be_active(record: &SecretRecord) -> Result<(), Fault> {
    if record.deletion.is_some() { Err(texts::is_scheduled()) } else { Ok(()) }
}
