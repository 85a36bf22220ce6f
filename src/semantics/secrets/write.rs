//! `CreateSecret`, `PutSecretValue`, `UpdateSecret`: one rule for tokens (SEM-TOKEN), one for the
//! labels of a new version (SEM-STAGE), three ways to them.

use super::tags;
use crate::env::faults;
use crate::model::api::{CreateSecret, PutSecretValue, UpdateSecret, Written};
use crate::model::{SecretRecord, Seq, Stage, VersionId, VersionRecord};
use crate::secret::PayloadKind;
use crate::semantics::access::resolve;
use crate::semantics::access::{self, Action};
use crate::semantics::change::{Change, Labels, names, nothing};
use crate::semantics::fault::Fault;
use crate::semantics::replication::cross_account;
use crate::semantics::replication::replica;
use crate::semantics::rotation::external;
use crate::semantics::{
    Answer, Context, Effect, Outcome, Plan, Refusal, View, messages, rotation, validate,
};
use std::collections::BTreeSet;

/// Which version a token names, given the value that travels with the request.
enum Token {
    /// None: the token makes a new one.
    Free,
    /// One that a rotation made without a value: it is filled (SEM-TOKEN-6).
    Placeholder(VersionRecord),
    /// One with the same value: the request was answered before (SEM-TOKEN-3).
    Replay(VersionRecord),
}

pub(crate) fn create_secret<V: View>(
    view: &V,
    context: &Context,
    request: &CreateSecret<PayloadKind>,
) -> Outcome<V> {
    validate::create_secret(request, None)?;
    let name = validate::name(&request.name)?;
    let token = validate::token(request.client_request_token.as_deref())?;
    if let Some(record) = view.secret_by_name(&context.scope, &name).map_err(Refusal::View)? {
        let mut plan = create_again(view, &record, &token, request.value)?;
        tell_replicas(&mut plan.answer, request, &record);
        return Ok(plan);
    }
    let cross_account = cross_account::of_new_secret(&context.scope, request)?;
    let tags = tags::first(request.tags.as_deref().unwrap_or_default())?;
    let record = SecretRecord {
        id: context.fresh_id,
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
        kms_key_id: key_name(request.kms_key_id.as_deref()),
        tags,
        deletion: None,
        dead: false,
        owning_service: None,
        replication: None,
        policies: None,
        rotation: None,
        external: external::of(request.partner.as_deref()),
        cross_account,
    };
    let mut change = Change::of(record, Labels::none(), context.now);
    let version_id = request.value.is_some().then(|| token.clone());
    if let Some(kind) = request.value {
        let seq = add_version(&mut change, context, token, kind)?;
        label(&mut change.labels, seq, None, true);
    }
    if let Some(regions) = &request.add_replica_regions {
        let force = request.force_overwrite_replica_secret == Some(true);
        replica::add(view, context, &mut change, regions, force)?;
    }
    let mut answer = written(&change.record, version_id, Vec::new());
    tell_replicas(&mut answer, request, &change.record);
    let mut plan = change.finish(answer)?;
    bind_name(&mut plan);
    Ok(plan)
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
        Some(kind) => match look_up_token(view, record, token, kind)? {
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

pub(crate) fn put_secret_value<V: View>(
    view: &V,
    context: &Context,
    request: &PutSecretValue<PayloadKind>,
) -> Outcome<V> {
    validate::put_secret_value(request, None)?;
    let token = validate::token(request.client_request_token.as_deref())?;
    let record =
        resolve::with_value(view, &context.scope, &request.secret_id, Action::PutSecretValue)?;
    let kind = request.value.ok_or_else(messages::no_value)?;
    let found = look_up_token(view, &record, &token, kind)?;
    let labels = Labels::load(view, record.id)?;
    if let Token::Replay(version) = found {
        // Other labels than the first time are not moved; the answer shows those of now.
        let stages = names(labels.on(version.seq));
        return Ok(nothing(written(&record, Some(version.version_id), stages)));
    }
    let stages = request.version_stages.as_deref().map(stage_set);
    let mut change = Change::of(record, labels, context.now);
    let seq = write_value(&mut change, context, found, token.clone(), kind, stages)?;
    let answer = written(&change.record, Some(token), names(change.labels.on(seq)));
    Ok(change.finish(answer)?)
}

pub(crate) fn update_secret<V: View>(
    view: &V,
    context: &Context,
    request: &UpdateSecret<PayloadKind>,
) -> Outcome<V> {
    validate::update_secret(request, None)?;
    let token = validate::token(request.client_request_token.as_deref())?;
    let record = resolve::active(view, &context.scope, &request.secret_id, Action::UpdateSecret)?;
    if request.value.is_some() {
        access::check_key(&context.scope, &record)?;
    }
    let has_metadata = request.description.is_some() || request.kms_key_id.is_some();
    if request.value.is_none() && request.partner.is_none() && !has_metadata {
        return Ok(nothing(written(&record, None, Vec::new())));
    }
    let found = match request.value {
        Some(kind) => Some((kind, look_up_token(view, &record, &token, kind)?)),
        None => None, // Without a value the token means nothing (SEM-TOKEN-8).
    };
    if let Some((_, Token::Replay(version))) = found {
        return Ok(nothing(written(&record, Some(version.version_id), Vec::new())));
    }
    let labels = Labels::load(view, record.id)?;
    let mut change = Change::of(record, labels, context.now);
    if let Some(text) = &request.description {
        change.record.description = non_empty(Some(text));
    }
    if let Some(text) = &request.kms_key_id {
        change.record.kms_key_id = key_name(Some(text));
    }
    if let Some(partner) = &request.partner {
        external::change(&mut change.record, partner);
    }
    let mut version_id = None;
    if let Some((kind, found)) = found {
        write_value(&mut change, context, found, token.clone(), kind, None)?;
        version_id = Some(token);
    }
    let answer = written(&change.record, version_id, Vec::new());
    Ok(change.finish(answer)?)
}

/// What the token names, or E9 if it names a version with another value. Kind and bytes must both
/// agree (SEM-TOKEN-5).
fn look_up_token<V: View>(
    view: &V,
    record: &SecretRecord,
    token: &VersionId,
    kind: PayloadKind,
) -> Result<Token, Refusal<V::Error>> {
    let Some(seq) = view.version_seq(record.id, token).map_err(Refusal::View)? else {
        return Ok(Token::Free);
    };
    let Some(version) = view.version(record.id, seq).map_err(Refusal::View)? else {
        return Ok(Token::Free);
    };
    match version.kind {
        None => Ok(Token::Placeholder(version)),
        Some(_) if faults::active(faults::Fault::TokenReuseAccepted) => Ok(Token::Replay(version)),
        Some(stored)
            if stored == kind && view.same_payload(record.id, seq).map_err(Refusal::View)? =>
        {
            Ok(Token::Replay(version))
        }
        Some(_) => Err(messages::token_is_taken(token, &record.arn()).into()),
    }
}

/// Makes or fills the version of the token and moves the labels.
fn write_value(
    change: &mut Change,
    context: &Context,
    found: Token,
    token: VersionId,
    kind: PayloadKind,
    stages: Option<BTreeSet<Stage>>,
) -> Result<Seq, Fault> {
    let first = change.record.version_count == 0;
    let seq = match found {
        Token::Placeholder(mut version) => {
            version.kind = Some(kind);
            let seq = version.seq;
            change.push(Effect::PutVersion(version));
            change.push(Effect::AttachPayload(seq));
            seq
        }
        Token::Free | Token::Replay(_) => add_version(change, context, token, kind)?,
    };
    let was_current = change.labels.holder(&Stage::current());
    label(&mut change.labels, seq, stages, first);
    if change.labels.holder(&Stage::current()) != was_current {
        rotation::value_changed(change);
    }
    Ok(seq)
}

fn add_version(
    change: &mut Change,
    context: &Context,
    version_id: VersionId,
    kind: PayloadKind,
) -> Result<Seq, Fault> {
    let seq = change.add_version(context.now, version_id, Some(kind))?;
    change.push(Effect::AttachPayload(seq));
    Ok(seq)
}

/// The labels of a version that was just written (SEM-STAGE-7 to SEM-STAGE-12).
fn label(labels: &mut Labels, seq: Seq, stages: Option<BTreeSet<Stage>>, first: bool) {
    let Some(stages) = stages else {
        labels.promote(seq);
        labels.detach(&Stage::pending());
        return;
    };
    let current = first || stages.contains(&Stage::current());
    for stage in stages {
        if stage != Stage::current() {
            labels.attach(stage, seq);
        }
    }
    if current {
        labels.promote(seq);
    }
}

/// `VersionStages` as a set. Lengths were checked before, so nothing is left out.
fn stage_set(stages: &[String]) -> BTreeSet<Stage> {
    stages.iter().filter_map(|text| Stage::parse(text)).collect()
}

fn bind_name(plan: &mut Plan) {
    // The last record is the secret's own: those of its replicas were pushed before it.
    let record = plan.effects.iter().rev().find_map(|effect| match effect {
        Effect::PutSecret(record) => Some(record.clone()),
        _ => None,
    });
    plan.effects.extend(record.map(Effect::BindName));
}

fn written(record: &SecretRecord, version_id: Option<VersionId>, stages: Vec<String>) -> Answer {
    Answer::Written(Written {
        arn: record.arn().to_string(),
        name: record.name.to_string(),
        version_id,
        version_stages: stages,
        replication_status: None,
    })
}

/// `ReplicationStatus`, for those who asked for replicas (SEM-REPL-4).
fn tell_replicas(answer: &mut Answer, request: &CreateSecret<PayloadKind>, record: &SecretRecord) {
    if let (Answer::Written(written), Some(_)) = (answer, &request.add_replica_regions) {
        written.replication_status = Some(replica::status(record).unwrap_or_default());
    }
}

/// An empty text is no text (SEM-VAL-7).
fn non_empty(text: Option<&str>) -> Option<String> {
    text.filter(|text| !text.is_empty()).map(str::to_owned)
}

/// The customer's key, kept as it was given; none for AWS's own key under any of its names
/// (SEM-VAL-8).
pub(crate) fn key_name(text: Option<&str>) -> Option<String> {
    const OWN: &str = "alias/aws/secretsmanager";
    let is_own = |text: &str| {
        text == "aws/secretsmanager"
            || text == OWN
            || text
                .strip_suffix(OWN)
                .is_some_and(|arn| arn.starts_with("arn:") && arn.ends_with(':'))
    };
    non_empty(text).filter(|text| !is_own(text))
}
