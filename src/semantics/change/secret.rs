//! One secret under change: its record, its labels, and the effects so far.

use super::labels::Labels;
use crate::env::UnixMillis;
use crate::model::{SecretRecord, Seq, VersionId, VersionRecord, limits};
use crate::secret::PayloadKind;
use crate::semantics::fault::Fault;
use crate::semantics::messages;
use crate::semantics::plan::{Answer, Effect, Now, Plan};

/// The date of an operation on this secret: not before that of the last one (SEM-DATE-1, SEM-DATE-7).
pub(crate) fn stamp(now: Now, record: &SecretRecord) -> UnixMillis {
    // The second matters if a wrong clock recorded the last change: the age clock may be a little behind.
    now.not_before(record.last_changed).max(now.not_before(record.created))
}

/// A secret that an operation changes.
pub(crate) struct Change {
    /// As it will be; [`Change::finish`] sets the dates.
    pub(crate) record: SecretRecord,
    /// Its labels.
    pub(crate) labels: Labels,
    /// The date of the operation.
    pub(crate) stamp: UnixMillis,
    effects: Vec<Effect>,
}

impl Change {
    /// A secret as stored.
    pub(crate) fn of(record: SecretRecord, labels: Labels, now: Now) -> Self {
        let stamp = stamp(now, &record);
        Self { record, labels, stamp, effects: Vec::new() }
    }

    /// Adds a version and returns its number. The caller attaches the value if there is one. E38: there are
    /// too many versions (SEM-KEEP-6).
    pub(crate) fn add_version(
        &mut self,
        now: Now,
        version_id: VersionId,
        kind: Option<PayloadKind>,
    ) -> Result<Seq, Fault> {
        if self.record.version_count >= limits::VERSIONS_MAX {
            return Err(messages::too_many_versions());
        }
        let seq = self.record.next_seq;
        self.record.next_seq = Seq(seq.0.saturating_add(1));
        self.record.version_count += 1;
        self.push(Effect::PutVersion(VersionRecord {
            id: self.record.id,
            seq,
            version_id,
            kind,
            created: self.stamp,
            created_age: now.age,
            last_accessed: None,
            payload: None,
            wrapped: None,
        }));
        Ok(seq)
    }

    /// Adds an effect besides those on the record and the labels.
    pub(crate) fn push(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    /// Checks the labels, dates the record (SEM-DATE-2) and returns the plan.
    pub(crate) fn finish(mut self, answer: Answer) -> Result<Plan, Fault> {
        self.labels.check()?;
        self.record.last_changed = self.stamp;
        let mut effects = self.effects;
        effects.extend(self.labels.effects(self.record.id));
        effects.push(Effect::PutSecret(self.record));
        Ok(Plan { effects, answer })
    }
}
