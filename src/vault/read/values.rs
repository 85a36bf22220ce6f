//! The values of a secret, for those who must keep them out of what they tell.

use crate::error::Result;
use crate::model::Scope;
use crate::model::api::{GetSecretValue, ListSecretVersionIds};
use crate::secret::SecretValue;
use crate::vault::inner::Inner;

impl Inner {
    /// The values of all versions of a secret that are still there. Leaves no access mark.
    pub(crate) fn values(&self, scope: &Scope, secret_id: &str) -> Result<Vec<SecretValue>> {
        let mut request = ListSecretVersionIds::new(secret_id);
        request.include_deprecated = Some(true);
        let mut values = Vec::new();
        loop {
            let page = self.look(scope, &request)?;
            for version in page.versions {
                let mut ask = GetSecretValue::new(secret_id);
                ask.version_id = Some(version.version_id.as_str().to_owned());
                match self.open_value(scope, &ask) {
                    Ok(opened) => values.push(opened.output.value),
                    // Without a value, or gone meanwhile.
                    Err(error) if error.is_not_found() => {}
                    Err(error) => return Err(error),
                }
            }
            match page.next_token {
                Some(token) => request.next_token = Some(token),
                None => return Ok(values),
            }
        }
    }
}
