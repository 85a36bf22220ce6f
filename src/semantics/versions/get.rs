//! `GetSecretValue`: which version is meant (SEM-VAL-10 to SEM-VAL-14).

use crate::model::api::GetSecretValue;
use crate::model::{Scope, SecretRecord, Stage, VersionRecord};
use crate::semantics::access::{self, Action, resolve};
use crate::semantics::change::Labels;
use crate::semantics::fault::Fault;
use crate::semantics::messages;
use crate::semantics::operation::Look;
use crate::semantics::plan::{Refusal, View};
use crate::semantics::validate::{
    AboutSecret, Check, Checked, ValueNames, Violations, members, names,
};

/// The request for a secret's current value.
#[must_use]
pub fn current_value(secret_id: &str) -> GetSecretValue {
    GetSecretValue::new(secret_id)
}

/// The version that `GetSecretValue` means. `vault` opens its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The secret.
    pub record: SecretRecord,
    /// The version; it has a value (`kind` is there).
    pub version: VersionRecord,
    /// The version's labels, in the order of answers.
    pub stages: Vec<Stage>,
}

impl Check for GetSecretValue {
    type Names = ValueNames;

    fn check(&self) -> Result<Self::Names, Fault> {
        let mut found = Violations::default();
        members::secret_id_length(&mut found, &self.secret_id);
        members::version_length(&mut found, "versionId", self.version_id.as_deref());
        if let Some(stage) = &self.version_stage {
            members::stage_length(&mut found, "versionStage", stage);
        }
        found.into_result()?;
        let secret = names::reference(&self.secret_id)?;
        let version = names::version(self.version_id.as_deref())?;
        Ok(ValueNames {
            secret,
            version,
            stage: self.version_stage.as_deref().map(names::stage).transpose()?,
        })
    }
}

impl AboutSecret for GetSecretValue {
    fn secret_id(&self) -> &str {
        &self.secret_id
    }
}

/// Whether the caller may read values of the secret: what an operation asks that will show them elsewhere.
pub(crate) fn check_access(
    scope: &Scope,
    record: &SecretRecord,
    secret_id: &str,
) -> Result<(), Fault> {
    access::check(scope, record, secret_id, Action::GetSecretValue)
}

/// Finds the version that `GetSecretValue` means: E12, E39, E1, E5, E18, then E2, E3 or E4.
impl Look for GetSecretValue {
    type Found = Found;

    fn look<V: View>(
        view: &V,
        scope: &Scope,
        request: &Checked<Self>,
    ) -> Result<Self::Found, Refusal<V::Error>> {
        let record = resolve::with_value(view, scope, request.secret(), Action::GetSecretValue)?;
        let labels = Labels::load(view, record.id)?;
        let ValueNames { version, stage, .. } = request.names();
        let (seq, missing) = match version {
            None => {
                let stage = stage.clone().unwrap_or_else(Stage::current);
                (labels.holder(&stage), messages::no_value_at_stage(stage.as_str()))
            }
            Some(id) => {
                let seq = view.version_seq(record.id, id).map_err(Refusal::View)?;
                if let (Some(_), Some(stage)) = (seq, stage)
                    && labels.holder(stage) != seq
                {
                    return Err(messages::stage_is_elsewhere().into());
                }
                (seq, messages::no_version(id.as_str()))
            }
        };
        let version = match seq {
            Some(seq) => view.version(record.id, seq).map_err(Refusal::View)?,
            None => None,
        };
        // A placeholder without value reads as if it were not there (SEM-VAL-13).
        let version = version.filter(|version| version.kind.is_some()).ok_or(missing)?;
        let stages = labels.on(version.seq);
        Ok(Found { record, version, stages })
    }
}
