//! Epoch switches that are interrupted, and purges that come in between (I10).

use super::*;
use crate::crypto::Keyring;
use crate::model::{RecordId, Seq, Tree};
use crate::vault::rows;

/// Versions that have a data key, and the epoch of each.
fn wraps(vault: &Vault) -> Vec<((RecordId, Seq), u32)> {
    let mut found = Vec::new();
    let (state, keys) = (vault.inner.shared.state().unwrap(), vault.inner.shared.keys());
    let visit = &mut |key: &[u8], row: &[u8]| {
        let content = keys.open_row(Tree::Versions, key, row).unwrap();
        let version = rows::decode_version(&content).unwrap();
        let epoch = version.wrapped.map(|wrapped| Keyring::wrap_term(&wrapped).unwrap());
        found.extend(epoch.map(|epoch| ((version.id, version.seq), epoch)));
    };
    state.store().scan(Tree::Versions, visit).unwrap();
    found
}

fn chunks(vault: &Vault) -> Vec<Box<[u8]>> {
    let mut found = Vec::new();
    let state = vault.inner.shared.state().unwrap();
    state.store().scan(Tree::Blobs, &mut |_, row| found.push(row.into())).unwrap();
    found
}

/// The first half of a switch: the keystore with the new epoch, durable, and in use.
fn begin(vault: &Vault) {
    let inner = &vault.inner;
    let mut file = vault.running.maintainer.lock_keystore();
    let entropy = inner.shared.env.entropy.as_ref();
    let (keystore, keys) = inner.shared.keys().begin_epoch(&file.keystore, entropy).unwrap();
    file.twin.write(keystore.generation(), &keystore.encode()).unwrap();
    file.keystore = keystore;
    inner
        .driver
        .control(move |pipeline| {
            pipeline.use_keys(Arc::new(keys));
            pipeline.unshredded = None;
        })
        .unwrap();
}

fn has_note(vault: &Vault) -> bool {
    let state = vault.inner.shared.state().unwrap();
    state.store().get(Tree::Meta, rows::META_PURGE).unwrap().is_some()
}

#[test]
fn a_purge_during_a_switch_keeps_the_note_for_the_next() {
    let sim = Sim::new(1);
    let vault = World::on(&sim).create();
    for name in ["a", "b", "c"] {
        make(&vault, name, "one");
    }
    vault.delete_secret(purge_request("a")).unwrap();
    assert!(has_note(&vault));
    begin(&vault);
    // Its data key may be wrapped under the new epoch already.
    vault.delete_secret(purge_request("b")).unwrap();
    vault.inner.driver.call(Job::ClearPurge).unwrap();
    assert!(has_note(&vault), "the purge of b is forgotten");
    vault.shred().unwrap();
    assert!(!has_note(&vault));
    assert_eq!(get(&vault, "c").unwrap(), "one");
}

#[test]
fn the_data_keys_of_the_dead_are_not_carried_to_a_new_epoch() {
    let sim = Sim::new(2);
    let world = World::on(&sim);
    let vault = world.create();
    make(&vault, "dead", "one");
    make(&vault, "live", "two");
    vault.delete_secret(purge_request("dead")).unwrap();
    // Not swept: a crash or a race came first.
    let all: Vec<_> = wraps(&vault).into_iter().map(|(version, _)| version).collect();
    assert_eq!(all.len(), 2);
    let values = chunks(&vault);
    begin(&vault);
    vault.inner.driver.call(|done| Job::Rewrap(all, done)).unwrap();
    let epochs: Vec<u32> = wraps(&vault).into_iter().map(|(_, epoch)| epoch).collect();
    assert_eq!(epochs, [vault.inner.shared.keys().epoch()]);
    assert_eq!(chunks(&vault), values, "a value was written again");
    vault.maintain().unwrap();
    assert_eq!(get(&vault, "live").unwrap(), "two");
    vault.close().unwrap();
    drop(vault);
    assert_eq!(get(&world.open().unwrap(), "live").unwrap(), "two");
}

#[test]
fn switches_that_never_end_do_not_fill_the_keystore() {
    let sim = Sim::new(3);
    let world = World::on(&sim);
    drop(world.create());
    for round in 0..40 {
        let vault = world.open().unwrap();
        make(&vault, &format!("s{round}"), "value");
        if round % 2 == 0 {
            begin(&vault);
        } else {
            vault.shred().unwrap();
            let keys = vault.inner.shared.keys();
            assert_eq!(keys.oldest_epoch(), keys.epoch());
        }
    }
    let vault = world.open().unwrap();
    assert_eq!(get(&vault, "s0").unwrap(), "value");
}

#[test]
fn a_keystore_from_before_a_change_of_key_is_refused_after_a_close() {
    let sim = Sim::new(4);
    let world = World::on(&sim);
    let vault = world.create();
    make(&vault, "a", "one");
    let old: Vec<_> = ["keystore.a", "keystore.b"]
        .map(|name| world.dir.join(name))
        .into_iter()
        .map(|path| (sim.fs.read_all(&path).unwrap(), path))
        .collect();
    let key = key_file::generate(vault.id(), sim.entropy.as_ref()).unwrap();
    let old_key = world.key.lock().unwrap().clone();
    *world.key.lock().unwrap() = key.expose().to_vec();
    vault.change_unlock(&world.unlock()).unwrap();
    // No write after it: the end mark alone carries the generation.
    vault.close().unwrap();
    drop(vault);
    assert_eq!(get(&world.open().unwrap(), "a").unwrap(), "one");
    for (bytes, path) in old {
        sim.fs.overwrite(&path, 0, &bytes).unwrap();
    }
    *world.key.lock().unwrap() = old_key;
    assert!(matches!(kind(world.open()), ErrorKind::Damaged { rule: "TWIN-7", .. }));
}

/// The old passphrase is gone by then, so it must not be said that nothing was changed.
#[test]
fn a_full_disk_after_the_change_of_a_key_is_no_refusal() {
    let sim = Sim::new(20);
    let world = World::on(&sim);
    let vault = world.create();
    make(&vault, "a", "one");
    let full = io::ErrorKind::StorageFull;
    sim.fs.add_fault(fault(OpKind::Write, u64::MAX, full, Reach::Nothing));
    let key = key_file::generate(vault.id(), world.env.entropy.as_ref()).unwrap();
    let next = key.expose().to_vec();
    let refused = vault.change_unlock(&Unlock::KeyFile(key));
    assert_eq!(kind(refused), ErrorKind::OutcomeUnknown);
    sim.fs.clear_faults();
    vault.close().unwrap();
    drop(vault);
    assert_eq!(kind(world.open()), ErrorKind::WrongKey);
    *world.key.lock().unwrap() = next;
    assert_eq!(get(&world.open().unwrap(), "a").unwrap(), "one");
}
