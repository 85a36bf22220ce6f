//! `PutSecretValue`.

use super::token::{self, Token};
use super::value;
use crate::model::api::PutSecretValue;
use crate::secret::PayloadKind;
use crate::semantics::access::{Action, resolve};
use crate::semantics::change::{Change, Labels, names, written};
use crate::semantics::messages;
use crate::semantics::plan::{Context, Outcome, View, nothing};
use crate::semantics::validate::{Checked, PutNames};

pub(crate) fn put_secret_value<V: View>(
    view: &V,
    context: &Context,
    request: &Checked<PutSecretValue<PayloadKind>>,
) -> Outcome<V> {
    let PutNames { token, stages, .. } = request.names();
    let record =
        resolve::with_value(view, &context.scope, request.secret(), Action::PutSecretValue)?;
    let kind = request.value.ok_or_else(messages::no_value)?;
    let found = token::look_up(view, &record, token, kind)?;
    let labels = Labels::load(view, record.id)?;
    if let Token::Replay(version) = found {
        // Other labels than the first time are not moved; the answer shows those of now.
        let stages = names(labels.on(version.seq));
        return Ok(nothing(written(&record, Some(version.version_id), stages)));
    }
    let mut change = Change::of(record, labels, context.now);
    let seq = value::write(&mut change, context, found, token.clone(), kind, stages.clone())?;
    let answer = written(&change.record, Some(token.clone()), names(change.labels.on(seq)));
    Ok(change.finish(answer)?)
}
