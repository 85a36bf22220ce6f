//! The longest part of a damaged truth that is proven right, and what is missing behind it.
//!
//! Four bases can be built upon: a snapshot that reads back whole, the one before it, the state if
//! something authenticated names its LSN and digest, and, where the log still goes back to its
//! beginning, nothing at all. Each is led on by every frame that authenticates and whose digest the
//! rows have once it is applied; the base that gets furthest is taken. So a state that lags, together with the frames after it, stands in for damage before it.

use super::state_copy::in_memory;
use crate::crypto::{Keyring, SetSum};
use crate::error::Result;
use crate::log::{End, LogError, Remains};
use crate::model::{ChangeSet, Lsn, RowChange, Tree};
use crate::store::{OrderedStore, Store};
use crate::vault::error::RowError;
use crate::vault::lifecycle::open::has_all_chunks;
use crate::vault::state::opener::{advance, sum_rows};
use std::collections::BTreeSet;
use std::fmt;

/// What a salvage drops.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// The first operation (LSN) that is lost.
    pub first_lsn: u64,
    /// The last one; `None`: how many there were is not known, perhaps none.
    pub last_lsn: Option<u64>,
    /// Secrets that are lost whole, as far as what is left of the operations tells.
    pub secrets: u64,
    /// Versions that are lost, likewise.
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

/// The furthest that can be proven.
pub(crate) struct Salvage {
    pub(crate) rows: OrderedStore,
    /// Where it stands.
    pub(crate) end: End,
    /// What it was built from.
    pub(crate) source: &'static str,
    /// What is missing, if anything.
    pub(crate) loss: Option<Loss>,
}

/// Rows, their sum, and the proven point that they are at.
struct Built {
    rows: OrderedStore,
    sum: SetSum,
    end: Option<End>,
    source: &'static str,
}

/// Builds what can be built. `None`: nothing at all can be proven.
pub(crate) fn salvage(
    remains: &Remains,
    state: Option<&dyn Store>,
    keys: &Keyring,
) -> Result<Option<Salvage>> {
    let mut best: Option<(OrderedStore, End, &'static str)> = None;
    let snapshots: Vec<Lsn> = remains.snapshots().map(|end| end.lsn).collect();
    let bases = snapshots.iter().enumerate().map(|(at, lsn)| {
        let source =
            if at == 0 { "the snapshot and the log" } else { "an older snapshot and the log" };
        from_snapshot(remains, *lsn, keys, source).map(Some)
    });
    let of_state =
        || Ok(state.and_then(|state| from_store(remains, state, keys, "the state and the log")));
    let of_nothing =
        || Ok(from_store(remains, &OrderedStore::new(), keys, "the log from its beginning"));
    let others = std::iter::once_with(of_state).chain(std::iter::once_with(of_nothing));
    for base in bases.chain(others) {
        let Some(mut built) = base? else { continue };
        lead_on(&mut built, remains, keys)?;
        let Built { rows, end: Some(end), source, .. } = built else { continue };
        if best.as_ref().is_none_or(|(_, furthest, _)| end.lsn > furthest.lsn) {
            best = Some((rows, end, source));
        }
    }
    let Some((rows, end, source)) = best else { return Ok(None) };
    let loss = loss(remains, state, &rows, &end)?;
    Ok(Some(Salvage { rows, end, source, loss }))
}

fn from_snapshot(
    remains: &Remains,
    lsn: Lsn,
    keys: &Keyring,
    source: &'static str,
) -> Result<Built> {
    let (mut taken, mut sum) = (Vec::new(), SetSum::empty());
    remains.read_snapshot(lsn, &mut |tree, key, value| {
        sum.add(keys.digest_key(), tree, key, value);
        taken.push(RowChange { tree, key: key.into(), value: Some(value.into()) });
        Ok(())
    })?;
    let rows = OrderedStore::new();
    rows.apply(&[ChangeSet { lsn, rows: taken }]).map_err(RowError::from)?;
    let end = remains.known(lsn, &sum.digest(keys.digest_key(), lsn)).cloned();
    Ok(Built { rows, sum, end, source })
}

/// A store as a base. Its chunks are in no digest: every value is opened.
fn from_store(
    remains: &Remains,
    store: &dyn Store,
    keys: &Keyring,
    source: &'static str,
) -> Option<Built> {
    let rows = in_memory(store)?;
    if !has_all_chunks(&rows, keys) {
        return None;
    }
    let lsn = rows.applied().ok()?;
    let sum = sum_rows(&rows, keys).ok()?;
    let end = remains.known(lsn, &sum.digest(keys.digest_key(), lsn)).cloned();
    Some(Built { rows, sum, end, source })
}

/// Applies every frame that provably follows.
fn lead_on(built: &mut Built, remains: &Remains, keys: &Keyring) -> Result<()> {
    let after = built.rows.applied().map_err(RowError::from)?;
    let led = remains.frames(after, &mut |end, frame| {
        let applied = built.rows.applied().map_err(|_| LogError::Stopped)?;
        let first = frame.sets.first().map_or(end.lsn, |set| set.lsn);
        if end.lsn <= applied {
            return Ok(());
        }
        if first > applied.next() {
            return Err(LogError::Stopped);
        }
        let mut sum = built.sum.clone();
        let fits = advance(&built.rows, keys, &mut sum, &frame).is_ok()
            && sum.digest(keys.digest_key(), end.lsn) == end.digest;
        if fits {
            built.rows.apply(&frame.sets).map_err(|_| LogError::Stopped)?;
            (built.sum, built.end) = (sum, Some(end));
        }
        Ok(())
    });
    match led {
        Ok(()) | Err(LogError::Stopped | LogError::Damaged(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// What is known to be missing after `end`.
fn loss(
    remains: &Remains,
    state: Option<&dyn Store>,
    rows: &OrderedStore,
    end: &End,
) -> Result<Option<Loss>> {
    let applied = state.and_then(|state| state.applied().ok()).unwrap_or_default();
    let proven = remains.proven_end();
    let known = remains.last_known().map_or(end.lsn, |last| last.lsn);
    let highest = known.max(applied);
    let is_all = match proven {
        Some(proven) => proven.same_point(end),
        // Log and state were lost to each other's sight and still end at the same operation.
        None => applied == end.lsn,
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
    let seen = remains.frames(end.lsn, &mut |_, frame| {
        for row in frame.sets.iter().flat_map(|set| &set.rows).filter(|row| row.value.is_some()) {
            note(row.tree, &row.key);
        }
        Ok(())
    });
    match seen {
        Ok(()) | Err(LogError::Damaged(_)) => {}
        Err(error) => return Err(error.into()),
    }
    if let Some(state) = state.filter(|_| applied > end.lsn) {
        for tree in [Tree::Secrets, Tree::Versions] {
            // Not proven, so not kept; but it can say what is missing.
            let _ = state.scan(tree, &mut |key, _| note(tree, key));
        }
    }
    let [secrets, versions] = missing.map(|keys| keys.len() as u64);
    let last = proven.map_or(highest, |proven| proven.lsn.max(highest));
    let last_lsn = (last > end.lsn).then_some(last.0);
    Ok(Some(Loss { first_lsn: end.lsn.next().0, last_lsn, secrets, versions }))
}
