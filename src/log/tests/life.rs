//! What the writer decides: when to compact, when to mark an end, how large a segment is.

use super::*;
use crate::env::sim::OpKind;
use crate::log::files::FileKind;
use crate::log::read::SegmentInfo;
use std::io;

#[test]
fn an_end_mark_that_stands_is_written_again_only_for_a_reason() {
    const HOUR: i64 = 60 * 60 * 1000;
    let (sim, mut log) = fresh(90);
    let mut model = Model::default();
    steps(&mut log, &mut model, 3);
    log.close(note(1000)).unwrap();
    let writes = |log: &mut Log, clock: ClockNote| {
        let before = sim.fs.ops_done();
        log.close(clock).unwrap();
        sim.fs.ops_done() > before
    };
    assert!(!writes(&mut log, note(1000)));
    assert!(!writes(&mut log, note(1000 + HOUR - 1)));
    assert!(writes(&mut log, note(1000 + HOUR)));
    assert!(!writes(&mut log, note(1000 + HOUR)));
    assert!(writes(&mut log, note(1000)), "back by an hour");
    let held = ClockNote { held_millis: 1, ..note(1000) };
    assert!(writes(&mut log, held));
    let since = ClockNote { held_since: UnixMillis(1), ..held };
    assert!(writes(&mut log, since));
    assert!(!writes(&mut log, since));
    log.set_keystore_generation(2);
    assert!(writes(&mut log, since));
    assert!(!writes(&mut log, since));
    steps(&mut log, &mut model, 1);
    assert!(writes(&mut log, since));
    drop(log);
    assert!(check(&sim.env(), &model).clean());
}

/// By bytes: more than eight times the first segment. By number: eight ended segments. Never without
/// an operation that the snapshot lacks.
#[test]
fn compaction_is_due_for_bytes_for_segments_and_for_something_new() {
    let (_sim, mut log) = fresh(91);
    let mut model = Model::default();
    assert!(!log.compaction_due());
    let mut append = |log: &mut Log, len| {
        log.append(&model.frame(&[vec![put(Tree::Blobs, 1, 1, len)]])).unwrap();
    };
    // Each frame has a segment of its own.
    let frame_bytes = 8 * 8192;
    append(&mut log, frame_bytes - 160 - 18 - 32);
    append(&mut log, 7000);
    let bytes: u64 = log.ended.iter().map(SegmentInfo::frame_bytes).sum();
    assert_eq!(bytes, frame_bytes);
    assert!(!log.compaction_due());
    append(&mut log, 7000);
    assert_eq!(log.ended.len(), 3, "the first had no room");
    assert!(log.compaction_due());
    let compaction = log.begin_compaction().unwrap().unwrap();
    assert!(!log.compaction_due(), "one is under way");
    log.finish_compaction(compaction.run().unwrap()).unwrap();
    assert!(!log.compaction_due());
    for _ in 0..9 {
        log.begin_first_segment().unwrap();
        assert!(!log.compaction_due(), "nothing new");
    }
    assert_eq!(log.ended.len(), 8);
    append(&mut log, 1);
    assert!(log.compaction_due());
}

/// Under load a log grows by sixteen times as much, or to four times as many segments. A process that has
/// written little leaves no more than before to the next.
#[test]
fn a_log_under_load_may_grow() {
    let (sim, mut log) = fresh(96);
    let mut model = Model::default();
    let mut append = |log: &mut Log, len| {
        log.append(&model.frame(&[vec![put(Tree::Blobs, 1, 1, len)]])).unwrap();
    };
    let first = 8192;
    while log.appended <= 8 * first {
        assert_eq!(log.compaction_overdue(), log.compaction_due());
        append(&mut log, 7000);
    }
    assert!(log.compaction_due() && !log.compaction_overdue());
    drop(log);
    log = open(&sim.env()).unwrap().start().unwrap();
    assert!(log.compaction_due() && log.compaction_overdue(), "it has not written yet");
    while log.appended <= 8 * first {
        append(&mut log, 7000);
    }
    assert!(!log.compaction_overdue());
    while !log.compaction_overdue() {
        append(&mut log, 30_000);
    }
    assert!(log.ended_bytes() > 128 * first || log.ended.len() >= 32);
    assert!(log.ended_bytes() < 140 * first && log.ended.len() <= 32);
}

/// A large snapshot is merged anew for as much as it has, not for less.
#[test]
fn a_large_snapshot_waits_for_as_many_bytes() {
    let (sim, mut log) = fresh(95);
    let mut model = Model::default();
    let mut append = |log: &mut Log, key, len| {
        log.append(&model.frame(&[vec![put(Tree::Blobs, key, 1, len)]])).unwrap();
    };
    append(&mut log, 1, 200_000);
    append(&mut log, 2, 200_000);
    assert!(compact(&mut log).unwrap());
    let bytes = sim.fs.read_all(&snapshot(1)).unwrap().len() as u64;
    assert_eq!(log.snapshot_bytes(), bytes);
    // Each of these has a segment of its own, which the next one ends.
    append(&mut log, 3, 190_000);
    append(&mut log, 3, 190_000);
    append(&mut log, 3, 30_000);
    assert!(!log.compaction_due());
    append(&mut log, 3, 100_000);
    assert!(log.compaction_due());
}

/// A disk that stays full is reported, not retried for ever.
#[test]
fn a_segment_that_fits_nowhere_is_refused() {
    let (sim, mut log) = fresh(96);
    sim.fs.add_fault(fault(OpKind::Create, ".wal", u64::MAX, io::ErrorKind::StorageFull));
    let large = Model::default().frame(&[vec![put(Tree::Blobs, 1, 1, 100_000)]]);
    assert!(matches!(log.append(&large), Err(LogError::NoSpace)));
    assert!(!log.poisoned());
}

#[test]
fn a_frame_of_the_room_that_is_named_fits_the_next_segment() {
    let (_sim, mut log) = fresh(92);
    let mut model = Model::default();
    steps(&mut log, &mut model, 3);
    let (room, wanted) = (log.frame_room(), log.segment_bytes());
    // 160 of header, 2 + 16 of the row's front, 32 of the MAC.
    let len = room as u64 - 160 - 18 - 32;
    log.append(&model.frame(&[vec![put(Tree::Blobs, 1, 1, len)]])).unwrap();
    let capacity = log.manifest.last;
    assert_eq!(log.context.len(FileKind::Segment, capacity).unwrap(), Some(wanted));
    assert_eq!(log.tail.offset, wanted);
}

#[test]
fn bytes_on_disk_are_those_of_all_files() {
    let (sim, mut log) = fresh(93);
    let mut model = Model::default();
    steps(&mut log, &mut model, 30);
    assert!(compact(&mut log).unwrap());
    let files: u64 =
        sim.fs.paths().iter().map(|path| sim.fs.read_all(path).unwrap().len() as u64).sum();
    assert_eq!(log.disk_bytes(), files);
}

/// I4: where one of the size that is wanted does not fit, one of the first size is tried, then the
/// smallest that holds the frame.
#[test]
fn a_segment_is_as_large_as_the_disk_allows() {
    for (refused, capacity) in [(0, 32_768), (1, 16_384), (2, 8192)] {
        let sim = Sim::new(94);
        sim.env().fs.create_dir(&dir()).unwrap();
        let options = LogOptions {
            segment_bytes_first: 16_384,
            segment_bytes_max: 32_768,
            ..LogOptions::default()
        };
        let mut log = Log::create(&sim.env(), &dir(), VAULT, auth(), options, 1, note(0)).unwrap();
        let mut model = Model::default();
        let mut append = |log: &mut Log, len| {
            log.append(&model.frame(&[vec![put(Tree::Blobs, 1, 1, len)]])).unwrap();
        };
        // A large snapshot lets segments grow; then one is nearly full.
        append(&mut log, 150_000);
        assert!(compact(&mut log).unwrap());
        append(&mut log, 9000);
        assert_eq!(log.segment_bytes(), 32_768);
        if refused > 0 {
            sim.fs.add_fault(fault(OpKind::Create, ".wal", refused, io::ErrorKind::StorageFull));
        }
        append(&mut log, 3500);
        let made = log.context.len(FileKind::Segment, log.manifest.last).unwrap();
        assert_eq!(made, Some(capacity), "{refused}");
    }
}
