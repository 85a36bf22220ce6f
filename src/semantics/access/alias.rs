//! What a read of a replica works on: the one place where a replica becomes its primary
//! (SEM-REPL-2).
//!
//! The record that comes out has the primary's id, so that versions, labels and values are read
//! there, and the replica's region and key name (of a replica in another account also its name, tags
//! and policies). It is for showing and never written back: `resolve`
//! gives it to actions that change nothing, and refuses replicas to all others.

use crate::env::faults::{self, Fault};
use crate::model::SecretRecord;
use crate::semantics::View;
use crate::semantics::replication::cross_account;

/// The record to show for one as stored. `None`: a replica whose primary is not there.
pub(crate) fn shown<V: View>(
    view: &V,
    record: SecretRecord,
) -> Result<Option<SecretRecord>, V::Error> {
    let Some(primary) = record.shows() else { return Ok(Some(record)) };
    let Some(primary) = view.secret(primary)?.filter(|primary| !primary.dead) else {
        return Ok(None);
    };
    if record.cross_account.is_some() {
        return Ok(Some(cross_account::shown(record, primary)));
    }
    if faults::active(Fault::ReplicaShowsNothing) {
        return Ok(Some(SecretRecord { id: record.id, scope: record.scope, ..primary }));
    }
    Ok(Some(SecretRecord {
        scope: record.scope,
        kms_key_id: record.kms_key_id,
        // The primary alone has one (SEM-XREPL-4).
        cross_account: None,
        ..primary
    }))
}
