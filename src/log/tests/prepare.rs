//! Segments that are made ready off the put path: who prepares, who is overtaken, what is used again.

use super::*;
use crate::env::sim::OpKind;
use std::io;

/// All segments of one size, so that a freed one is always of use.
fn even() -> (Sim, Log) {
    let sim = Sim::new(70);
    let env = sim.env();
    env.fs.create_dir(&dir()).unwrap();
    let options =
        LogOptions { segment_bytes_first: 8192, segment_bytes_max: 8192, ..LogOptions::default() };
    let log = Log::create(&env, &dir(), VAULT, auth(), options, 1, note(0)).unwrap();
    (sim, log)
}

/// The same with at least two freed segments that are kept for reuse.
fn with_spares() -> (Sim, Log, Model) {
    let (sim, mut log) = even();
    let mut model = Model::default();
    steps(&mut log, &mut model, 90);
    assert!(compact(&mut log).unwrap());
    log.free(log.end().lsn).unwrap();
    assert_eq!(log.preparing.lock().spares.len(), 2);
    (sim, log, model)
}

#[test]
fn a_promise_holds_others_off_until_it_is_taken_back() {
    let (_sim, log) = fresh(71);
    let promised = log.preparation_ahead().unwrap().promised();
    assert!(log.preparation_ahead().is_none());
    drop(promised);
    assert!(log.preparation_ahead().is_some());
}

#[test]
fn an_overtaken_preparation_takes_no_other_promise_back() {
    let (_sim, mut log) = fresh(72);
    let mut model = Model::default();
    let overtaken = log.preparation_ahead().unwrap();
    let last = log.manifest.last;
    while log.manifest.last == last {
        steps(&mut log, &mut model, 1);
    }
    let overtaken_too = overtaken.promised();
    let promised = log.preparation_ahead().unwrap().promised();
    drop(overtaken_too);
    assert!(log.preparation_ahead().is_none(), "the other's promise stands");
    drop(promised);
    assert!(log.preparation_ahead().is_some());
}

#[test]
fn what_is_ready_is_not_prepared_again() {
    let (_sim, log) = fresh(73);
    let late = log.preparation_ahead().unwrap();
    let _ = log.preparation_ahead().unwrap().run().unwrap();
    assert!(log.preparation_ahead().is_none());
    let _ = late.run().unwrap();
    assert!(log.preparation_ahead().is_none());
}

/// A log that another replaces must not put a file of its own in the place of a segment of the other's.
#[test]
fn a_retired_log_prepares_nothing() {
    let (sim, log) = fresh(74);
    let left = log.preparation_ahead().unwrap();
    let before = sim.fs.paths();
    log.retire();
    let _ = left.run().unwrap();
    assert_eq!(sim.fs.paths(), before);
}

/// A live segment has the right size, too; only what the manifest has let go of may be used again.
#[test]
fn a_live_segment_is_never_a_spare() {
    let (sim, mut log) = even();
    let mut model = Model::default();
    steps(&mut log, &mut model, 90);
    assert!(log.manifest.last > 3);
    log.find_spares().unwrap();
    assert!(log.preparing.lock().spares.is_empty());
    assert!(compact(&mut log).unwrap());
    log.find_spares().unwrap();
    assert!(log.preparing.lock().spares.is_empty(), "not freed yet");
    log.free(log.end().lsn).unwrap();
    for round in 0..6 {
        let _ = log.preparation_ahead().map(|preparation| preparation.run().unwrap());
        let first = log.manifest.first;
        assert!(log.preparing.lock().spares.iter().all(|spare| *spare < first), "{round}");
        steps(&mut log, &mut model, 20);
        check(&sim.env(), &model);
    }
}

#[test]
fn a_freed_segment_is_used_again() {
    let (sim, mut log, mut model) = with_spares();
    let before = numbers(&sim, "wal");
    let _ = log.preparation_ahead().unwrap().run().unwrap();
    assert_eq!(numbers(&sim, "wal").len(), before.len(), "renamed, not made");
    steps(&mut log, &mut model, 40);
    let env = power_cut(&sim, CrashPlan::DropAll);
    check(&env, &model);
}

/// A spare that is gone when it is to be taken over is no error; one that cannot be renamed is, and
/// costs only the preparation.
#[test]
fn a_spare_that_cannot_be_taken_over_is_done_without() {
    for (error, is_fine) in
        [(io::ErrorKind::NotFound, true), (io::ErrorKind::PermissionDenied, false)]
    {
        let (sim, mut log, mut model) = with_spares();
        sim.fs.add_fault(fault(OpKind::Rename, ".prep", 1, error));
        let made = log.preparation_ahead().unwrap().run();
        assert_eq!(made.is_ok(), is_fine, "{error:?}");
        steps(&mut log, &mut model, 40);
        let env = power_cut(&sim, CrashPlan::DropAll);
        check(&env, &model);
    }
}

/// Freeing again what is freed costs no write.
#[test]
fn freeing_nothing_writes_nothing() {
    let (sim, mut log, _) = with_spares();
    let before = sim.fs.ops_done();
    log.free(log.end().lsn).unwrap();
    assert_eq!(sim.fs.ops_done(), before);
}
