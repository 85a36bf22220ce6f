//! `PutSecretValue`.

use super::token::{self, Token};
use super::value;
use crate::model::api::PutSecretValue;
use crate::model::{Stage, limits};
use crate::secret::PayloadKind;
use crate::semantics::access::{Action, resolve};
use crate::semantics::change::{Change, Labels, names, written};
use crate::semantics::fault::Fault;
use crate::semantics::messages;
use crate::semantics::operation::Decide;
use crate::semantics::plan::{Context, Outcome, View, nothing};
use crate::semantics::validate::{
    AboutSecret, Check, Checked, PutNames, Value, Violations, constraint, members, names,
    with_value,
};

impl<V: Value> Check for PutSecretValue<V> {
    type Names = PutNames;

    fn check(&self) -> Result<Self::Names, Fault> {
        let value = self.value.as_ref().and_then(Value::shape);
        let mut found = Violations::default();
        members::secret_id_length(&mut found, &self.secret_id);
        members::token_length(&mut found, self.client_request_token.as_deref());
        members::payload(&mut found, value);
        if let Some(stages) = &self.version_stages {
            let shown = stages.join(", ");
            found.list("versionStages", &shown, stages.len(), 1, limits::STAGES_MAX);
            for (path, stage) in constraint::members("versionStages", stages) {
                members::stage_length(&mut found, &path, stage);
            }
        }
        if let Some(token) = &self.rotation_token {
            members::rotation_token(&mut found, token);
        }
        found.into_result()?;
        let secret = names::reference(&self.secret_id)?;
        let token = names::token(self.client_request_token.as_deref())?;
        // Their lengths were checked, so none is left out.
        let stages = self.version_stages.as_deref();
        let stages =
            stages.map(|stages| stages.iter().filter_map(|text| Stage::parse(text)).collect());
        Ok(PutNames { secret, token, stages })
    }
}

impl<V: Value> AboutSecret for PutSecretValue<V> {
    fn secret_id(&self) -> &str {
        &self.secret_id
    }
}

with_value! {
    PutSecretValue { secret_id, client_request_token, version_stages } without rotation_token
}

impl Decide for PutSecretValue<PayloadKind> {
    const GROWS: bool = true;

    fn decide<V: View>(view: &V, context: &Context, request: &Checked<Self>) -> Outcome<V> {
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
}
