//! The commit pipeline on a disk that fails.

use super::*;
use crate::model::{ChangeSet, RowChange, Tree};
use crate::store::{MemtableBytes, OrderedStore, Store};
use crate::vault::commit::job::{Done, Job};
use crate::vault::commit::pipeline::Pipeline;
use crate::vault::runtime::status::Status;
use crate::vault::state::serving::State;
use std::thread::{self, ThreadId};
use std::time::Duration;

#[test]
fn a_failed_sync_leaves_the_whole_batch_unknown_and_the_reads_alone() {
    let sim = Sim::new(1);
    let world = World::on(&sim);
    let vault = world.create();
    make(&vault, "a", "one");
    sim.fs.add_fault(fault(OpKind::SyncData, 1, io::ErrorKind::Other, Reach::Nothing));
    // A put, the same again (a no-op) and a refusal: all were planned on the batch's view.
    let writes =
        vec![put_request("a", "two", 1), put_request("a", "two", 1), put_request("none", "x", 2)];
    for outcome in together(&vault, writes) {
        assert_eq!(kind(outcome), ErrorKind::OutcomeUnknown);
    }
    assert_eq!(get(&vault, "a").unwrap(), "one");
    assert_eq!(kind(put(&vault, "a", "three")), ErrorKind::Poisoned);
    vault.close().unwrap();
    drop(vault);
    let vault = world.open().unwrap();
    assert!(["one", "two"].contains(&get(&vault, "a").unwrap().as_str()));
    put(&vault, "a", "four").unwrap();
    assert_eq!(get(&vault, "a").unwrap(), "four");
}

#[test]
fn a_poisoned_vault_shows_no_frame_that_was_never_synced() {
    let sim = Sim::new(2);
    let vault = World::on(&sim).create();
    make(&vault, "a", "one");
    sim.fs.add_fault(fault(OpKind::SyncData, 1, io::ErrorKind::Other, Reach::Nothing));
    assert_eq!(kind(put(&vault, "a", "two")), ErrorKind::OutcomeUnknown);
    vault.inner.shared.state.mark_broken();
    assert_eq!(kind(get(&vault, "a")), ErrorKind::StateBroken);
}

#[test]
fn a_full_disk_refuses_what_grows_and_does_the_rest_of_the_batch() {
    let sim = Sim::new(3);
    let world = World::on(&sim);
    let vault = world.create();
    make(&vault, "a", "one");
    make(&vault, "b", "gone soon");
    sim.fs.add_fault(fault(OpKind::Write, 1, io::ErrorKind::StorageFull, Reach::Part(100)));
    let mut outcomes =
        together(&vault, vec![put_request("a", "two", 1), Write::DeleteSecret(purge_request("b"))]);
    assert!(outcomes.pop().unwrap().is_ok());
    assert_eq!(kind(outcomes.pop().unwrap()), ErrorKind::NoSpace);
    assert_eq!(get(&vault, "a").unwrap(), "one");
    assert!(matches!(kind(get(&vault, "b")), ErrorKind::Fault(_)));
    put(&vault, "a", "three").unwrap();
    // The sum went with the batch: compacting and opening compare it.
    vault.maintain().unwrap();
    vault.close().unwrap();
    drop(vault);
    assert_eq!(get(&world.open().unwrap(), "a").unwrap(), "three");
}

#[test]
fn the_reserve_is_kept_for_what_does_not_grow() {
    let sim = Sim::new(4);
    let world = World::on(&sim);
    let vault = world.create();
    make(&vault, "a", "one");
    vault.maintain().unwrap();
    let reserve = world.dir.join("reserve");
    let has_reserve = || sim.fs.read_all(&reserve).is_ok();
    assert!(has_reserve());
    sim.fs.add_fault(fault(OpKind::Write, u64::MAX, io::ErrorKind::StorageFull, Reach::Part(9)));
    assert_eq!(kind(put(&vault, "a", "two")), ErrorKind::NoSpace);
    assert!(has_reserve(), "a put took from the reserve");
    let purged = vault.delete_secret(purge_request("a"));
    assert_eq!(kind(purged), ErrorKind::NoSpace);
    assert!(!has_reserve());
    sim.fs.clear_faults();
    vault.delete_secret(purge_request("a")).unwrap();
    vault.maintain().unwrap();
    assert!(has_reserve(), "it is filled again");
}

#[test]
fn a_disk_that_holds_only_the_reserve_can_be_deleted_from() {
    let sim = Sim::new(5);
    let vault = World::on(&sim).create();
    for n in 0..20 {
        make(&vault, &format!("s{n}"), &"x".repeat(2000));
    }
    vault.maintain().unwrap();
    let used: u64 =
        sim.fs.paths().iter().map(|path| sim.fs.read_all(path).unwrap().len() as u64).sum();
    sim.fs.set_capacity(Some(used));
    assert_eq!(kind(put(&vault, "s1", "more")), ErrorKind::NoSpace);
    for n in 0..20 {
        let name = format!("s{n}");
        vault.delete_secret(purge_request(&name)).unwrap();
    }
    sim.fs.set_capacity(Some(used * 4));
    vault.maintain().unwrap();
    make(&vault, "again", "there is room");
    assert_eq!(get(&vault, "again").unwrap(), "there is room");
}

/// A vault on the simulated disk whose memtable holds everything.
fn with_memtable(world: &World) -> Vault {
    let mut options = world.options();
    options.tuning.memtable = Some(MemtableBytes::of(4 << 20));
    let vault = VaultDir::make(&world.dir, &options).unwrap();
    let key = |id| key_file::generate(id, world.env.entropy.as_ref()).unwrap();
    vault.create(|id| Ok(Unlock::KeyFile(key(id)))).unwrap()
}

#[test]
fn a_vault_at_rest_has_its_rows_in_the_state() {
    let sim = Sim::new(5);
    let vault = with_memtable(&World::on(&sim));
    let maintainer = &vault.running.maintainer;
    let waiting = || vault.inner.shared.state.waiting_bytes();
    for _ in 0..3 {
        make(&vault, &format!("n{}", waiting()), "v");
        maintainer.settle_at_rest().unwrap();
        sim.clock.advance(Duration::from_secs(9));
        maintainer.settle_at_rest().unwrap();
        assert!(waiting() > 0, "it was written to ten seconds ago");
    }
    sim.clock.advance(Duration::from_secs(1));
    maintainer.settle_at_rest().unwrap();
    assert_eq!(waiting(), 0);
}

/// Goal: rows in the memtable claim space for their flush, and a disk that has no such space is not full for
/// that reason: they are flushed, and then it is known how much it took.
#[test]
fn rows_that_wait_in_the_memtable_do_not_fill_the_disk() {
    let sim = Sim::new(5);
    let vault = with_memtable(&World::on(&sim));
    for n in 0..100 {
        make(&vault, &format!("s{n}"), &"x".repeat(2000));
    }
    let shared = &vault.inner.shared;
    let waiting = shared.state.waiting_bytes();
    assert!(waiting > 200_000, "{waiting}");
    let used: u64 =
        sim.fs.paths().iter().map(|path| sim.fs.read_all(path).unwrap().len() as u64).sum();
    // Enough for two segments and two snapshots, but not for what the rows claim.
    sim.fs.set_capacity(Some(used + 2 * waiting));
    put(&vault, "s1", "more").unwrap();
    assert!(shared.state.waiting_bytes() < waiting);
    vault.ready().unwrap();
}

#[test]
fn an_append_that_changed_nothing_does_not_poison() {
    let sim = Sim::new(6);
    let world = World::on(&sim);
    let vault = world.create();
    make(&vault, "a", "one");
    vault.close().unwrap();
    drop(vault);
    let vault = world.open().unwrap();
    // The first append after an open makes a segment: no file can be had.
    sim.fs.add_fault(fault(OpKind::Create, 1, io::ErrorKind::Other, Reach::Nothing));
    assert!(matches!(kind(put(&vault, "a", "two")), ErrorKind::Io { .. }));
    assert_eq!(vault.inner.shared.status.get(), Status::Open);
    assert_eq!(get(&vault, "a").unwrap(), "one");
    put(&vault, "a", "three").unwrap();
    assert_eq!(get(&vault, "a").unwrap(), "three");
}

/// Puts a state in place whose rows of `tree` are changed by `change`: what sled might serve.
fn damage(vault: &Vault, tree: Tree, change: impl Fn(&[u8]) -> Option<Vec<u8>>) {
    let state = vault.inner.shared.state().unwrap();
    let mut rows = Vec::new();
    for at in Tree::ALL {
        let changed = |value: &[u8]| {
            if at == tree { change(value) } else { Some(value.to_vec()) }
        };
        let copy = &mut |key: &[u8], value: &[u8]| {
            let value = changed(value).map(Into::into);
            rows.push(RowChange { tree: at, key: key.into(), value });
        };
        state.store().scan(at, copy).unwrap();
    }
    let store = OrderedStore::new();
    store.apply(&[ChangeSet { lsn: state.store().applied().unwrap(), rows }]).unwrap();
    vault
        .inner
        .shared
        .state
        .replace(Some(State::in_memory(store, &vault.inner.shared.tuning).unwrap()));
}

fn flipped(value: &[u8]) -> Vec<u8> {
    let mut value = value.to_vec();
    let last = value.len() - 1;
    value[last] ^= 1;
    value
}

#[test]
fn a_damaged_state_is_rebuilt_before_anything_is_logged_on_it() {
    for tree in [Tree::Secrets, Tree::Labels, Tree::Names] {
        let sim = Sim::new(7);
        let world = World::on(&sim);
        let vault = world.create();
        make(&vault, "a", "one");
        make(&vault, "b", "one");
        damage(&vault, tree, |value| Some(flipped(value)));
        let outcomes =
            together(&vault, vec![put_request("a", "two", 1), put_request("b", "two", 2)]);
        assert!(outcomes.iter().all(Result::is_ok), "{tree:?}");
        assert_eq!(get(&vault, "a").unwrap(), "two");
        vault.maintain().unwrap();
        vault.close().unwrap();
        drop(vault);
        assert_eq!(get(&world.open().unwrap(), "b").unwrap(), "two");
    }
}

#[test]
fn a_value_whose_rows_are_gone_or_changed_is_read_right_all_the_same() {
    for tree in [Tree::Blobs, Tree::Versions, Tree::Secrets] {
        for is_gone in [true, false] {
            let sim = Sim::new(8);
            let vault = World::on(&sim).create();
            make(&vault, "a", &"long ".repeat(3000));
            damage(&vault, tree, |value| (!is_gone).then(|| flipped(value)));
            assert_eq!(get(&vault, "a").unwrap().len(), 15_000, "{tree:?} {is_gone}");
        }
    }
}

#[test]
fn a_flipped_version_byte_is_damage_and_no_newer_format() {
    let sim = Sim::new(9);
    let vault = World::on(&sim).create();
    make(&vault, "a", "one");
    damage(&vault, Tree::Secrets, |value| {
        let mut value = value.to_vec();
        value[0] ^= 2;
        Some(value)
    });
    put(&vault, "a", "two").unwrap();
    assert_eq!(get(&vault, "a").unwrap(), "two");
}

#[test]
fn a_panic_on_the_pipeline_poisons_with_and_without_a_thread() {
    for background in [false, true] {
        let sim = Sim::new(10);
        let mut world = World::on(&sim);
        world.background = background;
        let vault = world.create();
        make(&vault, "a", "one");
        let outcome = vault.inner.driver.control(|_| -> () { panic!("on purpose") });
        assert_eq!(kind(outcome), ErrorKind::OutcomeUnknown);
        assert_eq!(kind(put(&vault, "a", "two")), ErrorKind::Poisoned);
        assert_eq!(get(&vault, "a").unwrap(), "one");
    }
}

#[test]
fn a_batch_has_at_most_256_operations_and_one_frame() {
    let sim = Sim::new(11);
    let vault = World::on(&sim).create();
    make(&vault, "a", "one");
    let frames = || vault.inner.shared.frames.load(std::sync::atomic::Ordering::Relaxed);
    let before = frames();
    let jobs: Vec<_> = (0..=255).map(|n| put_request("a", "v", n)).collect();
    assert!(together(&vault, jobs).iter().all(Result::is_ok));
    assert_eq!(frames() - before, 1);
}

#[test]
fn writers_that_wait_share_a_sync() {
    let sim = Sim::new(12);
    let vault = World::with_threads(&sim).create();
    make(&vault, "a", "one");
    sim.fs.set_sync_delay(std::time::Duration::from_millis(5));
    let frames = || vault.inner.shared.frames.load(std::sync::atomic::Ordering::Relaxed);
    let before = frames();
    std::thread::scope(|scope| {
        for writer in 0..16 {
            let vault = vault.clone();
            scope.spawn(move || {
                for n in 0..5 {
                    put(&vault, "a", &format!("{writer} {n}")).unwrap();
                }
            });
        }
    });
    assert!(frames() - before < 40, "{} frames for 80 puts", frames() - before);
    vault.close().unwrap();
}

/// The thread that does an operation of this caller.
fn doer(vault: &Vault) -> ThreadId {
    let (tell, told) = std::sync::mpsc::channel();
    let note = |done: Done| {
        Job::ClearPurge(Box::new(move |outcome| {
            tell.send(thread::current().id()).unwrap();
            done(outcome);
        }))
    };
    vault.inner.driver.call(note).unwrap();
    told.recv().unwrap()
}

#[test]
fn a_lone_writer_commits_on_its_own_thread_and_others_share_the_commit_thread() {
    let sim = Sim::new(13);
    let vault = World::with_threads(&sim).create();
    // The background threads ask the pipeline something now and then.
    let own = thread::current().id();
    assert!((0..1000).any(|_| doer(&vault) == own));
    let (enter, entered) = std::sync::mpsc::channel();
    let (release, released) = std::sync::mpsc::channel();
    let driver = &vault.inner.driver;
    thread::scope(|scope| {
        let hold = move |_: &mut Pipeline| {
            enter.send(()).unwrap();
            released.recv().unwrap();
        };
        let holder = scope.spawn(move || driver.control(hold));
        entered.recv().unwrap();
        let writers = [(); 2].map(|()| scope.spawn(|| (thread::current().id(), doer(&vault))));
        while driver.queued() < 2 {
            thread::yield_now();
        }
        release.send(()).unwrap();
        holder.join().unwrap().unwrap();
        for writer in writers {
            let (own, doer) = writer.join().unwrap();
            assert_ne!(doer, own);
        }
    });
    vault.close().unwrap();
    assert_eq!(kind(driver.call(Job::ClearPurge)), ErrorKind::Closed);
}
