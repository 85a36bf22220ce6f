//! When a rotation is due, and how descriptions show it (SEM-ROT-14, SEM-SCHED-8).

use super::schedule::{Schedule, Window};
use crate::env::UnixMillis;
use crate::model::api::{RotationDescription, RotationRules};
use crate::model::{Rotation, RunningRotation, SecretRecord};
use crate::semantics::plan::Now;

/// When a secret's rotation has to be advanced next, by the wall clock. What a wrong clock has put off is due
/// now, so that it is corrected (SEM-DATE-7).
#[must_use]
pub fn rotation_due(record: &SecretRecord, now: Now) -> Option<UnixMillis> {
    let rotation = record.rotation.as_ref()?;
    // Only its partner could rotate it (SEM-EXT-6).
    if record.dead || record.deletion.is_some() || rotation.is_external() {
        return None;
    }
    match &rotation.running {
        None if !rotation.enabled => None,
        _ if corrected(rotation, now).is_some() => Some(now.wall),
        // Cancelled: its temporary version is removed at once.
        Some(running) if !rotation.enabled => running.not_before,
        Some(RunningRotation { not_before: Some(at), .. }) => Some(*at),
        _ => window(rotation).map(|window| window.opens),
    }
}

/// The rotation without the times of a wrong clock, from which its next window would be counted, or for which
/// its next attempt would wait (SEM-DATE-7). `None`: it has none.
pub(super) fn corrected(rotation: &Rotation, now: Now) -> Option<Rotation> {
    let mut corrected = rotation.clone();
    corrected.counted_from = corrected.counted_from.min(now.not_before(corrected.counted_from));
    if let Some(running) = &mut corrected.running {
        running.not_before =
            running.not_before.map(|at| if now.disbelieves(at) { now.wall } else { at });
    }
    (corrected != *rotation).then_some(corrected)
}

/// The next window of a schedule.
pub(super) fn window(rotation: &Rotation) -> Option<Window> {
    let rules = rotation.rules.as_ref()?;
    Schedule::of(rules).ok().flatten()?.next(rotation.counted_from)
}

/// What is shown of a secret's rotation (SEM-ROT-14, SEM-SCHED-8).
pub(crate) fn describe(rotation: &Rotation) -> RotationDescription {
    let rules =
        rotation.rules.clone().map(|rules| match (&rules.schedule_expression, days(rotation)) {
            (Some(_), days) => RotationRules { automatically_after_days: days, ..rules },
            _ => rules,
        });
    let next = window(rotation).filter(|_| rotation.enabled);
    RotationDescription {
        rotation_enabled: rotation.enabled,
        rotation_lambda_arn: Some(rotation.function.clone()).filter(|arn| !arn.is_empty()),
        rotation_rules: rules,
        last_rotated_date: rotation.last_rotated,
        next_rotation_date: next.map(|window| window.closes.plus(-1000)),
    }
}

fn days(rotation: &Rotation) -> Option<i64> {
    let schedule = Schedule::of(rotation.rules.as_ref()?).ok().flatten()?;
    schedule.days(rotation.counted_from)
}
