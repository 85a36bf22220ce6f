use super::*;
use crate::env::sim::{Fault, OpKind, Reach};
use std::io;

#[test]
fn an_undone_append_may_be_gone_past() {
    for part in [0, 1, 100, 200] {
        let (sim, mut log) = fresh(30);
        let mut model = Model::default();
        steps(&mut log, &mut model, 3);
        let before = model.clone();
        sim.fs.fail_nth_write(1, io::ErrorKind::StorageFull, Reach::Part(part));
        assert!(matches!(log.append(&model.step()), Err(LogError::NoSpace)));
        assert!(!log.poisoned());
        let mut model = before;
        let image = sim.fs.fork();
        sim.fs.crash(CrashPlan::KeepAll);
        check(&sim.env(), &model);

        sim.fs.restore(&image);
        let mut log = open(&sim.env()).unwrap().start().unwrap();
        steps(&mut log, &mut model, 3);
        let env = power_cut(&sim, CrashPlan::DropAll);
        check(&env, &model);
    }
}

#[test]
fn later_appends_work_in_the_same_process() {
    let (sim, mut log) = fresh(31);
    let mut model = Model::default();
    steps(&mut log, &mut model, 3);
    let mut expected = model.clone();
    sim.fs.fail_nth_write(1, io::ErrorKind::StorageFull, Reach::Part(200));
    assert!(matches!(log.append(&model.step()), Err(LogError::NoSpace)));
    steps(&mut log, &mut expected, 20);
    let env = power_cut(&sim, CrashPlan::Random(3));
    check(&env, &expected);
}

/// A write that says "full" but left the whole frame: a crash would bring it back, so it cannot be
/// called undone.
#[test]
fn a_whole_frame_is_not_called_undone() {
    let (sim, mut log) = fresh(32);
    let mut model = Model::default();
    sim.fs.fail_nth_write(1, io::ErrorKind::StorageFull, Reach::All);
    assert!(matches!(log.append(&model.step()), Err(LogError::Io { op: "write", .. })));
    assert!(log.poisoned());
}

/// The same of a header: the segment before goes on, so one that is whole would name an end that is
/// passed by the next frame, and the log would not open (LOG-9).
#[test]
fn a_whole_header_is_not_called_undone() {
    for (reach, is_undone) in [
        (Reach::Nothing, true),
        (Reach::Part(100), true),
        (Reach::Part(4000), true),
        (Reach::All, false),
    ] {
        let (sim, mut log) = fresh(35);
        let mut model = Model::default();
        steps(&mut log, &mut model, 3);
        let ready = log.preparation_ahead().unwrap().run().unwrap();
        log.prepared(ready);
        sim.fs.fail_nth_write(1, io::ErrorKind::StorageFull, reach);
        let large = model.clone().frame(&[vec![put(Tree::Blobs, 1, 1, 3000)]]);
        let refused = log.append(&large);
        assert_eq!(matches!(refused, Err(LogError::NoSpace)), is_undone, "{reach:?}");
        assert_eq!(log.poisoned(), !is_undone, "{reach:?}");
        if is_undone {
            steps(&mut log, &mut model, 1);
        }
        let env = power_cut(&sim, CrashPlan::KeepAll);
        check(&env, &model);
    }
}

/// Goal: a disk that is full at any write leaves a log that works again once there is room.
#[test]
fn a_full_disk_at_any_write_is_survived() {
    let mut refused = 0;
    for nth in calls() {
        let (sim, mut log) = fresh(33);
        let mut model = Model::default();
        sim.fs.add_fault(Fault {
            on: vec![OpKind::Write, OpKind::Create],
            path_contains: String::new(),
            nth,
            times: 3,
            error: io::ErrorKind::StorageFull,
            reach: Reach::Part(64),
        });
        let mut met = 0;
        for _ in 0..40 {
            if log.preparation().is_some_and(|preparation| preparation.run().is_err()) {
                met += 1;
            }
            let before = model.clone();
            match log.append(&model.step()) {
                Ok(()) => log.sync().unwrap(),
                Err(LogError::NoSpace) => {
                    met += 1;
                    model = before;
                }
                Err(error) => panic!("nth={nth} {error}"),
            }
            if model.lsn == 20 {
                met += usize::from(compact(&mut log).is_err());
            }
        }
        met += usize::from(log.close(note(1)).is_err());
        check(&sim.env(), &model);
        sim.fs.clear_faults();
        let env = power_cut(&sim, CrashPlan::Random(nth));
        let mut log = check(&env, &model).start().unwrap();
        steps(&mut log, &mut model, 5);
        check(&sim.env(), &model);
        if met == 0 {
            break;
        }
        refused += met;
    }
    assert!(refused > 50, "{refused} refusals");
}

/// Goal: any error of any call leaves acknowledged frames where they are.
#[test]
fn a_failing_call_anywhere_loses_nothing() {
    for nth in calls() {
        let (sim, mut log) = fresh(34);
        let mut model = Model::default();
        let mut acknowledged = model.clone();
        sim.fs.add_fault(Fault {
            on: vec![
                OpKind::Create,
                OpKind::Write,
                OpKind::SyncData,
                OpKind::SyncAll,
                OpKind::SyncDir,
                OpKind::Rename,
                OpKind::Remove,
            ],
            path_contains: String::new(),
            nth,
            times: 1,
            error: io::ErrorKind::Other,
            reach: Reach::Nothing,
        });
        let mut work = || -> Result<(), LogError> {
            for at in 0..40 {
                if let Some(preparation) = log.preparation() {
                    log.prepared(preparation.run()?);
                }
                log.append(&model.step())?;
                log.sync()?;
                acknowledged = model.clone();
                if at % 15 == 14 {
                    compact(&mut log)?;
                    log.free(log.end().lsn)?;
                }
            }
            log.close(note(1))
        };
        let outcome = work();
        sim.fs.clear_faults();
        for power in [false, true] {
            if power {
                sim.fs.crash(CrashPlan::Random(nth));
            } else {
                sim.fs.kill();
            }
            let found = open(&sim.env()).unwrap();
            let expected = if found.end().lsn.0 == acknowledged.lsn { acknowledged } else { model };
            check(&sim.env(), &expected).start().unwrap();
            // What was shown is the truth from now on.
            acknowledged = expected.clone();
            model = expected;
        }
        if outcome.is_ok() {
            break;
        }
    }
}
