//! The staging labels of one secret, before and after an operation.
//!
//! Label moves are made on a copy of the label map, and the difference becomes effects, so a plan
//! never says two things about one label (rules SEM-STAGE-1 to SEM-STAGE-4).

use crate::env::faults;
use crate::model::{RecordId, Seq, Stage, limits};
use crate::semantics::fault::Fault;
use crate::semantics::messages;
use crate::semantics::plan::{Effect, Refusal, View};
use std::collections::BTreeMap;

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
    pub(super) fn check(&self) -> Result<(), Fault> {
        if self.after.len() > limits::STAGES_MAX {
            return Err(messages::too_many_stages());
        }
        Ok(())
    }

    pub(super) fn effects(&self, id: RecordId) -> impl Iterator<Item = Effect> {
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

/// Sorts labels as answers show them (SEM-STAGE-6): like a Java `HashSet` of strings, which is what AWS's
/// lists look like. Labels of one bucket are alphabetical.
fn in_answer_order(mut stages: Vec<Stage>) -> Vec<Stage> {
    // The table grows when it is three quarters full.
    let buckets: u32 = if stages.len() > 12 { 32 } else { 16 };
    stages.sort_by_cached_key(|stage| {
        let hash = java_hash(stage.as_str());
        ((hash ^ (hash >> 16)) % buckets, stage.clone())
    });
    stages
}

/// `String.hashCode` of Java.
fn java_hash(text: &str) -> u32 {
    text.encode_utf16().fold(0, |hash: u32, unit| hash.wrapping_mul(31).wrapping_add(unit.into()))
}

/// Labels as an answer shows them.
pub(crate) fn names(stages: Vec<Stage>) -> Vec<String> {
    in_answer_order(stages).iter().map(Stage::to_string).collect()
}
