//! Counts of what a sequence met.

use std::collections::BTreeMap;
use strongroom::__internals::model::api::Operation;

/// How often an operation was answered, and how often refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    /// Done.
    pub ok: u64,
    /// Refused as AWS refuses.
    pub refused: u64,
}

/// Counts of one sequence or of many.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// By operation.
    pub operations: BTreeMap<&'static str, Answers>,
    /// Everything else.
    pub counts: BTreeMap<&'static str, u64>,
}

impl Report {
    pub(super) fn answered(&mut self, operation: &'static str, is_ok: bool) {
        let answers = self.operations.entry(operation).or_default();
        *(if is_ok { &mut answers.ok } else { &mut answers.refused }) += 1;
    }

    pub(super) fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    /// Adds the counts of another.
    pub fn add(&mut self, other: &Self) {
        for (operation, answers) in &other.operations {
            let sum = self.operations.entry(operation).or_default();
            sum.ok += answers.ok;
            sum.refused += answers.refused;
        }
        for (what, count) in &other.counts {
            *self.counts.entry(what).or_default() += count;
        }
    }

    /// The answers of every operation of the API, in alphabetical order.
    pub fn all(&self) -> impl Iterator<Item = (&'static str, Answers)> + '_ {
        Operation::ALL
            .iter()
            .map(|operation| operation.name())
            .map(|name| (name, self.operations.get(name).copied().unwrap_or_default()))
    }
}
