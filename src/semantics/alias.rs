//! What a read of a replica works on: the one place where a replica becomes its primary
//! (SEM-REPL-2).
//!
//! The record that comes out has the primary's id, so that versions, labels and values are read
//! there, and the replica's region and key name. It is for showing and never written back: `resolve`
//! gives it to actions that change nothing, and refuses replicas to all others.

use super::View;
use crate::model::{Replication, SecretRecord};

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
