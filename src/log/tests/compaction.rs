use super::*;
use crate::env::sim::OpKind;
use std::io;

#[test]
fn a_snapshot_is_what_the_frames_say() {
    let (sim, mut log) = fresh(20);
    let mut model = Model::default();
    for _ in 0..5 {
        steps(&mut log, &mut model, 37);
        assert!(compact(&mut log).unwrap());
        let found = check(&sim.env(), &model);
        assert_eq!(found.snapshot_lsn(), Lsn(model.lsn));
        assert_eq!(found.snapshot_rows(), model.rows.len() as u64);
        assert_eq!(found.snapshot_digest(), model.digest());
        assert!(!compact(&mut log).unwrap(), "nothing new");
        log.free(log.end().lsn).unwrap();
        check(&sim.env(), &model);
    }
    assert!(model.rows.len() > 50);
}

#[test]
fn large_and_small_rows_share_a_snapshot() {
    let (sim, mut log) = fresh(21);
    let mut model = Model::default();
    for at in 0..40 {
        let len = if at % 7 == 0 { 131_072 } else { at * 50 };
        log.append(&model.frame(&[vec![put(Tree::Blobs, at, at, len)]])).unwrap();
        log.sync().unwrap();
    }
    assert!(compact(&mut log).unwrap());
    check(&sim.env(), &model);
}

#[test]
fn appends_go_on_beside_a_compaction() {
    let (sim, mut log) = fresh(22);
    let mut model = Model::default();
    steps(&mut log, &mut model, 20);
    let compaction = log.begin_compaction().unwrap().unwrap();
    assert!(log.begin_compaction().unwrap().is_none(), "one at a time");
    steps(&mut log, &mut model, 10);
    let done = std::thread::spawn(move || compaction.run()).join().unwrap().unwrap();
    steps(&mut log, &mut model, 10);
    log.finish_compaction(done).unwrap();
    steps(&mut log, &mut model, 10);
    let env = power_cut(&sim, CrashPlan::DropAll);
    check(&env, &model);
}

#[test]
fn nothing_is_freed_before_the_state_is_past_the_snapshot() {
    let (sim, mut log) = fresh(23);
    let mut model = Model::default();
    steps(&mut log, &mut model, 20);
    assert!(compact(&mut log).unwrap());
    let covered = log.end().lsn;
    assert!(log.has_garbage());
    steps(&mut log, &mut model, 1);
    log.free(Lsn(covered.0 - 1)).unwrap();
    assert_eq!(numbers(&sim, "snap"), [0, 1]);
    assert!(numbers(&sim, "wal").contains(&1));
    log.free(covered).unwrap();
    assert_eq!(numbers(&sim, "snap"), [1]);
    assert!(!log.has_garbage());
    check(&sim.env(), &model);
}

/// A snapshot that rots while the one before it is still kept costs nothing.
#[test]
fn an_older_snapshot_serves_while_it_is_kept() {
    let (sim, mut log) = fresh(24);
    let mut model = Model::default();
    let mut older = Lsn(0);
    for _ in 0..2 {
        older = log.manifest.snapshot.tail.end.lsn;
        steps(&mut log, &mut model, 20);
        assert!(compact(&mut log).unwrap());
        log.free(Lsn(0)).unwrap();
    }
    assert!(older > Lsn(0));
    steps(&mut log, &mut model, 3);
    sim.fs.crash(CrashPlan::DropAll);
    // In the header: found at open. In a block: found when it is read.
    for offset in [20, 4200] {
        let image = sim.fs.fork();
        sim.fs.overwrite(&snapshot(2), offset, &[0xEE]).unwrap();
        let found = open(&sim.env()).unwrap();
        let found = match rows_of(&found) {
            Ok(_) => found,
            Err(_) => found.fall_back().unwrap(),
        };
        assert_eq!(found.snapshot_lsn(), older);
        assert!(rows_of(&found).unwrap() == model.rows);
        assert!(!found.repair_notes().is_empty());
        let mut log = found.start().unwrap();
        let mut model = model.clone();
        steps(&mut log, &mut model, 3);
        assert!(compact(&mut log).unwrap());
        assert_eq!(log.manifest.snapshot.number, 3, "a number is never used twice");
        log.free(log.end().lsn).unwrap();
        check(&sim.env(), &model);
        sim.fs.restore(&image);
    }
}

/// A fallen-back log says so once: its manifest is written, though the close before was clean.
/// Damage in the header is found at open, in a block when that is read.
#[test]
fn an_older_snapshot_that_serves_is_named_by_the_manifest() {
    for offset in [20, 4200] {
        let (sim, model) = closed_with_two_snapshots();
        sim.fs.overwrite(&snapshot(2), offset, &[0xEE]).unwrap();
        let mut found = open(&sim.env()).unwrap();
        if rows_of(&found).is_err() {
            found = found.fall_back().unwrap();
        }
        assert_eq!(found.repair_notes().len(), 1);
        drop(found.start().unwrap());
        sim.fs.delete(&snapshot(2)).unwrap_or_default();
        assert_eq!(check(&sim.env(), &model).repair_notes(), [""; 0]);
    }
}

/// A clean close, with the snapshot before the newest still kept.
fn closed_with_two_snapshots() -> (Sim, Model) {
    let (sim, mut log) = fresh(37);
    let mut model = Model::default();
    for _ in 0..2 {
        steps(&mut log, &mut model, 20);
        assert!(compact(&mut log).unwrap());
        log.free(Lsn(0)).unwrap();
    }
    steps(&mut log, &mut model, 3);
    log.close(note(9)).unwrap();
    (sim, model)
}

/// An error of the disk is not damage: nothing older is used for it.
#[test]
fn a_snapshot_that_cannot_be_read_now_is_not_given_up() {
    let (sim, model) = closed_with_two_snapshots();
    sim.fs.add_fault(fault(OpKind::Read, "0000000002.snap", 1, io::ErrorKind::Other));
    assert!(matches!(open(&sim.env()), Err(LogError::Io { op: "read", .. })));
    assert_eq!(check(&sim.env(), &model).repair_notes(), [""; 0]);
}

#[test]
fn damage_met_by_compaction_changes_nothing() {
    let (sim, mut log) = fresh(25);
    let mut model = Model::default();
    steps(&mut log, &mut model, 20);
    let compaction = log.begin_compaction().unwrap().unwrap();
    sim.fs.overwrite(&segment(1), 4300, &[0xEE]).unwrap();
    let Err(LogError::Damaged(damage)) = compaction.run() else { panic!("not noticed") };
    assert_eq!(damage.proven_end.as_ref(), Some(log.end()));
    assert_eq!(numbers(&sim, "snap"), [0]);
    steps(&mut log, &mut model, 2);
}

/// Values are read a second time, by position: they must be what was authenticated the first time,
/// also in trees that no digest covers.
#[test]
fn a_digest_that_does_not_match_stops_compaction() {
    let (sim, mut log) = fresh(26);
    let mut model = Model::default();
    steps(&mut log, &mut model, 5);
    let mut wrong = model.step();
    wrong.digest = [1; 32];
    log.append(&wrong).unwrap();
    let compaction = log.begin_compaction().unwrap().unwrap();
    let Err(LogError::Damaged(damage)) = compaction.run() else { panic!("not noticed") };
    assert_eq!(damage.rule, "SNAP-7");
    assert_eq!(numbers(&sim, "snap"), [0]);
}

#[test]
fn a_compaction_stops_when_asked() {
    let (sim, mut log) = fresh(27);
    let mut model = Model::default();
    let batch: Vec<_> = (0..10)
        .map(|set| (0..200).map(|at| put(Tree::Tokens, set * 200 + at, 1, 9)).collect())
        .collect();
    log.append(&model.frame(&batch)).unwrap();
    log.sync().unwrap();
    let compaction = log.begin_compaction().unwrap().unwrap();
    assert!(matches!(compaction.run_with(&mut |_| false), Err(LogError::Stopped)));
    assert_eq!(numbers(&sim, "snap"), [0]);
    assert!(compact(&mut log).unwrap(), "and can be begun again");
}

/// Goal: a recycled file's old frames are never taken for new ones.
/// Method: run long enough that every file has been reused, cutting the power after each step.
#[test]
fn a_recycled_file_shows_nothing_of_its_old_life() {
    let (sim, mut log) = fresh(28);
    let mut model = Model::default();
    let mut recycled = 0;
    for round in 0..60 {
        if let Some(preparation) = log.preparation() {
            let before: Vec<_> = numbers(&sim, "wal");
            log.prepared(preparation.run().unwrap());
            recycled += usize::from(before.iter().any(|old| !numbers(&sim, "wal").contains(old)));
        }
        steps(&mut log, &mut model, 7);
        if log.compaction_due() {
            assert!(compact(&mut log).unwrap());
            log.free(log.end().lsn).unwrap();
        }
        let image = sim.fs.fork();
        let env = power_cut(&sim, CrashPlan::DropAll);
        let found = check(&env, &model);
        if round % 10 == 9 {
            log = found.start().unwrap();
        } else {
            sim.fs.restore(&image);
            log = open(&sim.env()).unwrap().start().unwrap();
        }
        steps(&mut log, &mut model, 7);
    }
    assert!(recycled > 5, "{recycled} files were reused");
}

/// The folder stays small while much more is written than lives.
#[test]
fn the_folder_stays_within_its_bound() {
    let (sim, mut log) = fresh(29);
    let mut model = Model::default();
    for at in 0..3000_u64 {
        if let Some(preparation) = log.preparation() {
            log.prepared(preparation.run().unwrap());
        }
        log.append(&model.frame(&[vec![put(Tree::Blobs, at % 50, at, 1000)]])).unwrap();
        log.sync().unwrap();
        if log.compaction_due() {
            assert!(compact(&mut log).unwrap());
            log.free(log.end().lsn).unwrap();
            let live = log.snapshot_bytes();
            let segments = 3 * 32768;
            assert!(log.disk_bytes() <= 3 * live + segments, "{} of {live}", log.disk_bytes());
        }
    }
    check(&sim.env(), &model);
}

/// Changes a value on the disk once the first pass has authenticated it.
struct Meddler {
    sim: Sim,
    offset: u64,
    met: std::sync::atomic::AtomicBool,
}

impl Authenticator for Meddler {
    fn tag(&self, domain: &'static str, parts: &[&[u8]]) -> [u8; 32] {
        use std::sync::atomic::Ordering::Relaxed;
        if domain.ends_with("compaction-value/v1") && !self.met.swap(true, Relaxed) {
            self.sim.fs.overwrite(&segment(1), self.offset, &[0xEE]).unwrap();
        }
        mac(domain, parts)
    }
    fn new_sum(&self) -> Box<dyn RowSum> {
        Box::new(TestSum::default())
    }
}

/// Rows of `Blobs` are in no digest: the check of the place alone shows that a value is another one.
#[test]
fn a_value_that_changes_between_the_passes_stops_compaction() {
    let sim = Sim::new(28);
    sim.env().fs.create_dir(&dir()).unwrap();
    let met = std::sync::atomic::AtomicBool::new(false);
    let auth = Arc::new(Meddler { sim: sim.clone(), offset: 4096 + 160 + 2 + 16 + 5, met });
    let mut log = Log::create(&sim.env(), &dir(), VAULT, auth, small(), 1, note(0)).unwrap();
    log.append(&Model::default().frame(&[vec![put(Tree::Blobs, 1, 1, 300)]])).unwrap();
    let compaction = log.begin_compaction().unwrap().unwrap();
    let Err(LogError::Damaged(damage)) = compaction.run() else { panic!("not noticed") };
    assert_eq!((damage.rule, damage.file.as_str()), ("LOG-12", "log/0000000001.wal"));
}
