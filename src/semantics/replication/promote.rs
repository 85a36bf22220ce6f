//! `StopReplicationToReplica`: a replica becomes an ordinary secret (SEM-REPL-12 to SEM-REPL-14).
//!
//! One operation does all of it: the replica's record takes over the primary's metadata, every labelled
//! version is copied with its value sealed anew, and the region is removed from the primary's record.
//! Versions without labels are not copied, because they would be the first to be pruned.

use super::copies::{Copies, copies, must_fit};
use super::{parting, status};
use crate::model::api::StopReplicationToReplica;
use crate::model::{External, Replication, SecretRecord, SecretRef};
use crate::semantics::access::{Action, resolve};
use crate::semantics::change::{promoted, stamp};
use crate::semantics::fault::Fault;
use crate::semantics::messages;
use crate::semantics::operation::Decide;
use crate::semantics::plan::{Context, Effect, Outcome, Plan, Refusal, View};
use crate::semantics::validate::{AboutSecret, Check, Checked, names};

impl Check for StopReplicationToReplica {
    type Names = SecretRef;

    fn check(&self) -> Result<Self::Names, Fault> {
        names::secret_id(&self.secret_id)
    }
}

impl AboutSecret for StopReplicationToReplica {
    fn secret_id(&self) -> &str {
        &self.secret_id
    }
}

impl Decide for StopReplicationToReplica {
    const GROWS: bool = true;
    const IS_ALONE: bool = true;

    fn decide<V: View>(view: &V, context: &Context, request: &Checked<Self>) -> Outcome<V> {
        let action = Action::StopReplicationToReplica;
        let found = resolve::find(view, &context.scope, request.secret(), action)?;
        let record = found.ok_or_else(messages::no_secret)?;
        if record.cross_account_primary().is_some() {
            return parting::stop(view, context, &record);
        }
        let Some(Replication::ReplicaOf { primary, .. }) = &record.replication else {
            return Err(messages::is_no_replica().into());
        };
        let primary = view.secret(*primary).map_err(Refusal::View)?.filter(|primary| !primary.dead);
        let mut primary = primary.ok_or_else(messages::no_secret)?;

        let Copies { mut effects, next_seq, count } = copies(view, &primary, &record)?;
        let own = SecretRecord {
            id: record.id,
            scope: record.scope,
            next_seq,
            version_count: count,
            creation_token: None,
            created: record.created,
            last_changed: stamp(context.now, &primary),
            last_accessed: record.last_accessed,
            kms_key_id: record.kms_key_id,
            replication: None,
            // Rotation has to be configured again.
            rotation: None,
            external: primary.external.as_ref().map(External::without_rotation),
            // Only the primary has a replica in another account.
            cross_account: None,
            ..primary.clone()
        };
        let answer = promoted(&own);
        let is_other = |region: &str| *region != *own.scope.region;
        let left = primary.replicas().iter().filter(|r| is_other(&r.region)).cloned().collect();
        status::set_replicas(&mut primary, left);
        primary.last_changed = stamp(context.now, &primary);
        effects.push(Effect::PutSecret(own));
        effects.push(Effect::PutSecret(primary));
        let plan = Plan { effects, answer };
        must_fit(&plan)?;
        Ok(plan)
    }
}
