use super::*;
use crate::env::sim::{OpKind, Reach};
use std::io;

#[test]
fn what_was_synced_is_found_after_a_power_cut() {
    for plan in [CrashPlan::DropAll, CrashPlan::KeepAll, CrashPlan::Random(1)] {
        let (sim, mut log) = fresh(1);
        let mut model = Model::default();
        steps(&mut log, &mut model, 40);
        let env = power_cut(&sim, plan);
        assert!(!check(&env, &model).clean());
    }
}

#[test]
fn a_clean_close_and_reopen_writes_nothing() {
    let (sim, mut log) = fresh(2);
    let mut model = Model::default();
    steps(&mut log, &mut model, 10);
    log.close(note(99)).unwrap();
    let before = sim.fs.ops_done();
    let found = check(&sim.env(), &model);
    assert!(found.clean() && found.repair_notes().is_empty());
    assert_eq!(found.end().clock, note(99));
    let mut log = found.start().unwrap();
    log.close(note(100)).unwrap();
    assert_eq!(sim.fs.ops_done(), before);
}

#[test]
fn an_unsynced_tail_is_not_a_frame() {
    for seed in 0..50 {
        let (sim, mut log) = fresh(seed);
        let mut model = Model::default();
        steps(&mut log, &mut model, 5);
        let acknowledged = model.clone();
        log.append(&model.step()).unwrap();
        let env = power_cut(&sim, CrashPlan::Random(seed));
        let found = open(&env).unwrap();
        let expected = if found.end().lsn.0 == model.lsn { &model } else { &acknowledged };
        check(&env, expected);
    }
}

/// Torn tail, reopen, go on, reopen: legal, because the next header names the end.
#[test]
fn a_torn_tail_may_be_gone_past() {
    let (sim, mut log) = fresh(3);
    let mut model = Model::default();
    steps(&mut log, &mut model, 5);
    let whole = model.clone();
    log.append(&model.step()).unwrap();
    let offset = Segment::open(&context(&sim), 1, crate::env::OpenMode::Read)
        .map(|_| log.tail.offset)
        .unwrap();
    sim.fs.crash(CrashPlan::KeepAll);
    sim.fs.overwrite(&segment(1), offset - 8, &[0xEE; 8]).unwrap();

    let mut model = whole;
    for _ in 0..3 {
        let found = check(&sim.env(), &model);
        let mut log = found.start().unwrap();
        steps(&mut log, &mut model, 3);
        sim.fs.crash(CrashPlan::DropAll);
    }
    check(&sim.env(), &model);
}

use crate::log::format::segment::Segment;

#[test]
fn a_bad_frame_before_a_good_one_is_damage() {
    let (sim, mut log) = fresh(4);
    let mut model = Model::default();
    steps(&mut log, &mut model, 2);
    let offset = log.tail.offset;
    steps(&mut log, &mut model, 2);
    sim.fs.crash(CrashPlan::DropAll);
    sim.fs.overwrite(&segment(1), offset + 50, &[0xEE]).unwrap();
    let Err(LogError::Damaged(damage)) = open(&sim.env()) else { panic!("accepted") };
    assert_eq!((damage.file.as_str(), damage.offset), ("log/0000000001.wal", offset));
    assert_eq!((damage.rule, damage.proven_end), ("LOG-12", None));
}

/// The failed sync's frame is only in the page cache. It is seen after a reopen in the same boot,
/// so it must be real by then.
#[test]
fn the_last_frame_is_written_again_before_it_is_served() {
    for skip in [false, true] {
        let (sim, mut log) = fresh(5);
        let mut model = Model::default();
        steps(&mut log, &mut model, 3);
        log.append(&model.step()).unwrap();
        sim.fs.fail_nth_sync(1, 1, io::ErrorKind::Other);
        assert!(matches!(log.sync(), Err(LogError::Io { op: "sync", .. })));
        sim.fs.kill();

        let mut options = small();
        options.faults = skip.then_some(crate::env::faults::Fault::SkipRewriteOfLastFrame).into();
        let found = Log::open(&sim.env(), &dir(), VAULT, auth(), options).unwrap();
        assert_eq!(found.end().lsn.0, model.lsn, "the page cache shows it");
        let mut log = found.start().unwrap();
        steps(&mut log, &mut model, 2);
        let env = power_cut(&sim, CrashPlan::DropAll);
        if skip {
            assert!(open(&env).is_err(), "the harness notices");
        } else {
            check(&env, &model);
        }
    }
}

#[test]
fn any_failed_sync_poisons_for_ever() {
    for kind in [io::ErrorKind::Other, io::ErrorKind::StorageFull] {
        let (sim, mut log) = fresh(6);
        let mut model = Model::default();
        log.append(&model.step()).unwrap();
        sim.fs.fail_nth_sync(1, 1, kind);
        assert!(matches!(log.sync(), Err(LogError::Io { op: "sync", .. })));
        assert!(log.poisoned());
        let ops = sim.fs.ops_done();
        assert!(matches!(log.sync(), Err(LogError::Poisoned)));
        assert!(matches!(log.append(&model.step()), Err(LogError::Poisoned)));
        assert!(matches!(log.begin_compaction(), Err(LogError::Poisoned)));
        assert!(matches!(log.free(Lsn(99)), Err(LogError::Poisoned)));
        assert!(matches!(log.close(note(1)), Err(LogError::Poisoned)));
        assert!(log.preparation().is_none());
        assert_eq!(sim.fs.ops_done(), ops, "nothing is tried again");
    }
}

#[test]
fn a_failed_rewrite_fails_the_open() {
    let (sim, mut log) = fresh(7);
    let mut model = Model::default();
    steps(&mut log, &mut model, 3);
    sim.fs.kill();
    let found = open(&sim.env()).unwrap();
    sim.fs.fail_nth_sync(1, 1, io::ErrorKind::Other);
    assert!(found.start().is_err());
    sim.fs.clear_faults();
    check(&sim.env(), &model).start().unwrap();
}

#[test]
fn replay_begins_where_it_is_asked_to() {
    let (sim, mut log) = fresh(8);
    let mut model = Model::default();
    steps(&mut log, &mut model, 60);
    log.close(note(0)).unwrap();
    let found = open(&sim.env()).unwrap();
    for after in 0..=model.lsn {
        let mut seen = Vec::new();
        found
            .replay(Lsn(after), &mut |frame| {
                seen.extend(frame.sets.iter().map(|set| set.lsn.0));
                Ok(())
            })
            .unwrap();
        assert_eq!(seen.last().copied(), (after < model.lsn).then_some(model.lsn));
        if let Some(first) = seen.first() {
            assert!(*first <= after + 1 && after + 1 - first < 2, "one frame may overlap");
        }
    }
}

#[test]
fn a_frame_is_refused_where_it_does_not_follow_or_fit() {
    let (sim, mut log) = fresh(9);
    let mut model = Model::default();
    let mut first = model.step();
    let ops = sim.fs.ops_done();
    first.sets[0].lsn = Lsn(2);
    assert!(matches!(log.append(&first), Err(LogError::Refused { .. })));
    let large = Model::default().frame(&[vec![put(Tree::Blobs, 1, 1, 300_000)]]);
    assert!(matches!(log.append(&large), Err(LogError::Refused { .. })));
    let many = Model::default().frame(&vec![vec![]; 257]);
    assert!(matches!(log.append(&many), Err(LogError::Refused { .. })));
    assert!(!log.poisoned());
    assert_eq!(sim.fs.ops_done(), ops);
}

#[test]
fn a_frame_larger_than_a_segment_gets_one_of_its_own() {
    let (sim, mut log) = fresh(10);
    let mut model = Model::default();
    steps(&mut log, &mut model, 2);
    for _ in 0..2 {
        let batch: Vec<_> = (0..3).map(|at| vec![put(Tree::Blobs, at, at, 100_000)]).collect();
        log.append(&model.frame(&batch)).unwrap();
        log.sync().unwrap();
        steps(&mut log, &mut model, 2);
    }
    let env = power_cut(&sim, CrashPlan::DropAll);
    check(&env, &model);
}

/// The count that the whole vault is measured by: one sync of a segment's data per put.
#[test]
fn a_thousand_puts_make_a_thousand_syncs() {
    let sim = Sim::new(11);
    sim.fs.create_dir_for_tests();
    let options = LogOptions::default();
    let mut log = Log::create(&sim.env(), &dir(), VAULT, auth(), options, 1, note(0)).unwrap();
    let mut model = Model::default();
    sim.fs.clear_ops();
    let mut creations = 0;
    for at in 0..1000 {
        if let Some(preparation) = log.preparation() {
            log.prepared(preparation.run().unwrap());
        }
        let before = sim.fs.ops().len();
        log.append(&model.frame(&[vec![put(Tree::Blobs, at, at, 2400)]])).unwrap();
        log.sync().unwrap();
        creations += sim.fs.ops()[before..]
            .iter()
            .filter(|op| matches!(op.kind, OpKind::Create | OpKind::Rename | OpKind::Remove))
            .count();
    }
    let ops = sim.fs.ops();
    let syncs = ops.iter().filter(|op| op.kind == OpKind::SyncData).count();
    assert!((1000..=1010).contains(&syncs), "{syncs} syncs");
    assert_eq!(creations, 0, "no file is made, renamed or removed by an append");
}

trait CreateDir {
    fn create_dir_for_tests(&self);
}

impl CreateDir for crate::env::sim::SimFs {
    fn create_dir_for_tests(&self) {
        crate::env::Fs::create_dir(self, &dir()).unwrap();
        crate::env::Fs::sync_dir(self, Path::new("/")).unwrap();
    }
}

/// Goal: a header that no manifest names is the only one of its kind, so that a crash leaves nothing
/// that a later open takes for a sign of loss (MAN-7).
/// Method: after a clean close the manifest's first write has to read it; while that fails, appends
/// fail and segments end.
#[test]
fn only_one_segment_is_ever_ahead_of_the_manifest() {
    let (sim, mut log) = fresh(34);
    let mut model = Model::default();
    steps(&mut log, &mut model, 3);
    log.close(note(9)).unwrap();
    drop(log);
    let mut log = open(&sim.env()).unwrap().start().unwrap();
    sim.fs.add_fault(fault(OpKind::Read, "manifest", u64::MAX, io::ErrorKind::Other));
    for _ in 0..3 {
        let frame = model.clone().step();
        assert!(log.append(&frame).is_err() && !log.poisoned());
        // Ends the segment, and comes to nothing.
        drop(log.begin_compaction());
    }
    drop(log);
    sim.fs.clear_faults();
    sim.fs.kill();
    let mut log = open(&sim.env()).unwrap().start().unwrap();
    steps(&mut log, &mut model, 3);
    log.close(note(10)).unwrap();
    check(&sim.env(), &model);
}

/// What a crash left of a frame is passed over, and said.
#[test]
fn an_unfinished_write_is_reported() {
    let (sim, mut log) = fresh(36);
    let mut model = Model::default();
    steps(&mut log, &mut model, 3);
    assert_eq!(check(&sim.env(), &model).repair_notes().len(), 0);
    sim.fs.fail_nth_write(1, io::ErrorKind::Other, Reach::Part(100));
    assert!(log.append(&model.clone().step()).is_err());
    let env = power_cut(&sim, CrashPlan::KeepAll);
    assert_eq!(check(&env, &model).repair_notes().len(), 1);
}

/// LOG-8: what looks like the front of a frame, and is none, is nothing.
#[test]
fn the_front_of_a_frame_behind_the_end_is_passed_over() {
    let (sim, mut log) = fresh(41);
    let mut model = Model::default();
    steps(&mut log, &mut model, 3);
    let offset = log.tail.offset + 1600;
    let position = crate::log::format::frame::FramePosition { segment: log.tail.id, offset };
    let (bytes, _) =
        crate::log::format::frame::encode(&log.context, &model.clone().step(), position, &[0; 32])
            .unwrap();
    drop(log);
    sim.fs.overwrite(&segment(1), offset, &bytes[..160]).unwrap();
    check(&sim.env(), &model);
    sim.fs.overwrite(&segment(1), offset, &bytes).unwrap();
    assert!(open(&sim.env()).is_err(), "a whole one is a frame");
}

/// MAN-5: a signed mark that names another place than the snapshot, with no segment between them.
#[test]
fn a_mark_elsewhere_is_damage() {
    for moved in [0, 16] {
        let (sim, mut log) = fresh(38);
        let mut model = Model::default();
        steps(&mut log, &mut model, 3);
        assert!(compact(&mut log).unwrap());
        log.close(note(9)).unwrap();
        assert_eq!(log.manifest.last, log.manifest.snapshot.tail.segment, "no segment behind it");
        let mut mark = log.manifest.mark.clone().unwrap();
        mark.offset += moved;
        log.manifest.mark = Some(mark);
        log.flush_manifest().unwrap();
        drop(log);
        match open(&sim.env()) {
            Ok(_) => assert_eq!(moved, 0),
            Err(LogError::Damaged(damage)) => assert_eq!((damage.rule, moved), ("MAN-5", 16)),
            Err(other) => panic!("{other}"),
        }
    }
}

/// LOG-9: a header behind the last segment proves a later end only if it names a later one.
#[test]
fn a_header_behind_the_end_proves_only_what_is_later() {
    for (ahead, is_proof) in [(0, false), (1, true)] {
        let (sim, mut log) = fresh(39);
        let mut model = Model::default();
        steps(&mut log, &mut model, 3);
        let mut previous = log.tail.clone();
        previous.end.lsn.0 += ahead;
        previous.end.digest = [1; 32];
        let number = log.manifest.last + 1;
        drop(log);
        let header = crate::log::format::segment::SegmentHeader {
            number,
            id: [3; 16],
            capacity: 8192,
            previous: previous.clone(),
        };
        let mut bytes = header.encode(&context(&sim));
        bytes.resize(8192, 0);
        let file = sim.env().fs.open(&segment(number), crate::env::OpenMode::CreateNew).unwrap();
        file.write_all_at(&bytes, 0).unwrap();
        let Err(LogError::Damaged(damage)) = open(&sim.env()) else { panic!("accepted") };
        assert_eq!(damage.rule, "LOG-9");
        assert_eq!(damage.proven_end, is_proof.then_some(previous.end));
    }
}

/// LOG-8: what follows is looked for in the whole segment, not only near the end.
#[test]
fn a_good_frame_far_behind_a_bad_one_is_found() {
    let sim = Sim::new(40);
    sim.env().fs.create_dir(&dir()).unwrap();
    let options = LogOptions {
        segment_bytes_first: 1 << 20,
        segment_bytes_max: 1 << 20,
        ..LogOptions::default()
    };
    let mut log = Log::create(&sim.env(), &dir(), VAULT, auth(), options, 1, note(0)).unwrap();
    let mut model = Model::default();
    let offset = log.tail.offset;
    log.append(&model.frame(&[vec![put(Tree::Blobs, 1, 1, 200_000)]])).unwrap();
    steps(&mut log, &mut model, 1);
    drop(log);
    sim.fs.overwrite(&segment(1), offset, &[0; 16]).unwrap();
    let Err(LogError::Damaged(damage)) = open(&sim.env()) else { panic!("taken for the end") };
    assert_eq!((damage.rule, damage.offset), ("LOG-11", offset));
}
