//! Replaces a replica's record by its primary's for reads (SEM-REPL-2).
//!
//! The result has the primary's id, so that versions, labels and values are read there. It keeps the
//! replica's region, key name and dates of its making and its last read; and for a replica in another account
//! also its name, tags and policies, while a read of that is the primary's.
//! It is never written back: `resolve` gives it only to actions that change nothing.

use crate::env::faults;
use crate::model::{External, OWN_KEY, SecretRecord};
use crate::semantics::plan::View;

/// The record to show for a stored one. `None`: a replica whose primary does not exist.
pub(crate) fn shown<V: View>(
    view: &V,
    record: SecretRecord,
) -> Result<Option<SecretRecord>, V::Error> {
    let Some(primary) = record.shows() else { return Ok(Some(record)) };
    let Some(primary) = view.secret(primary)?.filter(|primary| !primary.dead) else {
        return Ok(None);
    };
    if record.cross_account.is_some() {
        return Ok(Some(of_other_account(record, primary)));
    }
    if faults::active(faults::Fault::ReplicaShowsNothing) {
        return Ok(Some(SecretRecord { id: record.id, scope: record.scope, ..primary }));
    }
    Ok(Some(SecretRecord {
        scope: record.scope,
        created: record.created,
        last_accessed: record.last_accessed,
        kms_key_id: record.kms_key_id.or_else(|| Some(OWN_KEY.to_owned())),
        // An empty list of the primary is not shown.
        tags: primary.tags.filter(|tags| !tags.is_empty()),
        replication: record.replication,
        // The primary alone has one (SEM-XREPL-4).
        cross_account: None,
        ..primary
    }))
}

/// The record to show for a replica in another account that is in sync: the primary's versions and
/// description, with the replica's own name, tags and policies (SEM-XREPL-5).
pub(crate) fn of_other_account(replica: SecretRecord, primary: SecretRecord) -> SecretRecord {
    SecretRecord {
        id: primary.id,
        lsn: primary.lsn,
        next_seq: primary.next_seq,
        version_count: primary.version_count,
        description: primary.description,
        last_changed: replica.last_changed.max(primary.last_changed),
        last_accessed: primary.last_accessed,
        external: primary.external.as_ref().map(External::without_rotation),
        ..replica
    }
}
