//! `UpdateSecret`.

use crate::model::api::UpdateSecret;
use crate::secret::PayloadKind;
use crate::semantics::access::{self, Action, resolve};
use crate::semantics::change::{Change, Labels, non_empty, written};
use crate::semantics::fault::Fault;
use crate::semantics::operation::Decide;
use crate::semantics::plan::{Context, Outcome, View, nothing};
use crate::semantics::rotation::external;
use crate::semantics::validate::{
    AboutSecret, Check, Checked, Value, VersionNames, Violations, members, names, with_value,
};
use crate::semantics::versions::token::{self, Token};
use crate::semantics::versions::value;

impl<V: Value> Check for UpdateSecret<V> {
    type Names = VersionNames;

    fn check(&self) -> Result<Self::Names, Fault> {
        let value = self.value.as_ref().and_then(Value::shape);
        let mut found = Violations::default();
        members::secret_id_length(&mut found, &self.secret_id);
        members::token_length(&mut found, self.client_request_token.as_deref());
        members::metadata(&mut found, self.description.as_deref(), self.kms_key_id.as_deref());
        members::payload(&mut found, value);
        members::partner(&mut found, self.partner.as_deref());
        found.into_result()?;
        let secret = names::reference(&self.secret_id)?;
        Ok(VersionNames { secret, token: names::token(self.client_request_token.as_deref())? })
    }
}

impl<V: Value> AboutSecret for UpdateSecret<V> {
    fn secret_id(&self) -> &str {
        &self.secret_id
    }
}

with_value! {
    UpdateSecret { secret_id, client_request_token, description, kms_key_id, partner }
}

impl Decide for UpdateSecret<PayloadKind> {
    const GROWS: bool = true;

    fn decide<V: View>(view: &V, context: &Context, request: &Checked<Self>) -> Outcome<V> {
        let token = &request.names().token;
        let record = resolve::active(view, &context.scope, request.secret(), Action::UpdateSecret)?;
        if request.value.is_some() {
            access::check_key(&context.scope, &record)?;
        }
        let has_metadata = request.description.is_some() || request.kms_key_id.is_some();
        if request.value.is_none() && request.partner.is_none() && !has_metadata {
            return Ok(nothing(written(&record, None, Vec::new())));
        }
        let found = match request.value {
            Some(kind) => Some((kind, token::look_up(view, &record, token, kind)?)),
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
            change.record.kms_key_id = non_empty(Some(text));
        }
        if let Some(partner) = &request.partner {
            external::change(&mut change.record, partner);
        }
        let mut version_id = None;
        if let Some((kind, found)) = found {
            value::write(&mut change, context, found, token.clone(), kind, None)?;
            version_id = Some(token.clone());
        }
        let answer = written(&change.record, version_id, Vec::new());
        Ok(change.finish(answer)?)
    }
}
