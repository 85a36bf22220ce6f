//! `BatchGetSecretValue`: each secret is read by itself, whole and as of one moment, and leaves the
//! same mark as by `GetSecretValue`. Values stay in the fence until the answer is written.

use crate::error::Result;
use crate::model::Scope;
use crate::model::api::{BatchGetSecretValue, BatchGetSecretValueResponse, GetSecretValue};
use crate::semantics::batch::{self, Selected, Selection};
use crate::semantics::validate::Checked;
use crate::vault::inner::Inner;
use crate::vault::read::reader::Still;

impl Inner {
    pub(crate) fn batch_get_secret_value(
        &self,
        scope: &Scope,
        request: &BatchGetSecretValue,
    ) -> Result<BatchGetSecretValueResponse> {
        let request = Checked::new(request.clone())?;
        match batch::selection(&request) {
            Selection::Ids(ids) => self.values_of(scope, ids, |_| true),
            Selection::Filters => {
                let Selected { arns, next_token } =
                    self.read_checked(scope, &request, Still::All, |view, scope, ask| {
                        batch::selected(view, scope, ask)
                    })?;
                // Between the page and the read of its values others go on.
                let found =
                    self.values_of(scope, &arns, |fault| !batch::is_no_longer_selected(fault))?;
                Ok(BatchGetSecretValueResponse { next_token, ..found })
            }
        }
    }

    /// Reads the current values. `tells`: whether a secret that is refused so has an entry.
    fn values_of(
        &self,
        scope: &Scope,
        ids: &[String],
        tells: impl Fn(&crate::semantics::Fault) -> bool,
    ) -> Result<BatchGetSecretValueResponse> {
        let mut values = Vec::with_capacity(ids.len());
        let mut errors = Vec::new();
        for id in ids {
            match self.get_secret_value(scope, &GetSecretValue::new(id)) {
                Ok(value) => values.push(value),
                Err(error) => match error.fault() {
                    Some(fault) if tells(fault) => errors.push(batch::error(id, fault)),
                    Some(_) => (),
                    None => return Err(error),
                },
            }
        }
        Ok(BatchGetSecretValueResponse { values, next_token: None, errors })
    }
}
