//! `StopReplicationToReplica`: a replica becomes an ordinary secret (SEM-REPL-12 to SEM-REPL-14).
//!
//! All in one operation: the replica's record takes over the primary's metadata, every labelled
//! version is copied, its value sealed anew in its new place, and the primary forgets the region.
//! Versions without labels stay behind, as they would be the first to be pruned.

use super::{cross_account, replica};
use crate::env::faults::{self, Fault};
use crate::model::api::SecretIdOnly;
use crate::model::{External, Replication, SecretRecord, Seq, VersionRecord, limits};
use crate::semantics::access::Action;
use crate::semantics::access::resolve;
use crate::semantics::change::{rows, stamp};
use crate::semantics::versions::stage;
use crate::semantics::{Context, Effect, Outcome, Plan, Refusal, View, messages, validate};
use std::collections::BTreeMap;

pub(crate) fn stop_replication<V: View>(
    view: &V,
    context: &Context,
    request: &SecretIdOnly,
) -> Outcome<V> {
    validate::secret_id_only(request)?;
    let reference = validate::reference(&request.secret_id)?;
    let action = Action::StopReplicationToReplica;
    let found = resolve::find(view, &context.scope, &reference, &request.secret_id, action)?;
    let record = found.ok_or_else(messages::no_secret)?;
    if record.cross_account_primary().is_some() {
        return cross_account::stop(view, context, &record);
    }
    let Some(Replication::ReplicaOf { primary, .. }) = &record.replication else {
        return Err(messages::is_no_replica().into());
    };
    let primary = view.secret(*primary).map_err(Refusal::View)?.filter(|primary| !primary.dead);
    let mut primary = primary.ok_or_else(messages::no_secret)?;

    let Copies { mut effects, next_seq, count } = copies(view, &primary, &record)?;
    let promoted = SecretRecord {
        id: record.id,
        scope: record.scope,
        next_seq,
        version_count: count,
        creation_token: None,
        last_changed: stamp(context.now, &primary),
        kms_key_id: record.kms_key_id,
        replication: None,
        // Its rotation is set up anew, by whoever needs one.
        rotation: None,
        external: primary.external.as_ref().map(External::without_rotation),
        // That is between the primary and its own replica.
        cross_account: None,
        ..primary.clone()
    };
    let answer = stage::named(&promoted);
    let is_other = |region: &str| *region != *promoted.scope.region;
    let left = primary.replicas().iter().filter(|r| is_other(&r.region)).cloned().collect();
    replica::set(&mut primary, left);
    primary.last_changed = stamp(context.now, &primary);
    effects.push(Effect::PutSecret(promoted));
    effects.push(Effect::PutSecret(primary));
    if effects.iter().map(rows).sum::<usize>() > limits::OPERATION_ROWS_MAX {
        return Err(messages::too_much_to_copy().into());
    }
    Ok(Plan { effects, answer })
}

/// What gives a replica versions of its own.
pub(crate) struct Copies {
    /// Versions, values and labels; not the replica's record.
    pub(crate) effects: Vec<Effect>,
    /// The number that its next version gets.
    pub(crate) next_seq: Seq,
    /// How many versions it has.
    pub(crate) count: u32,
}

/// Copies the labelled versions of a primary to a replica that has none, oldest first.
pub(crate) fn copies<V: View>(
    view: &V,
    primary: &SecretRecord,
    replica: &SecretRecord,
) -> Result<Copies, Refusal<V::Error>> {
    let stages = view.stages(primary.id).map_err(Refusal::View)?;
    let stages: Vec<_> = stages
        .into_iter()
        .filter(|(stage, _)| {
            !faults::active(Fault::PromotionLosesCurrent)
                || *stage != crate::model::Stage::current()
        })
        .collect();
    let mut copies: BTreeMap<Seq, Seq> = BTreeMap::new();
    copies.extend(stages.iter().map(|(_, seq)| (*seq, Seq(0))));
    let mut effects = Vec::new();
    let mut next_seq = replica.next_seq;
    for (from, to) in &mut copies {
        *to = next_seq;
        next_seq = Seq(next_seq.0.saturating_add(1));
        let version = view.version(primary.id, *from).map_err(Refusal::View)?;
        let version = version.ok_or_else(messages::no_secret)?;
        effects.push(Effect::PutVersion(VersionRecord {
            id: replica.id,
            seq: *to,
            payload: None,
            ..version.clone()
        }));
        if version.kind.is_some() {
            effects.push(Effect::CopyPayload { from: version, id: replica.id, to: *to });
        }
    }
    for (stage, from) in stages {
        if let Some(to) = copies.get(&from) {
            effects.push(Effect::SetStage(replica.id, stage, *to));
        }
    }
    let count = u32::try_from(copies.len()).unwrap_or(limits::VERSIONS_MAX);
    Ok(Copies { effects, next_seq, count })
}
