//! The figures by group, case, member and round.

use crate::figures::{Figure, median};
use crate::members::{GROUP, LIMIT};
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

    /// The member that is the limit of these puts.
    pub fn limit(&self, group: &str, case: &str) -> &'static str {
        let best = self.best([group, case, "rate"], &[GROUP, LIMIT], true);
        best.map_or(LIMIT, |(member, _)| member)
    }

    /// The median of a member's ratios to another in the same round.
    pub fn ratio(
        &self,
        group: &str,
        case: &str,
        [member, other]: [&str; 2],
        name: &str,
    ) -> Option<f64> {
        let is_burst = ["burst", "slow"].contains(&group);
        let other = if is_burst && other == LIMIT { self.limit(group, case) } else { other };
        let others: Vec<(usize, f64)> = self.values(group, case, other, name).collect();
        let ratios = self.values(group, case, member, name).filter_map(|(round, value)| {
            let found = others.iter().find(|(other, _)| *other == round);
            found.map(|(_, other)| value / other)
        });
        median(ratios.collect())
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
