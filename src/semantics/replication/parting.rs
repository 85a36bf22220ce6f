//! How a replica in another account is separated from its primary (SEM-XREPL-7, SEM-XREPL-8).

use super::copies::{copies, must_fit};
use crate::model::{Arn, CrossAccount, Policies, SecretRecord};
use crate::semantics::access::alias;
use crate::semantics::change::{promoted, stamp};
use crate::semantics::messages;
use crate::semantics::plan::{Context, Effect, Outcome, Plan, Refusal, View};

/// `StopReplicationToReplica` on a replica of another account's secret.
pub(crate) fn stop<V: View>(view: &V, context: &Context, record: &SecretRecord) -> Outcome<V> {
    let mut effects = Vec::new();
    let mut own = SecretRecord { last_changed: stamp(context.now, record), ..record.clone() };
    if let Some(id) = record.shows() {
        let primary = view.secret(id).map_err(Refusal::View)?.filter(|primary| !primary.dead);
        let mut primary = primary.ok_or_else(messages::no_secret)?;
        let parted = parted(view, context, &primary, record)?;
        (own, effects) = (parted.record, parted.effects);
        if let Some(CrossAccount::Primary(entry)) = &mut primary.cross_account {
            entry.is_associated = false;
        }
        primary.last_changed = stamp(context.now, &primary);
        effects.push(Effect::PutSecret(primary));
    }
    own.cross_account = None;
    own.creation_token = None;
    if let Some(policies) = &mut own.policies {
        policies.named.remove(Policies::CROSS_ACCOUNT);
    }
    own.policies = own.policies.filter(|policies| !policies.is_empty());
    let answer = promoted(&own);
    effects.push(Effect::PutSecret(own));
    let plan = Plan { effects, answer };
    must_fit(&plan)?;
    Ok(plan)
}

/// A separated replica, and the effects that copy the versions it keeps.
pub(super) struct Parted {
    pub(super) record: SecretRecord,
    pub(super) effects: Vec<Effect>,
}

pub(super) fn parted<V: View>(
    view: &V,
    context: &Context,
    primary: &SecretRecord,
    replica: &SecretRecord,
) -> Result<Parted, Refusal<V::Error>> {
    let copies = copies(view, primary, replica)?;
    let shown = alias::of_other_account(replica.clone(), primary.clone());
    let record = SecretRecord {
        id: replica.id,
        lsn: replica.lsn,
        next_seq: copies.next_seq,
        version_count: copies.count,
        last_changed: stamp(context.now, &shown),
        ..shown
    };
    Ok(Parted { record, effects: copies.effects })
}

/// The record of an associated replica.
pub(super) fn linked_replica<V: View>(
    view: &V,
    primary: &SecretRecord,
    arn: &Arn,
) -> Result<SecretRecord, Refusal<V::Error>> {
    let found = view.secret_by_name(&arn.scope, &arn.name).map_err(Refusal::View)?;
    let found = found.filter(|found| found.shows() == Some(primary.id));
    Ok(found.ok_or_else(messages::no_secret)?)
}
