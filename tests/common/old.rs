//! Vaults of format 1, made of closed vaults of today: a snapshot, and frames with the rows that differ
//! between the formats.

use std::path::Path;
use strongroom::__internals::crypto::{Keyring, SetSum};
use strongroom::__internals::env::Env;
use strongroom::__internals::log::internals::rows_of;
use strongroom::__internals::log::{End, Frame, Log, LogOptions, RowFormat, RowVisitor};
use strongroom::__internals::model::{ChangeSet, Lsn, RowChange, Tree};
use strongroom::__internals::store::{OrderedStore, Store};
use strongroom::__internals::vault::internals;

/// Rows in one frame.
const FRAME_ROWS: usize = 100;

/// Makes the closed vault in `dir` one of format 1. `is_clean`: with an end mark.
pub fn make_old(env: &Env, dir: &Path, keys: &Keyring, is_clean: bool) {
    let options = LogOptions {
        segment_bytes_first: 8 << 10,
        segment_bytes_max: 64 << 10,
        ..LogOptions::default()
    };
    let open = || {
        let auth = internals::log_keys(keys);
        Log::open(env, dir, keys.vault_id().0, auth, options.clone()).unwrap()
    };
    let mut found = open();
    found.settle().unwrap();
    let row = |((tree, key), value): ((Tree, Vec<u8>), Vec<u8>)| RowChange {
        tree,
        key: key.into(),
        value: Some(value.into()),
    };
    let rows = rows_of(&found).unwrap().into_iter().map(row).collect();
    let store = OrderedStore::new();
    store.apply(&[ChangeSet { lsn: found.end().lsn, rows }]).unwrap();
    let changes = internals::changes_to_format_1(&store, keys, env.entropy.as_ref()).unwrap();
    let mut lsn = Lsn(found.end().lsn.0 + 1);
    let without = |change: &RowChange| RowChange { value: None, ..change.clone() };
    store.apply(&[ChangeSet { lsn, rows: changes.iter().map(without).collect() }]).unwrap();
    let mut sum = SetSum::empty();
    let mut base = Vec::new();
    for tree in Tree::ALL {
        let mut take = |key: &[u8], value: &[u8]| {
            if tree.is_digested() {
                sum.add(keys.digest_key(), tree, key, value);
            }
            base.push((tree, key.to_vec(), value.to_vec()));
        };
        store.scan(tree, &mut take).unwrap();
    }
    let end = End { lsn, digest: sum.digest(keys.digest_key(), lsn), ..found.end().clone() };
    let (clock, keystore_generation) = (end.clock, end.keystore_generation);
    let mut visit = |visit: &mut RowVisitor<'_>| {
        base.iter().try_for_each(|(tree, key, value)| visit(*tree, key, value))
    };
    found.begin_as(RowFormat::One, end, &mut visit).unwrap();
    let mut log = open().start().unwrap();
    let added: Vec<RowChange> = changes.into_iter().filter(|row| row.value.is_some()).collect();
    for part in added.chunks(FRAME_ROWS) {
        lsn = Lsn(lsn.0 + 1);
        for row in part {
            sum.add(keys.digest_key(), row.tree, &row.key, row.value.as_deref().unwrap());
        }
        let digest = sum.digest(keys.digest_key(), lsn);
        let sets = vec![ChangeSet { lsn, rows: part.to_vec() }];
        log.append(&Frame { keystore_generation, clock, digest, sets }).unwrap();
        log.sync().unwrap();
    }
    if is_clean {
        log.close(clock).unwrap();
    }
}
