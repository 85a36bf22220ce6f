//! What is missing after the end of a salvage.

use crate::error::Result;
use crate::log::{End, LogError, SalvageSource};
use crate::model::Tree;
use crate::store::{OrderedStore, Store};
use std::collections::BTreeSet;
use std::fmt;

/// What a repair loses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// The first operation (LSN) that is lost.
    pub first_lsn: u64,
    /// The last one. `None`: it is not known how many there were, perhaps none.
    pub last_lsn: Option<u64>,
    /// Whole secrets that are lost, as far as the rest of the log shows.
    pub secrets: u64,
    /// Versions that are lost, as far as the rest of the log shows.
    pub versions: u64,
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { first_lsn, last_lsn, secrets, versions } = self;
        match last_lsn {
            Some(last) => write!(f, "operations {first_lsn} to {last}")?,
            None => write!(f, "whatever came after operation {}", first_lsn.saturating_sub(1))?,
        }
        write!(f, "; of these at least secrets={secrets} versions={versions} can be named")
    }
}

/// What is known to be missing after `end`.
pub(super) fn loss(
    salvage_source: &SalvageSource,
    state: Option<&dyn Store>,
    rows: &OrderedStore,
    end: &End,
) -> Result<Option<Loss>> {
    // A flush that was cut short has brought operations up to there.
    let reaches = state.and_then(|state| state.span().ok()).unwrap_or_default().reaches;
    let proven = salvage_source.proven_end();
    let known = salvage_source.last_known().map_or(end.lsn, |last| last.lsn);
    let highest = known.max(reaches);
    let is_all = match proven {
        Some(proven) => proven.same_point(end),
        // Log and state cannot prove each other, but they end at the same operation.
        None => reaches == end.lsn,
    };
    if is_all && highest <= end.lsn {
        return Ok(None);
    }
    let mut missing = [BTreeSet::new(), BTreeSet::new()];
    let mut note = |tree: Tree, key: &[u8]| {
        let [secrets, versions] = &mut missing;
        let list = match tree {
            Tree::Secrets => secrets,
            Tree::Versions => versions,
            _ => return,
        };
        if matches!(rows.get(tree, key), Ok(None)) {
            list.insert(key.to_vec());
        }
    };
    let seen = salvage_source.frames(end.lsn, &mut |_, frame| {
        for row in frame.sets.iter().flat_map(|set| &set.rows).filter(|row| row.value.is_some()) {
            note(row.tree, &row.key);
        }
        Ok(())
    });
    match seen {
        Ok(()) | Err(LogError::Damaged(_)) => {}
        Err(error) => return Err(error.into()),
    }
    if let Some(state) = state.filter(|_| reaches > end.lsn) {
        for tree in [Tree::Secrets, Tree::Versions] {
            // Its rows are not proven, so they are not kept, but they show what is missing.
            let _ = state.scan(tree, &mut |key, _| note(tree, key));
        }
    }
    let [secrets, versions] = missing.map(|keys| keys.len() as u64);
    let last = proven.map_or(highest, |proven| proven.lsn.max(highest));
    let last_lsn = (last > end.lsn).then_some(last.0);
    Ok(Some(Loss { first_lsn: end.lsn.next().0, last_lsn, secrets, versions }))
}
