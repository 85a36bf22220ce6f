//! What a read of a replica works on: the one place where a replica becomes its primary
//! (SEM-REPL-2).
//!
//! The record that comes out has the primary's id, so that versions, labels and values are read
//! there, and the replica's region and key name. It is for showing and never written back: whoever
//! changes a secret resolves it by `resolve`, which refuses replicas.

use super::access::{self, Action};
use super::{Refusal, View, resolve, texts, validate};
use crate::model::{Replication, Scope, SecretRecord};

/// The record to show for one as stored. `None`: a replica whose primary is not there.
pub(super) fn shown<V: View>(
    view: &V,
    record: SecretRecord,
) -> Result<Option<SecretRecord>, V::Error> {
    let Some(Replication::ReplicaOf { primary, .. }) = &record.replication else {
        return Ok(Some(record));
    };
    let primary = view.secret(*primary)?.filter(|primary| !primary.dead);
    Ok(primary.map(|primary| SecretRecord {
        scope: record.scope,
        kms_key_id: record.kms_key_id,
        ..primary
    }))
}

/// The secret to show, whatever its state: E12, E39, E1.
pub(super) fn any<V: View>(
    view: &V,
    scope: &Scope,
    secret_id: &str,
    action: Action,
) -> Result<SecretRecord, Refusal<V::Error>> {
    let reference = validate::reference(secret_id)?;
    let found = match resolve::find(view, scope, &reference, secret_id, action)? {
        Some(record) => shown(view, record).map_err(Refusal::View)?,
        None => None,
    };
    Ok(found.ok_or_else(texts::no_secret)?)
}

/// The secret to show, which must not be scheduled for deletion: E12, E39, E1, E5.
pub(super) fn active<V: View>(
    view: &V,
    scope: &Scope,
    secret_id: &str,
    action: Action,
) -> Result<SecretRecord, Refusal<V::Error>> {
    let record = any(view, scope, secret_id, action)?;
    resolve::must_be_active(&record)?;
    Ok(record)
}

/// The secret, for an operation that opens a value: E12, E39, E1, E5, E18.
pub(super) fn with_value<V: View>(
    view: &V,
    scope: &Scope,
    secret_id: &str,
    action: Action,
) -> Result<SecretRecord, Refusal<V::Error>> {
    let record = active(view, scope, secret_id, action)?;
    access::check_key(scope, &record)?;
    Ok(record)
}
