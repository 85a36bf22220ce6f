//! The figures by group, case, member and round.

use crate::figures::{Figure, median};
use crate::machine::has_changed_since;
use crate::members::{LIMIT, LIMITS};
use std::collections::BTreeSet;

pub struct Data(Vec<Figure>);

impl Data {
    pub fn new(figures: Vec<Figure>) -> Self {
        Self(figures)
    }

    pub fn of<'a>(&'a self, group: &'a str) -> impl Iterator<Item = &'a Figure> {
        self.0.iter().filter(move |figure| figure.group == group)
    }

    /// The groups whose figures are of a short run.
    pub fn quick_groups(&self) -> BTreeSet<&str> {
        let quick = self.0.iter().filter(|figure| figure.quick && figure.group != "machine");
        quick.map(|figure| figure.group.as_str()).collect()
    }

    /// The groups whose figures are of an earlier state of product or benchmark.
    pub fn older_groups(&self) -> BTreeSet<&str> {
        let machines = self.0.iter().filter(|figure| figure.group == "machine");
        let commit = |figure: &Figure| {
            let found = figure.texts.iter().find(|(name, _)| name == "commit");
            found.map(|(_, commit)| commit.clone()).unwrap_or_default()
        };
        let older = machines.filter(|figure| has_changed_since(&commit(figure)));
        older.map(|figure| figure.case.as_str()).collect()
    }

    fn values<'a>(
        &'a self,
        group: &'a str,
        case: &'a str,
        member: &'a str,
        name: &'a str,
    ) -> impl Iterator<Item = (usize, f64)> + 'a {
        let of = self.of(group).filter(move |f| f.case == case && f.member == member);
        of.filter_map(move |figure| figure.values.get(name).map(|value| (figure.round, *value)))
    }

    /// The median over all rounds.
    pub fn median(&self, group: &str, case: &str, member: &str, name: &str) -> Option<f64> {
        median(self.values(group, case, member, name).map(|(_, value)| value).collect())
    }

    /// The mean over all rounds.
    pub fn mean(&self, group: &str, case: &str, member: &str, name: &str) -> Option<f64> {
        let values: Vec<f64> =
            self.values(group, case, member, name).map(|(_, value)| value).collect();
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    }

    /// How many rounds a group has.
    pub fn rounds(&self, group: &str) -> usize {
        let rounds: BTreeSet<usize> = self.of(group).map(|figure| figure.round).collect();
        rounds.len()
    }

    /// The member that is the limit of these puts: the fastest without a store.
    pub fn limit(&self, group: &str, case: &str) -> &'static str {
        let best = self.best([group, case, "rate"], &LIMITS, true);
        best.map_or(LIMIT, |(member, _)| member)
    }

    /// A member's ratios to another in the same round.
    fn ratios(&self, group: &str, case: &str, [member, other]: [&str; 2], name: &str) -> Vec<f64> {
        let is_of_puts = ["burst", "slow", "sustained"].contains(&group);
        let other = if is_of_puts && other == LIMIT { self.limit(group, case) } else { other };
        let others = self.values(group, case, other, name);
        by_round(self.values(group, case, member, name), others)
    }

    /// The median of a member's ratios to another in the same round.
    pub fn ratio(&self, group: &str, case: &str, members: [&str; 2], name: &str) -> Option<f64> {
        median(self.ratios(group, case, members, name))
    }

    /// The lowest and the highest of these ratios, if there are several rounds.
    pub fn range(
        &self,
        group: &str,
        case: &str,
        members: [&str; 2],
        name: &str,
    ) -> Option<(f64, f64)> {
        let ratios = self.ratios(group, case, members, name);
        let ends =
            ratios.iter().copied().reduce(f64::min).zip(ratios.iter().copied().reduce(f64::max));
        ends.filter(|_| ratios.len() > 1)
    }

    /// The median of the ratios of one value of a member to another value of the same round.
    pub fn ratio_of_values(
        &self,
        group: &str,
        case: &str,
        member: &str,
        [name, other]: [&str; 2],
    ) -> Option<f64> {
        let others = self.values(group, case, member, other);
        median(by_round(self.values(group, case, member, name), others))
    }

    /// The median of the ratios of one value of a member in two cases of the same round.
    pub fn ratio_of_cases(
        &self,
        group: &str,
        [case, other]: [&str; 2],
        member: &str,
        name: &str,
    ) -> Option<f64> {
        let others = self.values(group, other, member, name);
        median(by_round(self.values(group, case, member, name), others))
    }

    /// The shares of the processors that others had during the steps of a group: the median and the most.
    pub fn others(&self, group: &str) -> Option<(f64, f64)> {
        let shares = self.of(group).filter_map(|figure| figure.values.get("others_share").copied());
        let shares: Vec<f64> = shares.collect();
        let most = shares.iter().copied().reduce(f64::max)?;
        median(shares).map(|middle| (middle, most))
    }

    pub fn series(&self, group: &str, case: &str, member: &str) -> Option<&[f64]> {
        let mut of = self.0.iter().filter(|figure| figure.group == group);
        let found = of.find(|figure| figure.case == case && figure.member == member);
        found.map(|figure| figure.series.as_slice()).filter(|series| !series.is_empty())
    }

    /// The member with the best median of these; `high` says whether more is better.
    pub fn best<'m>(
        &self,
        [group, case, name]: [&str; 3],
        members: &[&'m str],
        high: bool,
    ) -> Option<(&'m str, f64)> {
        let found = members.iter().filter_map(|member| {
            self.median(group, case, member, name).map(|value| (*member, value))
        });
        let by = |a: &(&str, f64), b: &(&str, f64)| a.1.total_cmp(&b.1);
        if high { found.max_by(by) } else { found.min_by(by) }
    }

    /// How long the puts of a series took, in seconds.
    pub fn seconds(&self, group: &str) -> Option<usize> {
        self.of(group).map(|figure| figure.series.len()).find(|seconds| *seconds > 0)
    }

    /// Members that did not take part in a group, and why.
    pub fn notes(&self, group: &str) -> Vec<(String, String)> {
        let mut notes: Vec<(String, String)> = self
            .of(group)
            .filter_map(|f| f.note.as_ref().map(|note| (f.member.clone(), note.clone())))
            .collect();
        notes.sort();
        notes.dedup();
        notes
    }
}

/// The ratios of values of the same round.
fn by_round(
    values: impl Iterator<Item = (usize, f64)>,
    others: impl Iterator<Item = (usize, f64)>,
) -> Vec<f64> {
    let others: Vec<(usize, f64)> = others.collect();
    let ratios = values.filter_map(|(round, value)| {
        let found = others.iter().find(|(other, _)| *other == round);
        found.map(|(_, other)| value / other)
    });
    ratios.collect()
}
