//! One secret under change: its record, its labels, and the effects so far.
//!
//! Label moves are made on a copy of the label map, and the difference becomes effects, so a plan
//! never says two things about one label (rules SEM-STAGE-1 to SEM-STAGE-4).

use crate::env::UnixMillis;
use crate::env::faults;
use crate::model::{RecordId, SecretRecord, Seq, Stage, VersionId, VersionRecord, limits};
use crate::secret::PayloadKind;
use crate::semantics::fault::Fault;
use crate::semantics::{Answer, Effect, Now, Plan, Refusal, View, messages};
use std::collections::BTreeMap;

/// Chunks of the longest value: 65,536 bytes, padded, with nonce, length and tag.
const CHUNKS_MAX: usize = 17;

/// Rows that an effect touches, at most: what [`limits::OPERATION_ROWS_MAX`] counts (I2).
#[must_use]
pub fn rows(effect: &Effect) -> usize {
    match effect {
        Effect::PutSecret(_)
        | Effect::DropSecret(_)
        | Effect::BindName(_)
        | Effect::FreeName(_)
        | Effect::SetStage(..)
        | Effect::DropStage(..)
        | Effect::NotePurge(_) => 1,
        Effect::PutVersion(_) => 2,
        Effect::AttachPayload(_) => 1 + CHUNKS_MAX,
        // Of equal length, so as many chunks.
        Effect::CopyPayload { from, .. } => {
            1 + from.payload.map_or(0, |payload| usize::from(payload.chunks))
        }
        Effect::DropVersion(version) => {
            3 + version.payload.map_or(0, |payload| usize::from(payload.chunks))
        }
    }
}

/// The time that an operation on this secret notes: never before its last (SEM-DATE-1).
pub(crate) fn stamp(now: Now, record: &SecretRecord) -> UnixMillis {
    now.wall.max(record.last_changed)
}

/// The labels of one secret, before and after the operation. A map, so that a label is on one
/// version at most (SEM-STAGE-1).
pub(crate) struct Labels {
    before: BTreeMap<Stage, Seq>,
    after: BTreeMap<Stage, Seq>,
}

impl Labels {
    /// No labels: of a secret that is being made, or of one whose labels stay as they are.
    pub(crate) fn none() -> Self {
        Self { before: BTreeMap::new(), after: BTreeMap::new() }
    }

    /// Labels as stored.
    pub(crate) fn load<V: View>(view: &V, id: RecordId) -> Result<Self, Refusal<V::Error>> {
        let before: BTreeMap<_, _> = view.stages(id).map_err(Refusal::View)?.into_iter().collect();
        Ok(Self { after: before.clone(), before })
    }

    /// The version that a label is on.
    pub(crate) fn holder(&self, stage: &Stage) -> Option<Seq> {
        self.after.get(stage).copied()
    }

    /// The labels of a version.
    pub(crate) fn on(&self, seq: Seq) -> Vec<Stage> {
        let on = self.after.iter().filter(|(_, holder)| **holder == seq);
        in_answer_order(on.map(|(stage, _)| stage.clone()).collect())
    }

    /// Whether a version has any label.
    pub(crate) fn is_labelled(&self, seq: Seq) -> bool {
        self.after.values().any(|holder| *holder == seq)
    }

    /// Puts a label on a version, taking it from any other.
    pub(crate) fn attach(&mut self, stage: Stage, seq: Seq) {
        self.after.insert(stage, seq);
    }

    /// Removes a label.
    pub(crate) fn detach(&mut self, stage: &Stage) {
        self.after.remove(stage);
    }

    /// Moves `AWSCURRENT` to `to`; the version that held it becomes `AWSPREVIOUS` (SEM-STAGE-3).
    /// The new current version never keeps `AWSPREVIOUS` (SEM-STAGE-4).
    pub(crate) fn promote(&mut self, to: Seq) {
        match self.after.insert(Stage::current(), to) {
            Some(former) if former == to => {}
            Some(_) if faults::active(faults::Fault::PreviousNotMoved) => {}
            Some(former) => self.attach(Stage::previous(), former),
            None if self.holder(&Stage::previous()) == Some(to) => {
                self.detach(&Stage::previous());
            }
            None => {}
        }
    }

    /// E38 if the secret would have too many labels (SEM-STAGE-5).
    pub(crate) fn check(&self) -> Result<(), Fault> {
        if self.after.len() > limits::STAGES_MAX {
            return Err(messages::too_many_stages());
        }
        Ok(())
    }

    fn effects(&self, id: RecordId) -> impl Iterator<Item = Effect> {
        let dropped = self
            .before
            .keys()
            .filter(|stage| !self.after.contains_key(stage))
            .map(move |stage| Effect::DropStage(id, stage.clone()));
        let set = self
            .after
            .iter()
            .filter(|(stage, seq)| self.before.get(stage) != Some(seq))
            .map(move |(stage, seq)| Effect::SetStage(id, stage.clone(), *seq));
        dropped.chain(set)
    }
}

/// The order of labels in answers: alphabetical (SEM-STAGE-6). AWS's own is unknown, so the choice
/// is made here and nowhere else.
pub(crate) fn in_answer_order(mut stages: Vec<Stage>) -> Vec<Stage> {
    stages.sort_unstable();
    stages
}

/// Labels as an answer shows them.
pub(crate) fn names(stages: Vec<Stage>) -> Vec<String> {
    in_answer_order(stages).iter().map(Stage::to_string).collect()
}

/// A secret that an operation changes.
pub(crate) struct Change {
    /// As it will be; [`Change::finish`] sets the dates.
    pub(crate) record: SecretRecord,
    /// Its labels.
    pub(crate) labels: Labels,
    /// When the operation happens, as far as this secret is concerned.
    pub(crate) stamp: UnixMillis,
    effects: Vec<Effect>,
}

impl Change {
    /// A secret as stored.
    pub(crate) fn of(record: SecretRecord, labels: Labels, now: Now) -> Self {
        let stamp = stamp(now, &record);
        Self { record, labels, stamp, effects: Vec::new() }
    }

    /// Adds a version, with its number; its value, if it has a kind, is the caller's to attach.
    /// E38: there are too many (SEM-KEEP-6).
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
        }));
        Ok(seq)
    }

    /// Asks for an effect besides those on the record and the labels.
    pub(crate) fn push(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    /// The plan: the labels are checked, the record gets its date (SEM-DATE-2) and is written.
    pub(crate) fn finish(mut self, answer: Answer) -> Result<Plan, Fault> {
        self.labels.check()?;
        self.record.last_changed = self.stamp;
        let mut effects = self.effects;
        effects.extend(self.labels.effects(self.record.id));
        effects.push(Effect::PutSecret(self.record));
        Ok(Plan { effects, answer })
    }
}

/// A plan that changes nothing.
pub(crate) fn nothing(answer: Answer) -> Plan {
    Plan { effects: Vec::new(), answer }
}
