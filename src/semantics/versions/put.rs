//! `PutSecretValue`.

use super::token::{self, Token};
use super::value;
use crate::model::Stage;
use crate::model::api::PutSecretValue;
use crate::secret::PayloadKind;
use crate::semantics::access::{Action, resolve};
use crate::semantics::change::{Change, Labels, names, written};
use crate::semantics::plan::{Context, Outcome, View, nothing};
use crate::semantics::{messages, validate};
use std::collections::BTreeSet;

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
    let found = token::look_up(view, &record, &token, kind)?;
    let labels = Labels::load(view, record.id)?;
    if let Token::Replay(version) = found {
        // Other labels than the first time are not moved; the answer shows those of now.
        let stages = names(labels.on(version.seq));
        return Ok(nothing(written(&record, Some(version.version_id), stages)));
    }
    let stages = request.version_stages.as_deref().map(stage_set);
    let mut change = Change::of(record, labels, context.now);
    let seq = value::write(&mut change, context, found, token.clone(), kind, stages)?;
    let answer = written(&change.record, Some(token), names(change.labels.on(seq)));
    Ok(change.finish(answer)?)
}

/// `VersionStages` as a set. Lengths were checked before, so nothing is left out.
fn stage_set(stages: &[String]) -> BTreeSet<Stage> {
    stages.iter().filter_map(|text| Stage::parse(text)).collect()
}
