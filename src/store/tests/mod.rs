//! One suite for all stores, what only sled can do wrong, and what a memtable promises.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::similar_names,
    clippy::needless_pass_by_value
)]

mod damage;
mod measure;
mod memtable;
mod noting_fs;
mod sled_only;
mod slow_disk;
mod suite;

use super::{Range, SledOptions, SledStore, Store};
use crate::env::Fs;
use crate::model::{ChangeSet, Lsn, RowChange, Tree};
use noting_fs::NotingFs;
use std::path::Path;
use std::sync::Arc;

fn put(tree: Tree, key: &[u8], value: &[u8]) -> RowChange {
    RowChange { tree, key: key.into(), value: Some(value.into()) }
}

fn gone(tree: Tree, key: &[u8]) -> RowChange {
    RowChange { tree, key: key.into(), value: None }
}

fn set(lsn: u64, rows: Vec<RowChange>) -> ChangeSet {
    ChangeSet { lsn: Lsn(lsn), rows }
}

/// A set of `rows` small rows of its own in `Names`.
fn set_of(lsn: u64, rows: u16) -> ChangeSet {
    let key = |row: u16| [lsn.to_be_bytes().as_slice(), &row.to_be_bytes()].concat();
    set(lsn, (0..rows).map(|row| put(Tree::Names, &key(row), b"value")).collect())
}

fn real_fs() -> Arc<dyn Fs> {
    Arc::new(NotingFs::default())
}

fn open(dir: &Path) -> SledStore {
    SledStore::open(real_fs(), &dir.join("state"), SledOptions::default()).unwrap()
}

/// The first rows of a tree.
fn all(limit: usize) -> Range<'static> {
    Range { prefix: b"", after: None, limit }
}

/// Everything in a store, tree by tree.
fn rows(store: &dyn Store) -> Vec<(Tree, Vec<u8>, Vec<u8>)> {
    let mut rows = Vec::new();
    for tree in Tree::ALL {
        store
            .scan(tree, &mut |key, value| rows.push((tree, key.to_vec(), value.to_vec())))
            .unwrap();
    }
    rows
}

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len.div_ceil(8)).flat_map(|_| self.next().to_le_bytes()).take(len).collect()
    }
}
