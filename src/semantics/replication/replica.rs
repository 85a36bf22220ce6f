//! `ReplicateSecretToRegions` and `RemoveRegionsFromReplication`, and the replicas that a secret is
//! made with (SEM-REPL).
//!
//! A replica is a record in its region that leads to the primary, and an entry in the primary's
//! record. Both are written by one operation, so a replica is in sync from its first moment.

use super::status;
use crate::model::api::{
    RemoveRegionsFromReplication, ReplicaRegion, ReplicateSecretToRegions, ReplicationResponse,
};
use crate::model::{
    Replica, ReplicaStatus, Replication, Scope, SecretRecord, SecretRef, Seq, customer_key, limits,
};
use crate::semantics::access::{Action, resolve};
use crate::semantics::change::{Change, Labels, dead, stamp};
use crate::semantics::fault::Fault;
use crate::semantics::messages;
use crate::semantics::operation::Decide;
use crate::semantics::plan::{Answer, Context, Effect, Outcome, Refusal, View, nothing};
use crate::semantics::validate::{
    AboutSecret, Check, Checked, Violations, constraint, members, names, regions,
};
use std::collections::BTreeSet;

impl Check for ReplicateSecretToRegions {
    type Names = SecretRef;

    fn check(&self) -> Result<Self::Names, Fault> {
        let mut found = Violations::default();
        members::secret_id_length(&mut found, &self.secret_id);
        regions::added(&mut found, &self.add_replica_regions);
        found.into_result()?;
        names::reference(&self.secret_id)
    }
}

impl AboutSecret for ReplicateSecretToRegions {
    fn secret_id(&self) -> &str {
        &self.secret_id
    }
}

impl Decide for ReplicateSecretToRegions {
    const GROWS: bool = true;

    fn replicas(&self) -> usize {
        self.add_replica_regions.len()
    }

    fn decide<V: View>(view: &V, context: &Context, request: &Checked<Self>) -> Outcome<V> {
        let record = resolve::active(
            view,
            &context.scope,
            request.secret(),
            Action::ReplicateSecretToRegions,
        )?;
        let before = record.replication.clone();
        let mut change = Change::of(record, Labels::none(), context.now);
        let force = request.force_overwrite_replica_secret == Some(true);
        add(view, context, &mut change, &request.add_replica_regions, force)?;
        let answer = replicated(view, &change.record)?;
        if change.record.replication == before {
            return Ok(nothing(answer));
        }
        Ok(change.finish(answer)?)
    }
}

impl Check for RemoveRegionsFromReplication {
    type Names = SecretRef;

    fn check(&self) -> Result<Self::Names, Fault> {
        const PATH: &str = "removeReplicaRegions";
        let mut found = Violations::default();
        members::secret_id_length(&mut found, &self.secret_id);
        let regions = &self.remove_replica_regions;
        found.list(PATH, &regions.join(", "), regions.len(), 1, usize::MAX);
        for (path, text) in constraint::members(PATH, regions) {
            regions::region(&mut found, &path, text);
        }
        found.into_result()?;
        names::reference(&self.secret_id)
    }
}

impl AboutSecret for RemoveRegionsFromReplication {
    fn secret_id(&self) -> &str {
        &self.secret_id
    }
}

impl Decide for RemoveRegionsFromReplication {
    fn decide<V: View>(view: &V, context: &Context, request: &Checked<Self>) -> Outcome<V> {
        let record = resolve::active(
            view,
            &context.scope,
            request.secret(),
            Action::RemoveRegionsFromReplication,
        )?;
        let goes = |replica: &Replica| {
            request.remove_replica_regions.iter().any(|r| **r == *replica.region)
        };
        let (gone, left): (Vec<_>, Vec<_>) = record.replicas().iter().cloned().partition(goes);
        if gone.is_empty() {
            return Ok(nothing(replicated(view, &record)?));
        }
        let mut change = Change::of(record, Labels::none(), context.now);
        for replica in gone {
            let stored = status::stored(view, &change.record, &replica).map_err(Refusal::View)?;
            if let Some(record) = stored {
                change.push(Effect::DropSecret(record.id));
                change.push(Effect::FreeName(record));
            }
        }
        status::set_replicas(&mut change.record, left);
        let answer = replicated(view, &change.record)?;
        Ok(change.finish(answer)?)
    }
}

/// Replicates a secret under change to regions. Its `replication` stays as it is if all of them are
/// replicas already, under the keys that are asked for (SEM-REPL-6).
pub(crate) fn add<V: View>(
    view: &V,
    context: &Context,
    change: &mut Change,
    regions: &[ReplicaRegion],
    force: bool,
) -> Result<(), Refusal<V::Error>> {
    let mut replicas = change.record.replicas().to_vec();
    let mut seen = BTreeSet::new();
    let mut has_purged = false;
    for asked in regions {
        let scope = Scope::new(&change.record.scope.account, &asked.region);
        // A secret cannot be replicated to another partition.
        if scope == change.record.scope || scope.partition() != change.record.scope.partition() {
            return Err(messages::bad_replica_region().into());
        }
        if !seen.insert(asked.region.as_str()) {
            return Err(messages::duplicate_region(&asked.region).into());
        }
        let mut wanted = Replica {
            region: asked.region.as_str().into(),
            kms_key_id: customer_key(asked.kms_key_id.as_deref()).map(str::to_owned),
            status: ReplicaStatus::InSync,
        };
        let known = replicas.iter_mut().find(|known| known.region == wanted.region);
        if let Some(known) = known.filter(|known| known.status == ReplicaStatus::InSync) {
            if asked.kms_key_id.is_some() && known.kms_key_id != wanted.kms_key_id {
                let stored = status::stored(view, &change.record, known).map_err(Refusal::View)?;
                if let Some(mut record) = stored {
                    record.kms_key_id.clone_from(&wanted.kms_key_id);
                    record.last_changed = stamp(context.now, &record);
                    change.push(Effect::PutSecret(record));
                }
                *known = wanted;
            }
            continue;
        }
        let there = view.secret_by_name(&scope, &change.record.name).map_err(Refusal::View)?;
        match there {
            // Like a forced deletion, it never overwrites a secret that is replicated (SEM-REPL-8).
            Some(there)
                if !force || there.replication.is_some() || there.cross_account.is_some() =>
            {
                wanted.status = ReplicaStatus::Failed;
            }
            Some(there) => {
                change.push(Effect::PutSecret(dead(&there, context.now)));
                if !has_purged {
                    change.push(Effect::NotePurge(context.now.age));
                }
                has_purged = true;
            }
            None => {}
        }
        if wanted.status == ReplicaStatus::InSync {
            let record = fresh(view, context, &change.record, scope, &wanted);
            change.push(Effect::BindName(record.clone()));
            change.push(Effect::PutSecret(record));
        }
        match replicas.iter_mut().find(|known| known.region == wanted.region) {
            Some(known) => *known = wanted,
            None => replicas.push(wanted),
        }
    }
    let key_bytes: usize =
        replicas.iter().map(|replica| replica.kms_key_id.as_ref().map_or(0, String::len)).sum();
    if replicas.len() > limits::REPLICAS_MAX || key_bytes > limits::REPLICA_KEYS_BYTES_MAX {
        return Err(messages::too_many_replicas().into());
    }
    status::set_replicas(&mut change.record, replicas);
    Ok(())
}

/// A record that leads to the primary: name and suffix are the primary's, so that the ARNs differ
/// by their region only (SEM-REPL-1).
fn fresh<V: View>(
    view: &V,
    context: &Context,
    primary: &SecretRecord,
    scope: Scope,
    replica: &Replica,
) -> SecretRecord {
    let region = primary.scope.region.clone();
    SecretRecord {
        id: view.fresh_id(&scope, context.lsn),
        scope,
        name: primary.name.clone(),
        suffix: primary.suffix,
        lsn: context.lsn,
        next_seq: Seq(1),
        version_count: 0,
        creation_token: None,
        created: context.now.wall,
        last_changed: context.now.wall,
        last_accessed: None,
        description: None,
        kms_key_id: replica.kms_key_id.clone(),
        tags: None,
        deletion: None,
        dead: false,
        owning_service: None,
        replication: Some(Replication::ReplicaOf { primary: primary.id, region }),
        policies: None,
        rotation: None,
        external: None,
        cross_account: None,
    }
}

fn replicated<V: View>(view: &V, record: &SecretRecord) -> Result<Answer, Refusal<V::Error>> {
    let status = status::replicas(view, record).map_err(Refusal::View)?;
    Ok(Answer::Replicated(ReplicationResponse {
        arn: record.arn().to_string(),
        replication_status: status.unwrap_or_default(),
    }))
}
