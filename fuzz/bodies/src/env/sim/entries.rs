//! Unsynced changes of directories, and which of them a power cut lets through (D3 in `disk.rs`).

use super::Prng;
use super::disk::Ino;
use super::plan::CrashPlan;
use std::collections::{BTreeMap, BTreeSet};

/// An atomic change of one or two directories.
#[derive(Clone, Debug)]
pub(super) struct EntryChange {
    /// Its place among all unsynced changes.
    pub(super) number: u64,
    pub(super) entries: Vec<(Ino, Box<str>, Option<Ino>)>,
    /// The files and directories that gain or lose a name.
    pub(super) moved: Vec<Ino>,
}

/// The entry changes that reach the disk (D3), in order.
pub(super) fn kept_entries(
    changes: Vec<EntryChange>,
    plan: CrashPlan,
    rng: Option<&mut Prng>,
) -> Vec<EntryChange> {
    let Some(rng) = rng.filter(|_| matches!(plan, CrashPlan::Random(_))) else {
        return grounded(changes, |change| plan.keeps_entry(change.number));
    };
    // Per directory: how many of its changes are kept, from the first; `None`: each by a coin.
    let mut budgets: BTreeMap<Ino, Option<u64>> = BTreeMap::new();
    let mut counts: BTreeMap<Ino, u64> = BTreeMap::new();
    for (dir, ..) in changes.iter().flat_map(|change| &change.entries) {
        *counts.entry(*dir).or_default() += 1;
    }
    for (dir, count) in counts {
        budgets.insert(dir, if rng.coin() { Some(rng.below(count + 1)) } else { None });
    }
    grounded(changes, |change| {
        change.entries.iter().fold(true, |chosen, (dir, ..)| {
            let keep = match budgets.get_mut(dir) {
                Some(Some(left)) => {
                    let keep = *left > 0;
                    *left = left.saturating_sub(1);
                    keep
                }
                Some(None) | None => rng.coin(),
            };
            chosen && keep
        })
    })
}

/// Those that are chosen and build on nothing that is not.
fn grounded(
    changes: Vec<EntryChange>,
    mut is_chosen: impl FnMut(&EntryChange) -> bool,
) -> Vec<EntryChange> {
    let mut dropped_names = BTreeSet::new();
    let mut dropped_files = BTreeSet::new();
    let mut kept = Vec::new();
    for change in changes {
        let chosen = is_chosen(&change);
        let grounded = change.moved.iter().all(|ino| !dropped_files.contains(ino))
            && change
                .entries
                .iter()
                .all(|(dir, name, _)| !dropped_names.contains(&(*dir, name.clone())));
        if chosen && grounded {
            kept.push(change);
        } else {
            dropped_files.extend(change.moved);
            dropped_names.extend(change.entries.into_iter().map(|(dir, name, _)| (dir, name)));
        }
    }
    kept
}
