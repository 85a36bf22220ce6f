//! A flush: the change sets that waited when it began, in the order in which they go down.
//!
//! Change sets of the same secret go together, because their rows lie in the same blocks. So a set may go
//! down before an older one that has no row in common with it. Sets that have rows in common stay in their
//! order, whatever secrets they are about.

use super::flush::{bytes_of, row_bytes};
use crate::env::faults::{self, Fault};
use crate::model::{ChangeSet, Lsn, RowChange, Tree};
use crate::store::TRANSACTION_BYTES_MAX;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

/// What a row belongs to: its secret, or itself if it has none. Sorted by secret.
type Owner<'a> = (u8, &'a [u8]);

fn owner(row: &RowChange) -> Owner<'_> {
    row.tree.secret_of(&row.key).map_or((row.tree as u8, &row.key), |secret| (0, secret))
}

/// The change sets of a flush that have not gone down yet.
pub(super) struct Plan {
    /// The last of all of them.
    pub(super) to: Lsn,
    /// Bytes of all of them, also of those that have.
    pub(super) bytes: u64,
    sets: VecDeque<Arc<ChangeSet>>,
}

impl Plan {
    /// Orders change sets, which come in the order of their LSNs. `None`: there are none.
    pub(super) fn of(sets: &[Arc<ChangeSet>]) -> Option<Self> {
        let to = sets.last()?.lsn;
        let mut groups = Groups::default();
        for set in sets {
            groups.join(set);
        }
        let mut ordered: Vec<(Owner<'_>, &Arc<ChangeSet>)> =
            sets.iter().map(|set| (groups.of(set), set)).collect();
        ordered.sort_unstable_by_key(|(group, set)| (*group, set.lsn));
        let bytes = ordered.iter().map(|(_, set)| bytes_of(set)).sum();
        let sets = ordered.into_iter().map(|(_, set)| Arc::clone(set)).collect();
        Some(Self { to, bytes, sets })
    }

    /// Whether these many change sets are all that have not gone down.
    pub(super) fn has_only(&self, count: usize) -> bool {
        self.sets.len() <= count
    }

    /// Goes on behind the next change sets, which have gone down.
    pub(super) fn pass(&mut self, count: usize) {
        self.sets.drain(..count.min(self.sets.len()));
    }

    /// How many of the next change sets fit into one transaction, and the rows that have their effect: the
    /// newest version of each, tombstones included, because the state below may have the row.
    pub(super) fn next(&self, rows_max: usize) -> (usize, Vec<RowChange>) {
        let (mut count, mut bytes) = (0, 0);
        let mut rows: BTreeMap<(Tree, &[u8]), &RowChange> = BTreeMap::new();
        for set in &self.sets {
            let fresh = set.rows.iter().filter(|row| !rows.contains_key(&(row.tree, &*row.key)));
            let is_full = rows.len() + fresh.count() > rows_max || bytes >= TRANSACTION_BYTES_MAX;
            if is_full && count > 0 {
                break;
            }
            for row in &set.rows {
                match rows.insert((row.tree, &*row.key), row) {
                    Some(before) => bytes += row_bytes(row).saturating_sub(row_bytes(before)),
                    None => bytes += row_bytes(row),
                }
            }
            count += 1;
        }
        let is_kept =
            |row: &&RowChange| row.value.is_some() || !faults::active(Fault::FlushDropsTombstone);
        let rows = rows.into_values().filter(is_kept).cloned().collect();
        (count, rows)
    }
}

/// Owners that change sets have in common. Each leads to one that comes before it, or is the first of its
/// group.
#[derive(Default)]
struct Groups<'a>(HashMap<Owner<'a>, Owner<'a>>);

impl<'a> Groups<'a> {
    /// The first owner of a group. What was passed on the way leads there directly from now on.
    fn first(&mut self, owner: Owner<'a>) -> Owner<'a> {
        let mut first = owner;
        while let Some(before) = self.0.get(&first).filter(|before| **before != first) {
            first = *before;
        }
        let mut passed = owner;
        while passed != first {
            passed = self.0.insert(passed, first).unwrap_or(first);
        }
        first
    }

    /// Puts all owners of a change set into one group.
    fn join(&mut self, set: &'a ChangeSet) {
        let mut owners: Vec<Owner<'a>> = set.rows.iter().map(owner).collect();
        owners.sort_unstable();
        owners.dedup();
        let firsts: Vec<Owner<'a>> = owners.into_iter().map(|owner| self.first(owner)).collect();
        let Some(group) = firsts.iter().min().copied() else { return };
        for first in firsts {
            self.0.insert(first, group);
        }
    }

    /// The group of a change set. One without rows is in a group of its own kind.
    fn of(&mut self, set: &'a ChangeSet) -> Owner<'a> {
        set.rows.first().map_or((u8::MAX, &[]), |row| self.first(owner(row)))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    fn set(lsn: u64, keys: &[(Tree, &[u8])]) -> Arc<ChangeSet> {
        let row = |(tree, key): &(Tree, &[u8])| RowChange {
            tree: *tree,
            key: (*key).into(),
            value: None,
        };
        Arc::new(ChangeSet { lsn: Lsn(lsn), rows: keys.iter().map(row).collect() })
    }

    fn order(sets: &[Arc<ChangeSet>]) -> Vec<u64> {
        let mut plan = Plan::of(sets).unwrap();
        let mut order = Vec::new();
        while !plan.has_only(0) {
            let (count, _) = plan.next(256);
            order.extend(plan.sets.iter().take(count).map(|set| set.lsn.0));
            plan.pass(count);
        }
        order
    }

    #[test]
    fn sets_of_a_secret_go_together_and_in_order() {
        let (one, two) = ([1_u8; 16], [2_u8; 16]);
        let version = |id: [u8; 16], seq: u8| [&id[..], &[seq]].concat();
        let sets = [
            set(1, &[(Tree::Secrets, &two), (Tree::Versions, &version(two, 1))]),
            set(2, &[(Tree::Versions, &version(one, 1)), (Tree::Secrets, &one)]),
            set(3, &[(Tree::Tokens, &version(two, 9))]),
            set(4, &[(Tree::Labels, &one)]),
            set(5, &[]),
        ];
        assert_eq!(order(&sets), [2, 4, 1, 3, 5]);
    }

    /// Goal: no set overtakes one that wrote the same row, also where secrets are strung together by a name
    /// or by an operation about several of them.
    #[test]
    fn sets_with_a_row_in_common_stay_in_order() {
        let (one, two, three) = ([1_u8; 16], [2_u8; 16], [3_u8; 16]);
        let name = [9_u8; 32];
        let sets = [
            set(1, &[(Tree::Names, &name), (Tree::Secrets, &three)]),
            set(2, &[(Tree::Secrets, &one), (Tree::Names, &name)]),
            set(3, &[(Tree::Secrets, &two)]),
            set(4, &[(Tree::Secrets, &two), (Tree::Secrets, &three)]),
            set(5, &[(Tree::Secrets, &one)]),
        ];
        assert_eq!(order(&sets), [1, 2, 3, 4, 5]);
    }

    #[test]
    fn nothing_is_no_plan() {
        assert!(Plan::of(&[]).is_none());
    }
}
