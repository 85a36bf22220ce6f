//! Damage that is found while the vault is open, and what may be freed of the log (I6).

use super::*;
use crate::model::{ChangeSet, RowChange, Tree};
use crate::vault::runtime::status::Status;
use std::path::PathBuf;

fn filled(world: &World) -> Vault {
    let vault = world.create();
    for n in 0..20 {
        make(&vault, &format!("s{n}"), &format!("{n}").repeat(900));
    }
    vault.maintain().unwrap();
    for n in 0..20 {
        put(&vault, &format!("s{n}"), &format!("new {n}")).unwrap();
    }
    vault
}

fn assert_all(vault: &Vault) {
    for n in 0..20 {
        assert_eq!(get(vault, &format!("s{n}")).unwrap(), format!("new {n}"));
    }
}

fn flip(path: &PathBuf, at: usize) {
    let mut bytes = std::fs::read(path).unwrap();
    let at = at % bytes.len();
    bytes[at] ^= 1;
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn damage_that_a_compaction_meets_is_repaired_from_the_state() {
    for extension in [".snap", ".wal"] {
        let sim = Sim::new(1);
        let world = World::on(&sim);
        let vault = filled(&world);
        // The last segment's first frame, the snapshot's first block.
        let path = world.file(extension);
        let mut byte = sim.fs.read_all(&path).unwrap()[5000];
        byte ^= 1;
        sim.fs.overwrite(&path, 5000, &[byte]).unwrap();
        vault.maintain().unwrap();
        assert_eq!(vault.inner.shared.status.get(), Status::Open);
        put(&vault, "s3", "new 3").unwrap();
        vault.maintain().unwrap();
        vault.close().unwrap();
        drop(vault);
        assert_all(&world.open().unwrap());
    }
}

#[test]
fn damage_that_nothing_can_repair_ends_the_writing() {
    let sim = Sim::new(2);
    let world = World::on(&sim);
    let vault = filled(&world);
    let path = world.file(".snap");
    sim.fs.overwrite(&path, 5000, b"rot").unwrap();
    // A state that is not what the log ends with: it proves nothing.
    let state = vault.inner.shared.state().unwrap();
    let lsn = state.store().applied().unwrap();
    let key: Box<[u8]> = b"stray".as_slice().into();
    let stray = RowChange { tree: Tree::Meta, key, value: Some([0].into()) };
    state.store().apply(&[ChangeSet { lsn: lsn.next(), rows: vec![stray] }]).unwrap();
    assert!(matches!(kind(vault.maintain()), ErrorKind::Damaged { .. }));
    assert_eq!(kind(put(&vault, "s1", "lost")), ErrorKind::Poisoned);
    assert_eq!(get(&vault, "s1").unwrap(), "new 1");
}

#[test]
fn with_sled_too_and_the_state_may_go_afterwards() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::real(dir.path());
    let vault = filled(&world);
    vault.close().unwrap();
    drop(vault);
    flip(&world.file(".snap"), 6000);
    let vault = world.open().unwrap();
    assert_all(&vault);
    vault.maintain().unwrap();
    vault.close().unwrap();
    drop(vault);
    std::fs::remove_dir_all(world.dir.join("state")).unwrap();
    let vault = world.open().unwrap();
    assert_all(&vault);
    vault.close().unwrap();
}

#[test]
fn a_chunk_that_sled_lost_is_answered_right_after_an_online_rebuild() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::real(dir.path());
    let vault = world.create();
    make(&vault, "a", &"long ".repeat(3000));
    let state = vault.inner.shared.state().unwrap();
    let mut keys = Vec::new();
    state.store().scan(Tree::Blobs, &mut |key, _| keys.push(key.to_vec())).unwrap();
    let key = keys[1].as_slice().into();
    let rows = vec![RowChange { tree: Tree::Blobs, key, value: None }];
    let lsn = state.store().applied().unwrap().next();
    state.store().apply(&[ChangeSet { lsn, rows }]).unwrap();
    drop(state);
    assert_eq!(get(&vault, "a").unwrap().len(), 15_000);
    put(&vault, "a", "short").unwrap();
    vault.close().unwrap();
    drop(vault);
    assert_eq!(get(&world.open().unwrap(), "a").unwrap(), "short");
}

/// A vault on a real disk whose state is in memory only, as where sled cannot be had.
fn without_sled(world: &World) -> World {
    World {
        env: world.env.clone(),
        dir: world.dir.clone(),
        store: StoreChoice::Memory,
        background: false,
        key: Mutex::new(world.key.lock().unwrap().clone()),
    }
}

/// A process that reads once leaves the state of a small vault alone. The next open that uses the state
/// brings it up. Where the log is damaged the state answers as ever.
#[test]
fn one_read_spares_sled_unless_the_log_is_damaged() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::real(dir.path());
    filled(&world).close().unwrap();
    let state = || std::fs::read(world.dir.join("state/db")).unwrap();
    let before = state();
    let reader = World { store: StoreChoice::OneRead, ..without_sled(&world) };
    let vault = reader.open().unwrap();
    assert_all(&vault);
    put(&vault, "s0", "passing").unwrap();
    put(&vault, "s0", "new 0").unwrap();
    vault.close().unwrap();
    drop(vault);
    assert!(state() == before);
    let vault = world.open().unwrap();
    assert_all(&vault);
    vault.close().unwrap();
    drop(vault);
    assert!(state() != before);
    flip(&world.file(".snap"), 6000);
    assert_all(&reader.open().unwrap());
}

#[test]
fn a_state_in_memory_lets_nothing_of_a_real_log_go() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::real(dir.path());
    let vault = filled(&world);
    vault.close().unwrap();
    drop(vault);
    let poor = without_sled(&world);
    let vault = poor.open().unwrap();
    put(&vault, "s0", "new 0").unwrap();
    let names = |extension: &str| {
        let names = std::fs::read_dir(world.dir.join("log")).unwrap();
        names
            .filter(|name| {
                name.as_ref().unwrap().file_name().to_str().unwrap().ends_with(extension)
            })
            .count()
    };
    let (snapshots, old) = (names(".snap"), world.file(".snap"));
    for _ in 0..4 {
        put(&vault, "s0", "new 0").unwrap();
        vault.maintain().unwrap();
    }
    assert!(old.exists(), "the snapshot that only the log has was freed");
    assert!(names(".snap") <= snapshots + 1, "snapshots pile up");
    // So the newest one may rot: the one before, with its segments, is all there.
    flip(&world.file(".snap"), 6000);
    drop(vault);
    std::fs::remove_dir_all(world.dir.join("state")).unwrap();
    assert_all(&poor.open().unwrap());
}
