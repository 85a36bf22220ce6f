//! `LastAccessedDate`: the day on which a value was read last (SEM-DATE-4 to SEM-DATE-6).

use crate::env::UnixMillis;
use crate::env::calendar;
use crate::model::{RecordId, Seq};
use crate::semantics::plan::{Answer, Effect, Outcome, Plan, Refusal, View, nothing};

/// Midnight UTC of the day that `moment` lies in: what a read notes.
#[must_use]
pub fn day_of(moment: UnixMillis) -> UnixMillis {
    calendar::start_of(calendar::day_of(moment))
}

/// Notes on the secret `on` and on a version that its value was read on `day`. A replica that was read has a date
/// of its own (SEM-REPL-2). Never moves a date back, never counts as a change of the secret, and does nothing
/// if the version is gone by now.
pub(crate) fn touch<V: View>(
    view: &V,
    (id, seq): (RecordId, Seq),
    on: RecordId,
    day: UnixMillis,
) -> Outcome<V> {
    let day = Some(day_of(day));
    let record = view.secret(on).map_err(Refusal::View)?.filter(|record| !record.dead);
    let version = view.version(id, seq).map_err(Refusal::View)?;
    let (Some(mut record), Some(mut version)) = (record, version) else {
        return Ok(nothing(Answer::Done));
    };
    let mut effects = Vec::new();
    if version.last_accessed < day {
        version.last_accessed = day;
        effects.push(Effect::PutVersion(version));
    }
    if record.last_accessed < day || !effects.is_empty() {
        record.last_accessed = record.last_accessed.max(day);
        effects.push(Effect::PutSecret(record));
    }
    Ok(Plan { effects, answer: Answer::Done })
}
