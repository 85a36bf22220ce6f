//! Which moves of labels are told, as AWS does by `Secret Label Updated` (SEM-EVENT-1 to SEM-EVENT-4).

use super::plan::{Effect, View};
use crate::model::name::is_account;
use crate::model::{LabelMove, RecordId, SecretRecord, Seq, Stage, VersionId};

/// The moves in a plan that an event tells of, in the order of their labels. `view` is what the plan was made
/// on.
pub fn label_moves<V: View>(view: &V, effects: &[Effect]) -> Result<Vec<LabelMove>, V::Error> {
    let mut moves = Vec::new();
    for effect in effects {
        let Effect::SetStage(id, stage, seq) = effect else { continue };
        let Some(record) = record(effects, *id).filter(|record| is_told(record, stage)) else {
            continue;
        };
        // A replica shows the labels of its primary. They stay where they are when it is promoted.
        if view.secret(*id)?.is_some_and(|before| before.shows().is_some()) {
            continue;
        }
        let Some(version_id) = version_id(view, effects, *id, *seq)? else { continue };
        let (arn, stage) = (record.arn(), stage.clone());
        moves.push(LabelMove { arn, stage, version_id, at: record.last_changed });
    }
    Ok(moves)
}

/// Whether moves of the label are told. The vault's own secrets are in accounts that nobody has.
fn is_told(record: &SecretRecord, stage: &Stage) -> bool {
    is_account(&record.scope.account) && ![Stage::pending(), Stage::previous()].contains(stage)
}

/// The record that the plan writes. Every plan that moves a label of a secret writes one.
fn record(effects: &[Effect], id: RecordId) -> Option<&SecretRecord> {
    effects.iter().find_map(|effect| match effect {
        Effect::PutSecret(record) if record.id == id => Some(record),
        _ => None,
    })
}

/// The id of a version, which may be one that the plan makes.
fn version_id<V: View>(
    view: &V,
    effects: &[Effect],
    id: RecordId,
    seq: Seq,
) -> Result<Option<VersionId>, V::Error> {
    let made = effects.iter().find_map(|effect| match effect {
        Effect::PutVersion(version) if (version.id, version.seq) == (id, seq) => Some(version),
        _ => None,
    });
    match made {
        Some(version) => Ok(Some(version.version_id.clone())),
        None => Ok(view.version(id, seq)?.map(|version| version.version_id)),
    }
}
