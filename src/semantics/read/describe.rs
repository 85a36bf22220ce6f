//! `DescribeSecret`, and the entries of `ListSecrets`.

use crate::model::api::{DescribeSecret, DescribeSecretResponse};
use crate::model::{Scope, SecretRecord, SecretRef, Seq, Stage};
use crate::semantics::access::{Action, resolve};
use crate::semantics::change::names;
use crate::semantics::fault::Fault;
use crate::semantics::operation::Look;
use crate::semantics::plan::{Refusal, View};
use crate::semantics::replication::status;
use crate::semantics::rotation;
use crate::semantics::validate::{AboutSecret, Check, Checked, names};
use std::collections::BTreeSet;

impl Check for DescribeSecret {
    type Names = SecretRef;

    fn check(&self) -> Result<Self::Names, Fault> {
        names::secret_id(&self.secret_id)
    }
}

impl AboutSecret for DescribeSecret {
    fn secret_id(&self) -> &str {
        &self.secret_id
    }
}

/// `DescribeSecret`; works on a scheduled secret too.
impl Look for DescribeSecret {
    type Found = DescribeSecretResponse;

    fn look<V: View>(
        view: &V,
        scope: &Scope,
        request: &Checked<Self>,
    ) -> Result<Self::Found, Refusal<V::Error>> {
        let record = resolve::any(view, scope, request.secret(), Action::DescribeSecret)?;
        let replication_status = status::replicas(view, &record).map_err(Refusal::View)?;
        let cross_account_primary = status::describe_primary(&record);
        let cross_account_replica = status::describe_replica(&record);
        let entry = entry(view, record).map_err(Refusal::View)?;
        Ok(Self::Found {
            replication_status,
            cross_account_primary,
            cross_account_replica,
            ..entry
        })
    }
}

/// The entry of one secret in a list: labelled versions only, in the order of their ids (SEM-LIST-1). Lists
/// do not show replicas and their primary (API model).
pub(crate) fn entry<V: View>(
    view: &V,
    record: SecretRecord,
) -> Result<DescribeSecretResponse, V::Error> {
    let stages = view.stages(record.id)?;
    let mut versions_to_stages = Vec::new();
    for seq in labelled(&stages) {
        if let Some(version) = view.version(record.id, seq)? {
            versions_to_stages.push((version.version_id, names(stages_on(&stages, seq))));
        }
    }
    versions_to_stages.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    let rotation = record.rotation.as_ref().map(rotation::describe);
    Ok(DescribeSecretResponse {
        primary_region: record.replication.as_ref().map(|r| r.primary_region().to_owned()),
        replication_status: None,
        cross_account_primary: None,
        cross_account_replica: None,
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

/// The versions that have a label, in age order.
pub(super) fn labelled(stages: &[(Stage, Seq)]) -> BTreeSet<Seq> {
    stages.iter().map(|(_, seq)| *seq).collect()
}

pub(super) fn stages_on(stages: &[(Stage, Seq)], seq: Seq) -> Vec<Stage> {
    stages.iter().filter(|(_, on)| *on == seq).map(|(stage, _)| stage.clone()).collect()
}
