//! The contract of `Store`, asked of every implementation.

use super::*;
use crate::store::{Memtable, MemtableBytes, OrderedStore};
use std::collections::{BTreeMap, BTreeSet};
use std::slice::from_ref;

/// Runs `test` against an empty store of each kind. Memtables are bounded in ways that leave all rows in the
/// table, some of them, or none.
fn each(test: impl Fn(&dyn Store)) {
    test(&OrderedStore::new());
    let dir = tempfile::tempdir().unwrap();
    test(&open(dir.path()));
    for bytes in [MemtableBytes::of(1 << 30), MemtableBytes::of(800), MemtableBytes::of(1)] {
        for has_thread in [false, true] {
            test(&Memtable::over(OrderedStore::new(), bytes, has_thread).unwrap());
            let dir = tempfile::tempdir().unwrap();
            test(&Memtable::over(open(dir.path()), bytes, has_thread).unwrap());
        }
    }
}

#[test]
fn an_empty_store_is_at_lsn_zero() {
    each(|store| {
        assert_eq!(store.applied().unwrap(), Lsn(0));
        assert_eq!(store.get(Tree::Names, b"a").unwrap(), None);
        assert_eq!(store.range(Tree::Names, all(10)).unwrap(), []);
        assert_eq!(rows(store), []);
    });
}

#[test]
fn trees_do_not_mix() {
    each(|store| {
        let rows_of_all = Tree::ALL.map(|tree| put(tree, b"same key", &[tree as u8]));
        store.apply(&[set(1, rows_of_all.to_vec())]).unwrap();
        for tree in Tree::ALL {
            assert_eq!(store.get(tree, b"same key").unwrap().as_deref(), Some(&[tree as u8][..]));
        }
        assert_eq!(rows(store).len(), Tree::ALL.len());
    });
}

#[test]
fn sets_are_applied_in_order_and_the_last_one_wins() {
    each(|store| {
        store
            .apply(&[
                set(1, vec![put(Tree::Labels, b"k", b"1"), put(Tree::Names, b"n", b"1")]),
                set(2, vec![put(Tree::Labels, b"k", b"2"), gone(Tree::Names, b"n")]),
                set(3, vec![put(Tree::Labels, b"k", b"3")]),
            ])
            .unwrap();
        assert_eq!(rows(store), [(Tree::Labels, b"k".to_vec(), b"3".to_vec())]);
        assert_eq!(store.applied().unwrap(), Lsn(3));
    });
}

#[test]
fn a_set_that_was_applied_is_skipped() {
    each(|store| {
        let old = set(7, vec![put(Tree::Names, b"k", b"old")]);
        let new = set(8, vec![put(Tree::Names, b"k", b"new")]);
        store.apply(from_ref(&old)).unwrap();
        store.apply(from_ref(&new)).unwrap();
        store.apply(from_ref(&old)).unwrap();
        store.apply(&[old, new]).unwrap();
        assert_eq!(store.get(Tree::Names, b"k").unwrap().as_deref(), Some(&b"new"[..]));
        assert_eq!(store.applied().unwrap(), Lsn(8));
    });
}

#[test]
fn a_set_without_rows_moves_the_lsn() {
    each(|store| {
        store.apply(&[set(1, vec![]), set(2, vec![])]).unwrap();
        assert_eq!(store.applied().unwrap(), Lsn(2));
    });
}

#[test]
fn a_tombstone_removes_and_one_for_nothing_is_harmless() {
    each(|store| {
        store
            .apply(&[set(1, vec![put(Tree::Blobs, b"k", b"v"), gone(Tree::Blobs, b"x")])])
            .unwrap();
        store.apply(&[set(2, vec![gone(Tree::Blobs, b"k")])]).unwrap();
        assert_eq!(rows(store), []);
        store.apply(&[set(3, vec![put(Tree::Blobs, b"k", b"again")])]).unwrap();
        assert_eq!(store.get(Tree::Blobs, b"k").unwrap().as_deref(), Some(&b"again"[..]));
    });
}

#[test]
fn an_empty_value_is_a_row() {
    each(|store| {
        store.apply(&[set(1, vec![put(Tree::Labels, b"k", b"")])]).unwrap();
        assert_eq!(store.get(Tree::Labels, b"k").unwrap().as_deref(), Some(&b""[..]));
    });
}

#[test]
fn sets_beyond_one_transaction_all_arrive() {
    each(|store| {
        let sets: Vec<_> = (1..=40).map(|lsn| set_of(lsn, 30)).collect();
        store.apply(&sets).unwrap();
        assert_eq!(rows(store).len(), 40 * 30);
        assert_eq!(store.applied().unwrap(), Lsn(40));
    });
}

#[test]
fn a_set_over_256_rows_is_applied_alone_and_whole() {
    each(|store| {
        store.apply(&[set_of(1, 10), set_of(2, 700), set_of(3, 10)]).unwrap();
        assert_eq!(rows(store).len(), 720);
        assert_eq!(store.applied().unwrap(), Lsn(3));
    });
}

/// Goal: `range` is a filter over all rows, whatever prefix, start, limit and direction. Method:
/// random rows, thinned out again, and random questions, beside a map that is filtered.
#[test]
fn a_range_is_what_a_filter_over_all_rows_gives() {
    each(|store| {
        let mut dice = Dice(3);
        let mut model: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
        let alphabet = [0, 1, 7, 254, 255];
        let key = |dice: &mut Dice| -> Vec<u8> {
            let len = dice.below(5);
            (0..len).map(|_| alphabet[usize::try_from(dice.below(5)).unwrap()]).collect()
        };
        for lsn in 1..=60 {
            let mut changes: BTreeMap<Vec<u8>, Option<Vec<u8>>> = BTreeMap::new();
            for _ in 0..20 {
                let value = (dice.below(3) > 0).then(|| dice.bytes(9));
                changes.insert(key(&mut dice), value);
            }
            for (key, value) in &changes {
                match value {
                    Some(value) => model.insert(key.clone(), value.clone()),
                    None => model.remove(key),
                };
            }
            let changes = changes.into_iter().map(|(key, value)| RowChange {
                tree: Tree::Tokens,
                key: key.into(),
                value: value.map(Into::into),
            });
            store.apply(&[set(lsn, changes.collect())]).unwrap();
        }
        assert!(model.len() > 100, "the question is only asked of a full tree");
        for _ in 0..2000 {
            let prefix: Vec<u8> = key(&mut dice).into_iter().take(2).collect();
            let after = (dice.below(4) > 0).then(|| key(&mut dice));
            let limit = usize::try_from(dice.below(40)).unwrap();
            let beyond = |key: &Vec<u8>| after.as_ref().is_none_or(|after| key > after);
            let mut expected: Vec<_> =
                model.iter().filter(|(key, _)| key.starts_with(&prefix) && beyond(key)).collect();
            expected.truncate(limit);
            let range = Range { prefix: &prefix, after: after.as_deref(), limit };
            let found = store.range(Tree::Tokens, range).unwrap();
            let found: Vec<_> =
                found.into_iter().map(|(key, value)| (key.to_vec(), value.to_vec())).collect();
            let expected: Vec<_> =
                expected.into_iter().map(|(key, value)| (key.clone(), value.clone())).collect();
            assert_eq!(found, expected, "{prefix:?} {after:?} {limit}");
        }
    });
}

#[test]
fn a_scan_visits_every_row_once_in_key_order() {
    each(|store| {
        let sets: Vec<_> = (1..=20).map(|lsn| set_of(lsn, 100)).collect();
        store.apply(&sets).unwrap();
        let mut keys = Vec::new();
        store.scan(Tree::Names, &mut |key, _| keys.push(key.to_vec())).unwrap();
        let sorted: BTreeSet<_> = keys.iter().cloned().collect();
        assert_eq!(keys.len(), 2000);
        assert!(sorted.into_iter().eq(keys));
    });
}

/// A visitor may ask the store: no lock is held while it runs.
#[test]
fn a_visitor_may_read_and_apply() {
    each(|store| {
        store.apply(&[set_of(1, 3)]).unwrap();
        let mut lsn = 1;
        store
            .scan(Tree::Names, &mut |key, value| {
                assert_eq!(store.get(Tree::Names, key).unwrap().as_deref(), Some(value));
                lsn += 1;
                store.apply(&[set(lsn, vec![put(Tree::Labels, key, value)])]).unwrap();
            })
            .unwrap();
        assert_eq!(store.applied().unwrap(), Lsn(4));
    });
}

/// Goal: a reader between two transactions never sees a part of a set. Method: each set writes its
/// number into two trees; a row read later is never older than one read before.
#[test]
fn readers_never_see_a_set_in_part() {
    each(|store| {
        let number = |tree| {
            let value = store.get(tree, b"n").unwrap().unwrap_or_else(|| Box::from([0_u8; 8]));
            u64::from_be_bytes(value.as_ref().try_into().unwrap())
        };
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| {
                for lsn in 1..=500_u64 {
                    let value = lsn.to_be_bytes();
                    let rows = [put(Tree::Secrets, b"n", &value), put(Tree::Labels, b"n", &value)];
                    store.apply(&[set(lsn, rows.to_vec())]).unwrap();
                }
            });
            while !writer.is_finished() {
                let (first, second) = (number(Tree::Secrets), number(Tree::Labels));
                assert!(second >= first, "half of a set: {first} then {second}");
                let (first, second) = (number(Tree::Labels), number(Tree::Secrets));
                assert!(second >= first, "half of a set: {first} then {second}");
            }
        });
    });
}

/// Method: the same random sets through all of them, compared as wholes.
#[test]
fn all_stores_hold_the_same_after_the_same_sets() {
    let dir = tempfile::tempdir().unwrap();
    let (ordered, sled) = (OrderedStore::new(), open(dir.path()));
    let table = Memtable::over(OrderedStore::new(), MemtableBytes::of(40_000), false).unwrap();
    let mut dice = Dice(11);
    let mut lsn = 0;
    for _ in 0..50 {
        let mut sets = Vec::new();
        for _ in 0..dice.below(6) {
            lsn += 1;
            let mut changes = BTreeMap::new();
            for _ in 0..dice.below(60) {
                let tree = Tree::ALL[usize::try_from(dice.below(8)).unwrap()];
                let key_len = usize::try_from(1 + dice.below(2)).unwrap();
                let value_len = usize::try_from(dice.below(300)).unwrap();
                let value = (dice.below(3) > 0).then(|| dice.bytes(value_len));
                changes.insert((tree, dice.bytes(key_len)), value);
            }
            let changes = changes.into_iter().map(|((tree, key), value)| RowChange {
                tree,
                key: key.into(),
                value: value.map(Into::into),
            });
            sets.push(set(lsn, changes.collect()));
        }
        ordered.apply(&sets).unwrap();
        sled.apply(&sets).unwrap();
        table.apply(&sets).unwrap();
        if dice.below(10) == 0 {
            assert_eq!(sled.checkpoint().unwrap(), ordered.checkpoint().unwrap());
        }
        if dice.below(10) == 0 {
            assert_eq!(rows(&table), rows(&ordered));
        }
    }
    assert_eq!(rows(&sled), rows(&ordered));
    assert_eq!(sled.applied().unwrap(), ordered.applied().unwrap());
    assert_eq!(table.applied().unwrap(), ordered.applied().unwrap());
    table.flush().unwrap();
    assert_eq!(rows(table.below()), rows(&ordered));
}

#[test]
fn a_fork_goes_its_own_way() {
    let store = OrderedStore::new();
    store.apply(&[set_of(1, 3)]).unwrap();
    let fork = store.fork();
    store.apply(&[set_of(2, 3)]).unwrap();
    fork.apply(&[set(2, vec![put(Tree::Meta, b"k", b"fork")])]).unwrap();
    assert_eq!(rows(&fork).len(), 4);
    assert_eq!(rows(&store).len(), 6);
}
