//! A bounded table that keeps what is used. It has two generations: what was used since they last changed,
//! and what was used before. When the young one is full, the old one goes.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};

/// What an entry counts towards the bound of a generation.
pub(super) trait Weight {
    /// 1, where entries are counted.
    fn weight(&self) -> usize {
        1
    }
}

/// The table. A generation takes entries until they weigh `MAX`.
pub(super) struct Generations<K, V, const MAX: usize, S = RandomState> {
    young: HashMap<K, V, S>,
    old: HashMap<K, V, S>,
    /// Of the young ones.
    weight: usize,
}

impl<K, V, const MAX: usize, S: Default> Default for Generations<K, V, MAX, S> {
    fn default() -> Self {
        Self { young: HashMap::default(), old: HashMap::default(), weight: 0 }
    }
}

impl<K, V, const MAX: usize, S> Generations<K, V, MAX, S>
where
    K: Eq + Hash,
    V: Clone + Weight,
    S: BuildHasher + Default,
{
    /// An entry, which counts as used.
    pub(super) fn get(&mut self, key: &K) -> Option<V> {
        if let Some(found) = self.young.get(key) {
            return Some(found.clone());
        }
        let (key, found) = self.old.remove_entry(key)?;
        self.insert(key, found.clone());
        Some(found)
    }

    /// The same, without counting as used.
    pub(super) fn look(&self, key: &K) -> Option<&V> {
        self.young.get(key).or_else(|| self.old.get(key))
    }

    /// Adds or replaces an entry.
    pub(super) fn insert(&mut self, key: K, value: V) {
        self.remove(&key);
        if self.weight >= MAX {
            self.old = std::mem::take(&mut self.young);
            self.weight = 0;
        }
        self.weight += value.weight();
        self.young.insert(key, value);
    }

    /// Removes an entry.
    pub(super) fn remove(&mut self, key: &K) {
        if let Some(removed) = self.young.remove(key) {
            self.weight -= removed.weight();
        }
        self.old.remove(key);
    }

    /// Keeps only these entries.
    pub(super) fn retain(&mut self, is_kept: impl Fn(&K) -> bool) {
        self.young.retain(|key, _| is_kept(key));
        self.old.retain(|key, _| is_kept(key));
        self.weight = self.young.values().map(Weight::weight).sum();
    }

    /// What all entries weigh.
    #[cfg(test)]
    pub(super) fn total(&self) -> usize {
        self.young.values().chain(self.old.values()).map(Weight::weight).sum()
    }
}
