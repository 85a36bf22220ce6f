//! The version that a rotation makes, and what happens to it.

use crate::model::{Rotation, RotationStep, RunningRotation, Stage, VersionId};
use crate::semantics::change::Change;
use crate::semantics::fault::Fault;
use crate::semantics::plan::{Context, Effect, Refusal, View};

/// Makes the version of a rotation, with AWSPENDING and without a value (SEM-ROT-4).
pub(super) fn begin(
    change: &mut Change,
    context: &Context,
    rotation: &mut Rotation,
    token: VersionId,
    only_test: bool,
) -> Result<(), Fault> {
    let seq = change.add_version(context.now, token.clone(), None)?;
    change.labels.attach(Stage::pending(), seq);
    rotation.last_token = Some(token.clone());
    rotation.running = Some(RunningRotation {
        token,
        only_test,
        step: if only_test { RotationStep::TestSecret } else { RotationStep::CreateSecret },
        failures: 0,
        not_before: Some(context.now.wall),
    });
    Ok(())
}

/// Removes the temporary version of a test, unless it has other labels by now.
pub(super) fn drop_test_version<V: View>(
    view: &V,
    change: &mut Change,
    token: &VersionId,
) -> Result<(), Refusal<V::Error>> {
    let id = change.record.id;
    let Some(seq) = view.version_seq(id, token).map_err(Refusal::View)? else { return Ok(()) };
    let Some(version) = view.version(id, seq).map_err(Refusal::View)? else { return Ok(()) };
    if change.labels.holder(&Stage::pending()) == Some(seq) {
        change.labels.detach(&Stage::pending());
    }
    if !change.labels.is_labelled(seq) {
        change.record.version_count = change.record.version_count.saturating_sub(1);
        change.push(Effect::DropVersion(version));
    }
    Ok(())
}

/// Restarts the schedule, because a new value became current (SEM-SCHED-9).
pub(crate) fn value_changed(change: &mut Change) {
    if let Some(rotation) = &mut change.record.rotation {
        rotation.counted_from = change.stamp;
    }
}
