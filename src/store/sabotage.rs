//! A store that fails on purpose, so that tests can see what `vault` makes of it. Feature
//! `sabotage` only.

use super::{Row, Store, StoreError};
use crate::model::{ChangeSet, Lsn, Tree};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Passes everything on, until the n-th `apply` breaks it as a panic of sled would.
pub struct FailingStore {
    inner: Arc<dyn Store>,
    applies_left: AtomicU64,
    half: bool,
    broken: AtomicBool,
}

impl FailingStore {
    /// Breaks at apply number `at`, counted from 1. Nothing of that apply is done.
    #[must_use]
    pub fn new(inner: Arc<dyn Store>, at: u64) -> Self {
        Self {
            inner,
            applies_left: AtomicU64::new(at),
            half: false,
            broken: AtomicBool::new(false),
        }
    }

    /// The same, but the failing apply leaves the first half of each set's rows behind, as sled
    /// does when it fails between two trees.
    #[must_use]
    pub fn halfway(inner: Arc<dyn Store>, at: u64) -> Self {
        Self { half: true, ..Self::new(inner, at) }
    }

    fn check(&self) -> Result<(), StoreError> {
        if self.broken.load(Ordering::Acquire) {
            return Err(StoreError::Broken { what: "sabotage" });
        }
        Ok(())
    }
}

impl Store for FailingStore {
    fn applied(&self) -> Result<Lsn, StoreError> {
        self.check()?;
        self.inner.applied()
    }

    fn get(&self, tree: Tree, key: &[u8]) -> Result<Option<Box<[u8]>>, StoreError> {
        self.check()?;
        self.inner.get(tree, key)
    }

    fn range(
        &self,
        tree: Tree,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
        reverse: bool,
    ) -> Result<Vec<Row>, StoreError> {
        self.check()?;
        self.inner.range(tree, prefix, after, limit, reverse)
    }

    fn scan(&self, tree: Tree, visit: &mut dyn FnMut(&[u8], &[u8])) -> Result<(), StoreError> {
        self.check()?;
        self.inner.scan(tree, visit)
    }

    fn apply(&self, sets: &[ChangeSet]) -> Result<(), StoreError> {
        self.check()?;
        let left = self.applies_left.load(Ordering::Acquire).saturating_sub(1);
        self.applies_left.store(left, Ordering::Release);
        if left > 0 {
            return self.inner.apply(sets);
        }
        if self.half {
            let halves = sets.iter().map(|set| {
                let rows = set.rows.iter().take(set.rows.len() / 2).cloned().collect();
                ChangeSet { lsn: set.lsn, rows }
            });
            self.inner.apply(&halves.collect::<Vec<_>>())?;
        }
        self.broken.store(true, Ordering::Release);
        Err(StoreError::Broken { what: "sabotage" })
    }

    fn checkpoint(&self) -> Result<Lsn, StoreError> {
        self.check()?;
        self.inner.checkpoint()
    }

    fn disk_bytes(&self) -> u64 {
        self.inner.disk_bytes()
    }
}
