//! The anchor beside an open vault (RB-3 to RB-5), on disks that fail.

use super::*;
use crate::crypto::KdfParams;
use crate::env::sim::CrashPlan;
use crate::vault::anchor::{Anchor, NoteFor};
use crate::vault::directory::VaultDir as Place;
use std::sync::atomic::Ordering;
use std::time::Duration;

const ANCHOR: &str = "/keys/anchor";
/// Longer than a file is left alone that could not be written.
const PAUSE: Duration = Duration::from_secs(61);

fn options(world: &World, anchor: &str) -> Options {
    Options { anchor: Some(anchor.into()), ..world.options() }
}

fn create(world: &World, options: &Options) -> Result<Vault> {
    Place::make(&world.dir, options)?.create(|id| {
        let key = key_file::generate(id, world.env.entropy.as_ref()).unwrap();
        *world.key.lock().unwrap() = key.expose().to_vec();
        Ok(world.unlock())
    })
}

fn frames(vault: &Vault) -> u64 {
    vault.inner.shared.frames.load(Ordering::Relaxed)
}

fn note(vault: &Vault) -> Option<String> {
    Anchor::note_of(vault.inner.shared.anchor.as_ref(), NoteFor::Open)
}

/// A failure of calls of this kind in the folder of the anchor.
fn on_anchor(on: OpKind, times: u64, error: io::ErrorKind) -> Fault {
    let path_contains = "/keys".to_owned();
    Fault { on: vec![on], path_contains, nth: 1, times, error, reach: Reach::Nothing }
}

/// RB-2: what is refused is refused before there is a vault.
#[test]
fn a_file_that_is_no_anchor_leaves_no_vault_behind() {
    let sim = Sim::new(1);
    let world = World::on(&sim);
    sim.env().fs.create_dir(Path::new("/keys")).unwrap();
    crate::env::private_file::write(&sim.env(), Path::new(ANCHOR), b"my notes").unwrap();
    let refused = create(&world, &options(&world, ANCHOR));
    assert!(matches!(kind(refused), ErrorKind::Damaged { rule: "RB-2", .. }));
    assert!(!Place::make(&world.dir, &world.options()).unwrap().has_vault());
    world.create().close().unwrap();
}

/// An anchor in the vault's folder would go back in time with it.
#[test]
fn an_anchor_inside_the_folder_is_refused_by_whatever_path() {
    let sim = Sim::new(2);
    let world = World::on(&sim);
    for inside in ["/vault/anchor", "/vault/a/b/anchor"] {
        let refused = create(&world, &options(&world, inside));
        assert!(matches!(kind(refused), ErrorKind::Usage { .. }), "{inside}");
    }
    let root = tempfile::tempdir().unwrap();
    let world = World::real(root.path());
    world.create().close().unwrap();
    std::os::unix::fs::symlink(world.dir.join("log"), root.path().join("link")).unwrap();
    let inside =
        [world.dir.join("anchor"), root.path().join("link/a"), root.path().join("link/b/c")];
    for inside in inside {
        let options = options(&world, inside.to_str().unwrap());
        let refused = options.open(&world.dir, &world.unlock());
        assert!(matches!(kind(refused), ErrorKind::Usage { .. }), "{}", inside.display());
        let place = Place::lock(&world.dir, &options).unwrap();
        assert!(matches!(kind(place.check(&world.unlock(), false)), ErrorKind::Usage { .. }));
    }
    let beside = options(&world, root.path().join("vault.anchor").to_str().unwrap());
    beside.open(&world.dir, &world.unlock()).unwrap().close().unwrap();
}

/// RB-3: a refresh that fails after the file has its new name, and a crash in the next one.
#[test]
fn a_refresh_that_failed_at_the_end_is_no_rollback() {
    let sim = Sim::new(3);
    let world = World::on(&sim);
    let options = options(&world, ANCHOR);
    let vault = create(&world, &options).unwrap();
    make(&vault, "a", "one");
    vault.maintain().unwrap();
    assert_eq!(note(&vault), None);
    put(&vault, "a", "two").unwrap();
    sim.fs.add_fault(on_anchor(OpKind::SyncDir, 1, io::ErrorKind::Other));
    vault.maintain().unwrap();
    assert!(note(&vault).unwrap().contains(ANCHOR));
    sim.clock.advance(PAUSE);
    put(&vault, "a", "three").unwrap();
    sim.fs.add_fault(on_anchor(OpKind::Rename, 1, io::ErrorKind::Other));
    let before = frames(&vault);
    vault.maintain().unwrap();
    assert_eq!(frames(&vault), before + 1, "the row of the refresh");
    drop(vault);
    let vault = options.open(&world.dir, &world.unlock()).unwrap();
    assert_eq!(get(&vault, "a").unwrap(), "three");
    vault.close().unwrap();
    drop(vault);
    options.open(&world.dir, &world.unlock()).unwrap();
}

/// RB-3: a refresh whose name is not durable, a restart, and a power cut that takes that name back.
#[test]
fn a_name_that_a_power_cut_takes_back_is_no_rollback() {
    let sim = Sim::new(10);
    let world = World::on(&sim);
    let options = options(&world, ANCHOR);
    let vault = create(&world, &options).unwrap();
    make(&vault, "a", "one");
    vault.maintain().unwrap();
    put(&vault, "a", "two").unwrap();
    let said = sim.fs.read_all(Path::new(ANCHOR)).unwrap();
    sim.fs.add_fault(on_anchor(OpKind::SyncDir, u64::MAX, io::ErrorKind::Other));
    vault.maintain().unwrap();
    assert_ne!(sim.fs.read_all(Path::new(ANCHOR)).unwrap(), said);
    drop(vault);
    let vault = options.open(&world.dir, &world.unlock()).unwrap();
    put(&vault, "a", "three").unwrap();
    vault.maintain().unwrap();
    drop(vault);
    sim.fs.crash(CrashPlan::DropAll);
    assert_eq!(sim.fs.read_all(Path::new(ANCHOR)).unwrap(), said);
    let vault = options.open(&world.dir, &world.unlock()).unwrap();
    assert_eq!(get(&vault, "a").unwrap(), "three");
}

/// A file system that cannot sync folders can hold an anchor.
#[test]
fn an_anchor_needs_no_synced_folder_where_there_is_no_such_thing() {
    let sim = Sim::new(4);
    let world = World::on(&sim);
    let vault = create(&world, &options(&world, ANCHOR)).unwrap();
    vault.maintain().unwrap();
    make(&vault, "a", "one");
    sim.fs.add_fault(on_anchor(OpKind::SyncDir, u64::MAX, io::ErrorKind::Unsupported));
    vault.maintain().unwrap();
    assert_eq!(note(&vault), None);
}

/// RB-4, RB-5: nothing is committed for a file that cannot be written, and those who ask are told why.
#[test]
fn a_broken_disk_of_the_anchor_costs_no_frames_and_is_told() {
    for on in [OpKind::Create, OpKind::Write, OpKind::SyncAll] {
        let sim = Sim::new(5);
        let world = World::on(&sim);
        let vault = create(&world, &options(&world, ANCHOR)).unwrap();
        vault.maintain().unwrap();
        make(&vault, "a", "one");
        sim.fs.add_fault(on_anchor(on, u64::MAX, io::ErrorKind::Other));
        let before = frames(&vault);
        for _ in 0..3 {
            vault.maintain().unwrap();
            sim.clock.advance(PAUSE);
        }
        assert_eq!(frames(&vault), before, "{on:?}");
        assert!(note(&vault).unwrap().contains("cannot be refreshed"));
        // It keeps no one from working, and is over when it is over.
        put(&vault, "a", "two").unwrap();
        sim.fs.clear_faults();
        vault.maintain().unwrap();
        assert_eq!(note(&vault), None);
        let names = sim.env().fs.read_dir(Path::new("/keys")).unwrap();
        assert_eq!(names.len(), 1, "{names:?}");
    }
}

/// RB-4: a refresh takes no space that is kept for deleting, and is not tried again at once.
#[test]
fn a_full_disk_keeps_its_reserve_from_the_anchor() {
    let sim = Sim::new(6);
    let world = World::on(&sim);
    let vault = create(&world, &options(&world, ANCHOR)).unwrap();
    vault.maintain().unwrap();
    make(&vault, "a", "one");
    sim.fs.add_fault(fault(OpKind::Write, u64::MAX, io::ErrorKind::StorageFull, Reach::Nothing));
    let maintainer = &vault.running.maintainer;
    assert_eq!(kind(maintainer.refresh_anchor()), ErrorKind::NoSpace);
    assert!(sim.fs.read_all(&world.dir.join("reserve")).is_ok(), "the refresh took the reserve");
    maintainer.refresh_anchor().unwrap();
    sim.clock.advance(PAUSE);
    assert_eq!(kind(maintainer.refresh_anchor()), ErrorKind::NoSpace);
}

/// RB-4: neither a long compaction nor a check holds up the anchor.
#[test]
fn a_long_pass_does_not_hold_up_the_anchor() {
    let sim = Sim::new(7);
    let world = World::with_threads(&sim);
    let vault = create(&world, &options(&world, ANCHOR)).unwrap();
    let said = || sim.fs.read_all(Path::new(ANCHOR)).ok();
    let pass = vault.running.maintainer.lock_pass();
    for value in ["one", "two"] {
        let before = said();
        vault.put("a", value).unwrap();
        let follows = (0..3_000).any(|_| {
            std::thread::sleep(Duration::from_millis(20));
            said() != before
        });
        assert!(follows, "the anchor stands still");
    }
    drop(pass);
    vault.close().unwrap();
}

/// RB-5: a check makes no anchor, and does not claim it.
#[test]
fn a_check_does_not_claim_to_make_an_anchor() {
    let sim = Sim::new(8);
    let world = World::on(&sim);
    world.create().close().unwrap();
    let place = Place::lock(&world.dir, &options(&world, ANCHOR)).unwrap();
    let report = place.check(&world.unlock(), false).unwrap();
    let note = report.notes.join(" ");
    assert!(note.contains("a check makes none") && !note.contains("it is made now"), "{note}");
    assert!(sim.fs.read_all(Path::new(ANCHOR)).is_err());
}

/// OWN-8: whoever tries a key is refused before it is tried.
#[test]
fn a_repair_too_is_refused_where_its_key_needs_more_memory() {
    let sim = Sim::new(9);
    let world = World::on(&sim);
    let mut options = world.options();
    options.tuning.kdf = Some(KdfParams::fast_for_tests());
    let unlock = || Unlock::passphrase("word");
    Place::make(&world.dir, &options).unwrap().create(|_| Ok(unlock())).unwrap().close().unwrap();
    options.tuning.memory_bytes = Some(1 << 20);
    let lock = |options: &Options| Place::lock(&world.dir, options).unwrap();
    let is_refused = |outcome: Result<()>| {
        assert!(matches!(kind(outcome), ErrorKind::TooLittleMemory { .. }));
    };
    is_refused(lock(&options).repair(&unlock(), false).map(drop));
    is_refused(lock(&options).check(&unlock(), false).map(drop));
    is_refused(lock(&options).open(&unlock()).map(drop));
    options.tuning.memory_bytes = None;
    lock(&options).repair(&unlock(), false).unwrap();
}
