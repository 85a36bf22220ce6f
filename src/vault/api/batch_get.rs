//! `BatchGetSecretValue`. Each secret is read by itself, consistently and with an access mark, as by
//! `GetSecretValue`. Values stay in the fence until the answer is written.

use crate::error::Result;
use crate::model::Scope;
use crate::model::api::{BatchGetSecretValue, BatchGetSecretValueResponse};
use crate::semantics::batch::{self, Selected, Selection};
use crate::semantics::current_value;
use crate::semantics::validate::Checked;
use crate::vault::handle::Vault;
use crate::vault::inner::Inner;

impl Vault {
    /// `BatchGetSecretValue`: the current values of up to 20 secrets, each read by itself.
    pub fn batch_get_secret_value(
        &self,
        request: BatchGetSecretValue,
    ) -> Result<BatchGetSecretValueResponse> {
        let (scope, inner) = (self.caller.scope()?, &self.inner);
        let request = Checked::new(request)?;
        match batch::selection(&request) {
            Selection::Ids(ids) => inner.values_of(scope, ids, |_| true),
            Selection::Filters => {
                let Selected { arns, next_token } = inner.look_checked(scope, &request)?;
                // Secrets may change between the read of the page and the read of its values.
                let found =
                    inner.values_of(scope, &arns, |fault| !batch::is_no_longer_selected(fault))?;
                Ok(BatchGetSecretValueResponse { next_token, ..found })
            }
        }
    }
}

impl Inner {
    /// Reads the current values. `is_reported`: whether a refusal gets an entry of its own.
    fn values_of(
        &self,
        scope: &Scope,
        ids: &[String],
        is_reported: impl Fn(&crate::semantics::Fault) -> bool,
    ) -> Result<BatchGetSecretValueResponse> {
        let mut values = Vec::with_capacity(ids.len());
        let mut errors = Vec::new();
        for id in ids {
            match self.read_value(scope, &current_value(id)) {
                Ok(value) => values.push(value),
                Err(error) => match error.fault() {
                    Some(fault) if is_reported(fault) => errors.push(batch::error(id, fault)),
                    Some(_) => (),
                    None => return Err(error),
                },
            }
        }
        Ok(BatchGetSecretValueResponse { values, next_token: None, errors })
    }
}
