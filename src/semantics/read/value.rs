//! `GetSecretValue`: which version is meant (SEM-VAL-10 to SEM-VAL-14).

use crate::model::api::GetSecretValue;
use crate::model::{Scope, SecretRecord, Stage, VersionId, VersionRecord};
use crate::semantics::access::{Action, resolve};
use crate::semantics::change::Labels;
use crate::semantics::plan::{Refusal, View};
use crate::semantics::{messages, validate};

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

/// Finds the version that `GetSecretValue` means: E12, E39, E1, E5, E18, then E2, E3 or E4.
pub fn get_secret_value<V: View>(
    view: &V,
    scope: &Scope,
    request: &GetSecretValue,
) -> Result<Found, Refusal<V::Error>> {
    validate::get_secret_value(request)?;
    let record = resolve::with_value(view, scope, &request.secret_id, Action::GetSecretValue)?;
    let labels = Labels::load(view, record.id)?;
    let stage_text = request.version_stage.as_deref();
    let (seq, missing) = match request.version_id.as_deref() {
        None => {
            let text = stage_text.unwrap_or(Stage::CURRENT);
            let seq = Stage::parse(text).and_then(|stage| labels.holder(&stage));
            (seq, messages::no_value_at_stage(text))
        }
        Some(text) => {
            let seq = match VersionId::parse(text) {
                Some(id) => view.version_seq(record.id, &id).map_err(Refusal::View)?,
                None => None,
            };
            if let (Some(seq), Some(stage)) = (seq, stage_text) {
                let holder = Stage::parse(stage).and_then(|stage| labels.holder(&stage));
                if holder != Some(seq) {
                    return Err(messages::stage_is_elsewhere().into());
                }
            }
            (seq, messages::no_version(text))
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
