//! `ListSecretVersionIds`.

use super::describe::{labelled, stages_on};
use super::page;
use crate::model::api::{
    ListSecretVersionIds, ListSecretVersionIdsResponse, SecretVersionsListEntry,
};
use crate::model::{Scope, SecretRef, customer_key, limits};
use crate::semantics::access::{Action, resolve};
use crate::semantics::change::names;
use crate::semantics::fault::Fault;
use crate::semantics::operation::Look;
use crate::semantics::plan::{Refusal, View};
use crate::semantics::validate::{AboutSecret, Check, Checked, Violations, members, names};

/// What AWS calls its own key in `KmsKeyIds` of every version.
const DEFAULT_KEY: &str = "DefaultEncryptionKey";

impl Check for ListSecretVersionIds {
    type Names = SecretRef;

    fn check(&self) -> Result<Self::Names, Fault> {
        let mut found = Violations::default();
        members::secret_id_length(&mut found, &self.secret_id);
        members::page(&mut found, self.max_results, self.next_token.as_deref(), limits::PAGE_MAX);
        found.into_result()?;
        names::reference(&self.secret_id)
    }
}

impl AboutSecret for ListSecretVersionIds {
    fn secret_id(&self) -> &str {
        &self.secret_id
    }
}

/// `ListSecretVersionIds`, oldest first; works on a scheduled secret too. Versions without labels
/// are shown on request, and those without a value never (SEM-LIST-2).
impl Look for ListSecretVersionIds {
    type Found = ListSecretVersionIdsResponse;

    fn look<V: View>(
        view: &V,
        scope: &Scope,
        request: &Checked<Self>,
    ) -> Result<Self::Found, Refusal<V::Error>> {
        let record = resolve::any(view, scope, request.secret(), Action::ListSecretVersionIds)?;
        let after = request.next_token.as_deref().map(page::parse_seq).transpose()?;
        let limit = page::size(request.max_results);
        let stages = view.stages(record.id).map_err(Refusal::View)?;
        let mut versions = if request.include_deprecated == Some(true) {
            view.versions(record.id, after, limit + 1).map_err(Refusal::View)?
        } else {
            // Labels lead to their versions, so hidden ones cost nothing however many there are.
            let mut versions = Vec::new();
            let wanted = labelled(&stages).into_iter().filter(|seq| Some(*seq) > after);
            for seq in wanted.take(limit + 1) {
                versions.extend(view.version(record.id, seq).map_err(Refusal::View)?);
            }
            versions
        };
        let more = versions.len() > limit;
        versions.truncate(limit);
        let next_token = versions.last().filter(|_| more).map(|last| page::seq_token(last.seq));
        let key = customer_key(record.kms_key_id.as_deref());
        let kms_key_ids = vec![key.unwrap_or(DEFAULT_KEY).to_owned()];
        let versions = versions
            .into_iter()
            .filter(|version| version.kind.is_some())
            .map(|version| SecretVersionsListEntry {
                version_stages: names(stages_on(&stages, version.seq)),
                version_id: version.version_id,
                created_date: version.created,
                last_accessed_date: version.last_accessed,
                kms_key_ids: kms_key_ids.clone(),
            })
            .collect();
        Ok(ListSecretVersionIdsResponse {
            arn: record.arn().to_string(),
            name: record.name.to_string(),
            versions,
            next_token,
        })
    }
}
