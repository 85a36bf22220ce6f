//! `CreateSecret`.

use super::tags;
use crate::model::api::CreateSecret;
use crate::model::{
    CrossAccount, CrossAccountPrimary, Link, Scope, SecretRecord, Seq, VersionId, customer_key,
    limits,
};
use crate::secret::PayloadKind;
use crate::semantics::change::{Change, Labels, non_empty, written};
use crate::semantics::fault::Fault;
use crate::semantics::messages;
use crate::semantics::operation::Decide;
use crate::semantics::plan::{Answer, Context, Effect, Outcome, Plan, Refusal, View, nothing};
use crate::semantics::replication::{cross_account, replica, status};
use crate::semantics::rotation::external;
use crate::semantics::validate::{
    Check, Checked, CreateNames, Value, Violations, members, names, regions, with_value,
};
use crate::semantics::versions::token::{self, Token};
use crate::semantics::versions::value;

impl<V: Value> Check for CreateSecret<V> {
    type Names = CreateNames;

    fn check(&self) -> Result<Self::Names, Fault> {
        let value = self.value.as_ref().and_then(Value::shape);
        let mut found = Violations::default();
        found.text("name", &self.name, 1, limits::NAME_CHARS_MAX);
        members::token_length(&mut found, self.client_request_token.as_deref());
        members::metadata(&mut found, self.description.as_deref(), self.kms_key_id.as_deref());
        members::payload(&mut found, value);
        members::tags(&mut found, self.tags.as_deref().unwrap_or_default());
        if let Some(regions) = &self.add_replica_regions {
            regions::added(&mut found, regions);
        }
        members::partner(&mut found, self.partner.as_deref());
        members::arn(
            &mut found,
            "crossAccountPrimaryARN",
            self.cross_account_primary_arn.as_deref(),
        );
        found.into_result()?;
        let name = names::name(&self.name)?;
        Ok(CreateNames { name, token: names::token(self.client_request_token.as_deref())? })
    }
}

with_value! {
    CreateSecret {
        name, client_request_token, description, kms_key_id, tags, add_replica_regions,
        force_overwrite_replica_secret, partner, cross_account_primary_arn
    }
}

impl Decide for CreateSecret<PayloadKind> {
    const GROWS: bool = true;
    const NEEDS_SUFFIX: bool = true;

    fn replicas(&self) -> usize {
        self.add_replica_regions.as_ref().map_or(0, Vec::len)
    }

    fn decide<V: View>(view: &V, context: &Context, request: &Checked<Self>) -> Outcome<V> {
        let CreateNames { name, token } = request.names().clone();
        if let Some(record) = view.secret_by_name(&context.scope, &name).map_err(Refusal::View)? {
            let mut plan = create_again(view, &record, &token, request.value)?;
            tell_replicas(view, &mut plan.answer, request, &record)?;
            return Ok(plan);
        }
        let cross_account = cross_account_primary(&context.scope, request)?;
        let primary = match &cross_account {
            Some(CrossAccount::Replica(primary)) => Some(&primary.arn),
            _ => None,
        };
        let tags = tags::first(request.tags.as_deref().unwrap_or_default())?;
        let record = SecretRecord {
            id: view.fresh_id(&context.scope, context.lsn),
            scope: context.scope.clone(),
            name,
            suffix: context.suffix,
            lsn: context.lsn,
            next_seq: Seq(1),
            version_count: 0,
            creation_token: request.value.is_none().then(|| token.clone()),
            created: context.now.wall,
            last_changed: context.now.wall,
            last_accessed: None,
            description: non_empty(request.description.as_deref()),
            kms_key_id: non_empty(request.kms_key_id.as_deref()),
            tags,
            deletion: None,
            dead: false,
            owning_service: None,
            replication: None,
            policies: primary.map(cross_account::policies),
            rotation: None,
            external: external::of(request.partner.as_deref()),
            cross_account,
        };
        let mut change = Change::of(record, Labels::none(), context.now);
        let version_id = request.value.is_some().then(|| token.clone());
        if let Some(kind) = request.value {
            let seq = value::add(&mut change, context, token, kind)?;
            value::label(&mut change.labels, seq, None, true);
        }
        if let Some(regions) = &request.add_replica_regions {
            let force = request.force_overwrite_replica_secret == Some(true);
            replica::add(view, context, &mut change, regions, force)?;
        }
        let mut answer = written(&change.record, version_id, Vec::new());
        tell_replicas(view, &mut answer, request, &change.record)?;
        let mut plan = change.finish(answer)?;
        bind_name(&mut plan);
        Ok(plan)
    }
}

/// The primary of a new secret that is made as a replica. Checks which members such a request has and lacks
/// (SEM-XREPL-1).
fn cross_account_primary<V>(
    caller: &Scope,
    request: &CreateSecret<V>,
) -> Result<Option<CrossAccount>, Fault> {
    let Some(primary) = &request.cross_account_primary_arn else { return Ok(None) };
    let arn = cross_account::other_arn(caller, primary, "CrossAccountPrimaryARN")?;
    for (member, is_given) in [
        ("SecretString or SecretBinary", request.value.is_some()),
        ("Description", request.description.is_some()),
        ("AddReplicaRegions", request.add_replica_regions.is_some()),
        ("Type", request.partner.is_some()),
    ] {
        if is_given {
            return Err(messages::not_with_cross_account_primary(member));
        }
    }
    if customer_key(request.kms_key_id.as_deref()).is_none() {
        return Err(messages::cross_account_replica_needs_key());
    }
    Ok(Some(CrossAccount::Replica(CrossAccountPrimary { arn, link: Link::Pending })))
}

/// `CreateSecret` on a name that is taken (SEM-TOKEN-2, SEM-TOKEN-7, SEM-DEL-8).
fn create_again<V: View>(
    view: &V,
    record: &SecretRecord,
    token: &VersionId,
    value: Option<PayloadKind>,
) -> Outcome<V> {
    if record.deletion.is_some() {
        return Err(messages::name_is_scheduled().into());
    }
    let version_id = match value {
        Some(kind) => match token::look_up(view, record, token, kind)? {
            Token::Replay(version) => Some(version.version_id),
            Token::Placeholder(_) => {
                return Err(messages::token_is_taken(token, &record.arn()).into());
            }
            Token::Free => return Err(messages::name_is_taken(&record.name).into()),
        },
        None if record.creation_token.as_ref() == Some(token) => None,
        None => {
            let version = view.version_seq(record.id, token).map_err(Refusal::View)?;
            return Err(match version {
                Some(_) => messages::token_is_taken(token, &record.arn()),
                None => messages::name_is_taken(&record.name),
            }
            .into());
        }
    };
    Ok(nothing(written(record, version_id, Vec::new())))
}

fn bind_name(plan: &mut Plan) {
    // The last record is the secret's own: those of its replicas were pushed before it.
    let record = plan.effects.iter().rev().find_map(|effect| match effect {
        Effect::PutSecret(record) => Some(record.clone()),
        _ => None,
    });
    plan.effects.extend(record.map(Effect::BindName));
}

/// `ReplicationStatus`, for those who asked for replicas (SEM-REPL-4).
fn tell_replicas<V: View>(
    view: &V,
    answer: &mut Answer,
    request: &CreateSecret<PayloadKind>,
    record: &SecretRecord,
) -> Result<(), Refusal<V::Error>> {
    if let (Answer::Written(written), Some(_)) = (answer, &request.add_replica_regions) {
        let status = status::replicas(view, record).map_err(Refusal::View)?;
        written.replication_status = Some(status.unwrap_or_default());
    }
    Ok(())
}
