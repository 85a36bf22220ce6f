//! Replicas in other accounts (SEM-XREPL): `AssociateCrossAccountReplica`,
//! `DisassociateCrossAccountReplica`, and what `CreateSecret`, `StopReplicationToReplica` and
//! `DeleteSecret` do about them.
//!
//! ```text
//! CreateSecret --> Pending --Associate--> InSync --Disassociate--> Detached --Associate--> InSync
//!  in B, for A        |        in A          |         in A           |           in A
//!                     \----------------------+---StopReplication------/--> a secret of its own
//! ```
//!
//! A replica in sync is an alias, as one in another region is: it has no version, and [`alias`]
//! leads reads to its primary. A detached one has copies of the labelled versions. Name, key name,
//! tags and policies are the replica's own, since its account made it with them.
//!
//! [`alias`]: crate::semantics::access::alias

use super::copies::must_fit;
use super::parting::{linked_replica, parted};
use crate::model::api::{
    AssociateCrossAccountReplica, AssociationResponse, DisassociateCrossAccountReplica,
};
use crate::model::{
    Arn, CrossAccount, CrossAccountPrimary, CrossAccountReplica, CrossAccountStatus, Link,
    Policies, Scope, SecretRecord, SecretRef, limits,
};
use crate::semantics::access::{self, Action, resolve};
use crate::semantics::change::{Change, Labels, stamp};
use crate::semantics::fault::Fault;
use crate::semantics::messages;
use crate::semantics::operation::Decide;
use crate::semantics::plan::{Answer, Context, Effect, Outcome, Refusal, View, nothing};
use crate::semantics::policy::root_arn;
use crate::semantics::validate::{self, AboutSecret, Check, Checked, Violations, members, names};
use crate::semantics::versions::get;
use std::collections::BTreeMap;

/// `ReplicaRestrictionType` of the API model.
const RESTRICTIONS: [&str; 2] = ["SameOrg", "NoRestriction"];

impl Check for AssociateCrossAccountReplica {
    type Names = SecretRef;

    fn check(&self) -> Result<Self::Names, Fault> {
        let mut found = Violations::default();
        members::secret_id_length(&mut found, &self.secret_id);
        members::arn(&mut found, "crossAccountReplicaARN", Some(&self.replica_arn));
        if let Some(restriction) = &self.replica_restriction {
            found.one_of("replicaRestriction", restriction, &RESTRICTIONS);
        }
        members::arn(&mut found, "replicationRoleARN", self.replication_role_arn.as_deref());
        found.into_result()?;
        names::reference(&self.secret_id)
    }
}

impl AboutSecret for AssociateCrossAccountReplica {
    fn secret_id(&self) -> &str {
        &self.secret_id
    }
}

impl Decide for AssociateCrossAccountReplica {
    const GROWS: bool = true;
    const IS_ALONE: bool = true;

    fn decide<V: View>(view: &V, context: &Context, request: &Checked<Self>) -> Outcome<V> {
        let (secret, action) = (request.secret(), Action::AssociateCrossAccountReplica);
        let record = resolve::active(view, &context.scope, secret, action)?;
        // The replica will show the values, so the caller has to be allowed to read them.
        get::check_access(&context.scope, &record, &request.secret_id)?;
        must_be_own_account(&context.scope, &record)?;
        let arn = other_arn(&context.scope, &request.replica_arn, "CrossAccountReplicaARN")?;
        let role = request.replication_role_arn.as_deref();
        validate::role(role, "ReplicationRoleARN")?;
        let replica = accepting(view, &context.scope, &record, &arn)?;

        let entry = CrossAccountReplica { arn, role: role.map(Into::into), is_associated: true };
        let answer = associated(&record, &entry.arn, Some(CrossAccountStatus::InSync));
        let known = record.cross_account_replica();
        let is_linked = replica.shows() == Some(record.id);
        if is_linked && known == Some(&entry) {
            return Ok(nothing(answer));
        }
        if known.is_some_and(|known| known.is_associated && known.arn != entry.arn) {
            return Err(messages::too_many_cross_account_replicas().into());
        }
        let mut change = Change::of(record, Labels::none(), context.now);
        change.record.cross_account = Some(CrossAccount::Primary(entry));
        if !is_linked {
            // The copies from when it was detached are removed: it shows the primary's versions again.
            for (stage, _) in view.stages(replica.id).map_err(Refusal::View)? {
                change.push(Effect::DropStage(replica.id, stage));
            }
            let kept =
                view.versions(replica.id, None, limits::STAGES_MAX).map_err(Refusal::View)?;
            for version in kept {
                change.push(Effect::DropVersion(version));
            }
            change.push(Effect::PutSecret(SecretRecord {
                version_count: 0,
                description: None,
                external: None,
                last_changed: stamp(context.now, &replica),
                last_accessed: None,
                cross_account: Some(linked(&change.record, Link::InSync(change.record.id))),
                ..replica
            }));
        }
        let plan = change.finish(answer)?;
        must_fit(&plan)?;
        Ok(plan)
    }
}

impl Check for DisassociateCrossAccountReplica {
    type Names = SecretRef;

    fn check(&self) -> Result<Self::Names, Fault> {
        let mut found = Violations::default();
        members::secret_id_length(&mut found, &self.secret_id);
        members::arn(&mut found, "crossAccountReplicaARN", Some(&self.replica_arn));
        found.into_result()?;
        names::reference(&self.secret_id)
    }
}

impl AboutSecret for DisassociateCrossAccountReplica {
    fn secret_id(&self) -> &str {
        &self.secret_id
    }
}

impl Decide for DisassociateCrossAccountReplica {
    const GROWS: bool = true;
    const IS_ALONE: bool = true;

    fn decide<V: View>(view: &V, context: &Context, request: &Checked<Self>) -> Outcome<V> {
        let (secret, action) = (request.secret(), Action::DisassociateCrossAccountReplica);
        let record = resolve::active(view, &context.scope, secret, action)?;
        must_be_own_account(&context.scope, &record)?;
        let known = record.cross_account_replica().cloned();
        let known = known.filter(|known| known.arn.to_string() == request.replica_arn);
        let known = known.ok_or_else(|| messages::not_associated(&request.replica_arn))?;
        let answer = associated(&record, &known.arn, None);
        let mut change = Change::of(record, Labels::none(), context.now);
        change.record.cross_account = None;
        if known.is_associated {
            let replica = linked_replica(view, &change.record, &known.arn)?;
            let mut parted = parted(view, context, &change.record, &replica)?;
            parted.record.cross_account = Some(linked(&change.record, Link::Detached));
            for effect in parted.effects {
                change.push(effect);
            }
            change.push(Effect::PutSecret(parted.record));
        }
        let plan = change.finish(answer)?;
        must_fit(&plan)?;
        Ok(plan)
    }
}

/// The policy that a replica gets when it is made (SEM-XREPL-3). AWS does not publish its text: this one says
/// what SEM-XREPL-3 does.
pub(crate) fn policies(primary: &Arn) -> Policies {
    let user = root_arn(&primary.scope);
    let text = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{user}"}},"Action":"secretsmanager:AcceptCrossAccountReplication","Resource":"*"}}]}}"#
    );
    let named = BTreeMap::from([(Policies::CROSS_ACCOUNT.to_owned(), text)]);
    Policies { default: None, named }
}

/// E29 while the primary names a replica, also one whose account has stopped the replication: the primary
/// has to disassociate it first (SEM-XREPL-9).
pub(crate) fn must_have_no_replica(record: &SecretRecord, secret_id: &str) -> Result<(), Fault> {
    match record.cross_account_replica() {
        Some(replica) => {
            Err(messages::has_cross_account_replica(secret_id, &replica.arn.to_string()))
        }
        None => Ok(()),
    }
}

/// The complete ARN of a secret of another account, in the caller's region and so its partition.
pub(crate) fn other_arn(caller: &Scope, text: &str, member: &str) -> Result<Arn, Fault> {
    match SecretRef::parse(text) {
        Ok(SecretRef::Arn(arn)) if resolve::is_of_a_neighbour(caller, &arn.scope) => Ok(arn),
        _ => Err(messages::bad_cross_account_arn(member)),
    }
}

fn must_be_own_account(caller: &Scope, primary: &SecretRecord) -> Result<(), Fault> {
    if primary.scope.account == caller.account {
        Ok(())
    } else {
        Err(messages::not_the_primarys_account())
    }
}

/// The replica, if it accepts this primary: it was made with the primary's ARN, and none of its policies
/// denies the association. All other cases give the primary's account the same refusal (SEM-XREPL-3).
fn accepting<V: View>(
    view: &V,
    caller: &Scope,
    primary: &SecretRecord,
    arn: &Arn,
) -> Result<SecretRecord, Refusal<V::Error>> {
    const ACTION: Action = Action::AcceptCrossAccountReplication;
    let found = view.secret_by_name(&arn.scope, &arn.name).map_err(Refusal::View)?;
    let names_it = |replica: &SecretRecord| {
        replica.suffix == arn.suffix
            && replica.cross_account_primary().is_some_and(|named| named.arn == primary.arn())
            && !access::denies(caller, replica, ACTION)
    };
    let found = found.filter(names_it);
    Ok(found.ok_or_else(|| access::not_allowed(caller, &arn.to_string(), ACTION))?)
}

fn linked(primary: &SecretRecord, link: Link) -> CrossAccount {
    CrossAccount::Replica(CrossAccountPrimary { arn: primary.arn(), link })
}

fn associated(primary: &SecretRecord, replica: &Arn, status: Option<CrossAccountStatus>) -> Answer {
    Answer::Associated(AssociationResponse {
        arn: primary.arn().to_string(),
        replica_arn: replica.to_string(),
        status,
    })
}
