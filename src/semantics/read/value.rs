//! The reading operations: which version is meant (SEM-VAL-10 to SEM-VAL-14), what is shown and
//! what is left out. None of them changes anything; `vault` notes the day of a read.

use super::page;
use crate::model::api::{
    Description, GetSecretValue, ListSecretVersionIds, SecretIdOnly, VersionEntry, VersionPage,
};
use crate::model::{Scope, SecretRecord, Seq, Stage, VersionId, VersionRecord};
use crate::semantics::access::Action;
use crate::semantics::access::resolve;
use crate::semantics::change::{Labels, names};
use crate::semantics::replication::cross_account;
use crate::semantics::replication::replica;
use crate::semantics::{Refusal, View, messages, rotation, validate};
use std::collections::BTreeSet;

/// What AWS calls its own key in `KmsKeyIds` of every version.
const DEFAULT_KEY: &str = "DefaultEncryptionKey";

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

/// `DescribeSecret`; works on a scheduled secret too.
pub fn describe_secret<V: View>(
    view: &V,
    scope: &Scope,
    request: &SecretIdOnly,
) -> Result<Description, Refusal<V::Error>> {
    validate::secret_id_only(request)?;
    let record = resolve::any(view, scope, &request.secret_id, Action::DescribeSecret)?;
    describe(view, record).map_err(Refusal::View)
}

/// The entry of one secret: labelled versions only, in age order (SEM-LIST-1).
pub(crate) fn describe<V: View>(view: &V, record: SecretRecord) -> Result<Description, V::Error> {
    let stages = view.stages(record.id)?;
    let mut versions_to_stages = Vec::new();
    for seq in labelled(&stages) {
        if let Some(version) = view.version(record.id, seq)? {
            versions_to_stages.push((version.version_id, names(stages_on(&stages, seq))));
        }
    }
    let rotation = record.rotation.as_ref().map(rotation::describe);
    Ok(Description {
        primary_region: record.replication.as_ref().map(|r| r.primary_region().to_owned()),
        replication_status: replica::status(&record),
        cross_account_primary: cross_account::describe_primary(&record),
        cross_account_replica: cross_account::describe_replica(&record),
        arn: record.arn().to_string(),
        name: record.name.to_string(),
        description: record.description,
        kms_key_id: record.kms_key_id,
        created_date: record.created,
        last_changed_date: record.last_changed,
        last_accessed_date: record.last_accessed,
        deleted_date: record.deletion.map(|deletion| deletion.requested),
        tags: record.tags,
        versions_to_stages,
        owning_service: record.owning_service,
        external: record.external,
        rotation,
    })
}

/// `ListSecretVersionIds`, oldest first; works on a scheduled secret too. Versions without labels
/// are shown on request (SEM-LIST-2).
pub fn list_secret_version_ids<V: View>(
    view: &V,
    scope: &Scope,
    request: &ListSecretVersionIds,
) -> Result<VersionPage, Refusal<V::Error>> {
    validate::list_secret_version_ids(request)?;
    let record = resolve::any(view, scope, &request.secret_id, Action::ListSecretVersionIds)?;
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
    let kms_key_ids = vec![record.kms_key_id.clone().unwrap_or_else(|| DEFAULT_KEY.to_owned())];
    let versions = versions
        .into_iter()
        .map(|version| VersionEntry {
            version_stages: names(stages_on(&stages, version.seq)),
            version_id: version.version_id,
            created_date: version.created,
            last_accessed_date: version.last_accessed,
            kms_key_ids: kms_key_ids.clone(),
        })
        .collect();
    Ok(VersionPage {
        arn: record.arn().to_string(),
        name: record.name.to_string(),
        versions,
        next_token,
    })
}

/// The versions that have a label, in age order.
fn labelled(stages: &[(Stage, Seq)]) -> BTreeSet<Seq> {
    stages.iter().map(|(_, seq)| *seq).collect()
}

fn stages_on(stages: &[(Stage, Seq)], seq: Seq) -> Vec<Stage> {
    stages.iter().filter(|(_, on)| *on == seq).map(|(stage, _)| stage.clone()).collect()
}
