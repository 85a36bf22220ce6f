//! Repairs: the result for each kind of damage, and power cuts at every call of a repair.

use super::memory::{Seen, judge, look};
use super::subject::{Subject, dump, files};
use crate::common::twin;
use crate::common::world::{Loss, Setup, World};
use crate::figures;
use std::path::{Path, PathBuf};
use strongroom::__internals::vault::RepairOutcome;
use strongroom_fuzz_bodies::env::sim::SimFs;

const DIR: &str = "/vault";
/// Where the first frame of a segment, and the first block of a snapshot, begin.
const BODY: u64 = 4096;

fn path(name: &str) -> PathBuf {
    Path::new(DIR).join(name)
}

/// The newest file of the log with this ending that holds something behind its header.
fn newest(disk: &SimFs, ending: &str) -> PathBuf {
    let with_content = |(path, bytes): &(PathBuf, Vec<u8>)| {
        path.to_str().unwrap().ends_with(ending)
            && bytes.get(4096..).is_some_and(|body| body.iter().any(|byte| *byte != 0))
            && bytes[..8].iter().any(|byte| *byte != 0)
    };
    files(disk).into_iter().rfind(with_content).unwrap().0
}

fn rot(disk: &SimFs, path: &Path, at: u64) {
    let mut byte = disk.read_all(path).unwrap()[usize::try_from(at).unwrap()];
    byte ^= 4;
    disk.overwrite(path, at, &[byte]).unwrap();
}

/// Changes a byte of a twin's body and makes its checksum hold again.
fn forge(disk: &SimFs, name: &str, at: usize) {
    let mut bytes = disk.read_all(&path(name)).unwrap();
    bytes[at] ^= 1;
    twin::mend(&mut bytes);
    disk.overwrite(&path(name), 0, &bytes).unwrap();
}

/// A damage, whether a state is beside it, and whether repairing it costs something.
struct Plight {
    what: &'static str,
    has_state: bool,
    loses: bool,
    damage: fn(&SimFs),
}

const PLIGHTS: [Plight; 9] = [
    Plight {
        what: "a frame, beside a whole state",
        has_state: true,
        loses: false,
        damage: |disk| {
            rot(disk, &newest(disk, ".wal"), BODY + 200);
        },
    },
    Plight {
        what: "a block of the snapshot, beside a whole state",
        has_state: true,
        loses: false,
        damage: |disk| {
            rot(disk, &newest(disk, ".snap"), BODY + 200);
        },
    },
    Plight {
        what: "one copy of each twin",
        has_state: false,
        loses: false,
        damage: |disk| {
            disk.delete(&path("keystore.a")).unwrap();
            rot(disk, &path("manifest.b"), 300);
        },
    },
    Plight {
        what: "both manifests, beside a whole state",
        has_state: true,
        loses: false,
        damage: |disk| {
            disk.delete(&path("manifest.a")).unwrap();
            rot(disk, &path("manifest.b"), 300);
        },
    },
    Plight {
        what: "both manifests and a segment's header, beside a whole state",
        has_state: true,
        loses: false,
        damage: |disk| {
            disk.delete(&path("manifest.a")).unwrap();
            rot(disk, &path("manifest.b"), 300);
            rot(disk, &newest(disk, ".wal"), 100);
        },
    },
    Plight {
        what: "a manifest that contradicts the other",
        has_state: true,
        loses: false,
        damage: |disk| {
            forge(disk, "manifest.a", 72 + 20);
        },
    },
    Plight {
        what: "a keystore that contradicts the other",
        has_state: true,
        loses: false,
        damage: |disk| {
            forge(disk, "keystore.b", 72 + 90);
        },
    },
    Plight {
        what: "a frame, without a state",
        has_state: false,
        loses: true,
        damage: |disk| {
            let path = newest(disk, ".wal");
            rot(disk, &path, BODY + 200);
        },
    },
    Plight {
        what: "both manifests, without a state",
        has_state: false,
        loses: true,
        damage: |disk| {
            rot(disk, &path("manifest.a"), 300);
            rot(disk, &path("manifest.b"), 300);
        },
    },
];

impl Plight {
    fn on(&self, subject: &Subject) -> World {
        let world = subject.copy(self.has_state.then_some(&subject.now.state));
        (self.damage)(&world.sim.fs);
        world
    }
}

/// What the vault answers is right, or, after a loss, what it once answered.
fn answers(subject: &Subject, world: &World, loses: bool) -> Result<(), String> {
    let vault = world.open(&Setup::default()).map_err(|error| error.to_string())?;
    let seen = dump(&vault).map_err(|error| error.to_string())?;
    vault.close().map_err(|error| error.to_string())?;
    let fits = if loses { subject.history.contains(&seen) } else { seen == subject.now.answers };
    if fits { Ok(()) } else { Err("other answers".into()) }
}

#[test]
fn each_damage_is_repaired_or_reported_with_what_it_costs() {
    let subject = Subject::new();
    for plight in PLIGHTS {
        let (what, world) = (plight.what, plight.on(&subject));
        let before = files(&world.sim.fs);
        let report = world.repair(false).unwrap_or_else(|error| panic!("{what}: {error}"));
        println!("{what}: {report:?}");
        assert!(!report.found.is_empty(), "{what}");
        if plight.loses {
            assert_eq!(report.outcome, RepairOutcome::WouldLose, "{what}");
            let loss = report.loss.unwrap();
            assert!(loss.last_lsn.is_none_or(|last| last >= loss.first_lsn), "{what}");
            assert_eq!(names(&files(&world.sim.fs)), names(&before), "{what}: it was not asked to");
            let report = world.repair(true).unwrap();
            assert_eq!(
                (report.outcome, report.loss),
                (RepairOutcome::Repaired, Some(loss)),
                "{what}"
            );
        } else {
            assert_eq!((report.outcome, report.loss), (RepairOutcome::Repaired, None), "{what}");
        }
        answers(&subject, &world, plight.loses).unwrap_or_else(|wrong| panic!("{what}: {wrong}"));
        // Every file that was changed or removed is kept as it was.
        let after = files(&world.sim.fs);
        let has = |bytes: &Vec<u8>| after.iter().any(|(_, kept)| kept == bytes);
        for (path, bytes) in &before {
            let is_damage = !subject_has(&subject, bytes) && !path.ends_with("LOCK");
            assert!(!is_damage || has(bytes), "{what}: {} is not kept", path.display());
        }
        let again = world.repair(false).unwrap();
        assert_eq!(again.outcome, RepairOutcome::NothingToDo, "{what}: {again:?}");
    }
}

fn names(files: &[(PathBuf, Vec<u8>)]) -> Vec<&(PathBuf, Vec<u8>)> {
    files.iter().filter(|(path, _)| !path.ends_with("LOCK")).collect()
}

fn subject_has(subject: &Subject, bytes: &[u8]) -> bool {
    files(&subject.now.disk).iter().any(|(_, known)| known == bytes)
}

#[test]
fn a_repair_that_is_cut_anywhere_is_finished_by_the_next() {
    let subject = Subject::new();
    let seeds = figures::seeds(1, 4);
    let (mut cuts, mut by_open, mut by_repair) = (0, 0, 0);
    for plight in PLIGHTS {
        for seed in seeds.clone() {
            for nth in 1.. {
                let world = plight.on(&subject);
                world.crash_at(world.calls() + nth);
                let ended = world.repair(true).is_ok();
                let loss = [Loss::Dropped, Loss::Torn, Loss::Kept]
                    [usize::try_from((nth + seed) % 3).unwrap()];
                world.restart(seed * 1_000 + nth, loss);
                let case = format!("{}, seed {seed}, cut at call {nth}, {loss:?}", plight.what);
                match look(&world, &subject.now.answers, &Setup::default()) {
                    Seen::Right => by_open += 1,
                    _ => {
                        if let Err(error) = world.repair(true) {
                            panic!("{case}: {error} {:?}", judge(&error));
                        }
                        answers(&subject, &world, plight.loses)
                            .unwrap_or_else(|wrong| panic!("{case}: {wrong}"));
                        by_repair += 1;
                    }
                }
                cuts += 1;
                if ended {
                    break;
                }
            }
        }
    }
    assert!(cuts > 100);
    figures::tell(
        "repair cut",
        &seeds,
        &[("power cuts", cuts), ("finished by an open", by_open), ("by a repair", by_repair)],
    );
}

/// The log and its manifest are from earlier, the state is not: what came after is not forgotten
/// silently, and after the loss was accepted nothing takes up the lost operations' numbers.
#[test]
fn a_log_that_is_older_than_its_state_is_reported_with_the_operations_missing() {
    let subject = Subject::new();
    let earlier = &subject.older[1];
    let world = subject.world.on_image(&earlier.disk, subject.world.wall(), 9);
    let world = world.with_state(Some(&subject.now.state));
    assert!(matches!(look(&world, "", &Setup::default()), Seen::Reported(_)));
    let report = world.repair(false).unwrap();
    let loss = report.loss.unwrap();
    assert!(loss.last_lsn > Some(loss.first_lsn) && loss.versions >= 2, "{loss:?}");
    assert_eq!(world.repair(true).unwrap().outcome, RepairOutcome::Repaired);
    let vault = world.open(&Setup::default()).unwrap();
    assert_eq!(dump(&vault).unwrap(), earlier.answers);
    assert!(
        Some(strongroom::__internals::vault::internals::lsn(&vault).unwrap().0) > loss.last_lsn
    );
}

#[test]
fn a_whole_vault_is_left_alone() {
    let subject = Subject::new();
    let world = subject.copy(Some(&subject.now.state));
    let before = files(&world.sim.fs);
    let report = world.repair(true).unwrap();
    assert_eq!(report.outcome, RepairOutcome::NothingToDo, "{report:?}");
    assert_eq!(names(&files(&world.sim.fs)), names(&before));
}
