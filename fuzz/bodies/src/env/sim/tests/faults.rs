use super::*;

use crate::env::sim::{CutPoint, Fault, OpKind, Reach, is_power_cut};

const FOR_EVER: u64 = u64::MAX;

/// Makes a file with a line in it, the durable way, and says how far it came.
fn script(fs: &SimFs) -> io::Result<()> {
    let path = Path::new("/v/new");
    let file = fs.open(path, OpenMode::Create)?;
    file.write_all_at(b"line", 0)?;
    file.set_len(8)?;
    file.sync_data()?;
    fs.sync_dir(Path::new(DIR))?;
    fs.rename(path, Path::new("/v/done"))?;
    fs.sync_dir(Path::new(DIR))?;
    fs.remove_file(Path::new(LOG))
}

/// Goal: every counted call can be where the power goes, and the two sides of it differ as said.
#[test]
fn the_power_goes_before_or_after_any_call() {
    let whole = disk();
    let start = whole.ops_done();
    script(&whole).unwrap();
    let calls = whole.ops_done() - start;
    assert_eq!(calls, 8);

    let mut after = Vec::new();
    for number in 1..=calls {
        for point in [CutPoint::Before, CutPoint::After] {
            let fs = disk();
            fs.set_crash_at(start + number, point);
            assert!(is_power_cut(&script(&fs).unwrap_err()), "number={number}");
            assert!(fs.is_off());
            assert_eq!(fs.ops_done(), start + number);
            let dead = fs.open(Path::new(LOG), OpenMode::Read).map(drop).unwrap_err();
            assert!(is_power_cut(&dead), "reads fail too");
            assert!(is_power_cut(&fs.metadata(Path::new(LOG)).unwrap_err()));
            fs.crash(CrashPlan::DropAll);
            assert!(!fs.is_off());
            if point == CutPoint::After {
                after.push(fs.paths().len());
            }
            let done = content(&fs, "/v/done");
            let synced = number > 7 || number == 7 && point == CutPoint::After;
            assert_eq!(done.is_some(), synced, "number={number} {point:?}");
            assert!(done.is_none_or(|bytes| bytes == b"line\0\0\0\0"));
        }
    }
    assert_eq!(after, [1, 1, 1, 1, 2, 2, 2, 2]);
}

#[test]
fn a_cut_write_may_be_pending_or_not_have_happened() {
    for (point, first) in [(CutPoint::Before, b'a'), (CutPoint::After, b'b')] {
        let fs = disk();
        let log = open(&fs, LOG);
        fs.set_crash_at(fs.ops_done() + 1, point);
        assert!(is_power_cut(&log.write_all_at(b"b", 0).unwrap_err()));
        fs.crash(CrashPlan::KeepAll);
        assert_eq!(content(&fs, LOG).unwrap()[0], first);
    }
}

/// After a failed sync, reads show data from the page cache that no later sync makes durable.
#[test]
fn a_failed_sync_loses_what_it_was_to_cover() {
    let fs = disk();
    let log = open(&fs, LOG);
    fs.fail_nth_sync(2, 1, ErrorKind::Other);
    log.write_all_at(b"1", 0).unwrap();
    log.sync_data().unwrap();
    log.write_all_at(b"2", 1).unwrap();
    log.sync_data().unwrap_err();
    log.write_all_at(b"3", 2).unwrap();
    log.sync_data().unwrap();
    assert_eq!(&content(&fs, LOG).unwrap()[..4], b"123a");

    let rewritten = fs.fork();
    let again = open(&rewritten, LOG);
    again.write_all_at(b"2", 1).unwrap();
    again.sync_data().unwrap();
    rewritten.crash(CrashPlan::DropAll);
    assert_eq!(&content(&rewritten, LOG).unwrap()[..4], b"123a", "writing again helps");

    fs.crash(CrashPlan::KeepAll);
    assert_eq!(&content(&fs, LOG).unwrap()[..4], b"1a3a");
}

#[test]
fn a_failed_directory_sync_can_be_repeated() {
    let fs = disk();
    create(&fs, "/v/new");
    fs.fail_nth_sync(1, 1, ErrorKind::Other);
    fs.sync_dir(Path::new(DIR)).unwrap_err();
    let lost = fs.fork();
    lost.crash(CrashPlan::DropAll);
    assert_eq!(content(&lost, "/v/new"), None);
    fs.sync_dir(Path::new(DIR)).unwrap();
    fs.crash(CrashPlan::DropAll);
    assert!(content(&fs, "/v/new").is_some());
}

#[test]
fn a_fault_lasts_as_long_as_it_says_and_hits_only_its_files() {
    let fs = disk();
    let (log, other) = (open(&fs, LOG), create(&fs, "/v/other"));
    fs.add_fault(Fault {
        on: vec![OpKind::SyncData],
        path_contains: "log".into(),
        nth: 2,
        times: FOR_EVER,
        error: ErrorKind::StorageFull,
        reach: Reach::All,
    });
    log.sync_data().unwrap();
    log.write_all_at(b"x", 0).unwrap();
    for _ in 0..3 {
        assert_eq!(log.sync_data().unwrap_err().kind(), ErrorKind::StorageFull);
        log.sync_all().unwrap();
        other.sync_data().unwrap();
    }
    fs.crash(CrashPlan::DropAll);
    assert_eq!(content(&fs, LOG).unwrap()[0], b'x', "reached the disk, answered with an error");
    open(&fs, LOG).sync_data().unwrap_err();
    fs.clear_faults();
    open(&fs, LOG).sync_data().unwrap();
}

#[test]
fn a_write_can_fail_whole_or_in_the_middle() {
    for (reach, len) in [(Reach::Nothing, 2048), (Reach::Part(3), 2051), (Reach::All, 2053)] {
        let fs = disk();
        let log = open(&fs, LOG);
        fs.fail_nth_write(2, ErrorKind::Other, reach);
        log.write_all_at(b"z", 0).unwrap();
        assert_eq!(log.write_all_at(b"12345", 2048).unwrap_err().kind(), ErrorKind::Other);
        assert_eq!(log.len().unwrap(), len);
        log.write_all_at(b"12345", 2048).unwrap();
    }
}

#[test]
fn a_read_can_fail() {
    let fs = disk();
    fs.add_fault(Fault {
        on: vec![OpKind::Read],
        path_contains: String::new(),
        nth: 1,
        times: 1,
        error: ErrorKind::Other,
        reach: Reach::Nothing,
    });
    let log = open(&fs, LOG);
    read_exact_at(log.as_ref(), 1, 0).unwrap_err();
    read_exact_at(log.as_ref(), 1, 0).unwrap();
}

#[test]
fn a_full_disk_takes_what_fits_and_lets_overwrite() {
    let fs = disk();
    let log = open(&fs, LOG);
    fs.set_capacity(Some(3000));
    assert_eq!(fs.free_bytes(Path::new(DIR)).unwrap(), 952);
    assert_eq!(log.write_all_at(&[1; 1000], 2048).unwrap_err().kind(), ErrorKind::StorageFull);
    assert_eq!(log.len().unwrap(), 3000);
    assert_eq!(fs.free_bytes(Path::new(DIR)).unwrap(), 0);
    log.write_all_at(&[2; 3000], 0).unwrap();
    assert_eq!(log.set_len(3001).unwrap_err().kind(), ErrorKind::StorageFull);
    log.set_len(100).unwrap();
    create(&fs, "/v/x").write_all_at(&[0; 2900], 0).unwrap();
    fs.remove_file(Path::new("/v/x")).unwrap();
    assert_eq!(fs.free_bytes(Path::new(DIR)).unwrap(), 2900);
    fs.set_capacity(None);
    log.write_all_at(&[0; 9000], 0).unwrap();
}

#[test]
fn syncs_are_counted_by_path() {
    let fs = disk();
    fs.clear_ops();
    let log = open(&fs, LOG);
    for _ in 0..5 {
        log.write_all_at(b"x", 0).unwrap();
        log.sync_data().unwrap();
    }
    create(&fs, "/v/other").sync_all().unwrap();
    fs.sync_dir(Path::new(DIR)).unwrap();
    assert_eq!(fs.sync_count(|path| path == Path::new(LOG)), 5);
    assert_eq!(fs.sync_count(|path| path.starts_with(DIR)), 7);
    let writes = fs.ops().iter().filter(|op| op.kind == OpKind::Write).count();
    assert_eq!(writes, 5);
}

/// What is written while a slow sync runs is not covered by it, and does not wait for it.
#[test]
fn a_slow_sync_covers_only_what_came_before_it() {
    let fs = Arc::new(disk());
    fs.set_sync_delay(Duration::from_millis(300));
    let log = open(&fs, LOG);
    log.write_all_at(b"1", 0).unwrap();
    let before = fs.ops_done();
    let syncing = {
        let log = Arc::clone(&log);
        std::thread::spawn(move || log.sync_data())
    };
    while fs.ops_done() == before {
        std::thread::yield_now();
    }
    log.write_all_at(b"2", 1).unwrap();
    assert!(!syncing.is_finished());
    syncing.join().unwrap().unwrap();
    fs.crash(CrashPlan::DropAll);
    assert_eq!(&content(&fs, LOG).unwrap()[..3], b"1aa");
}

#[test]
fn a_crash_during_a_slow_sync_is_an_error() {
    let fs = disk();
    fs.set_sync_delay(Duration::from_millis(100));
    let log = open(&fs, LOG);
    log.write_all_at(b"1", 0).unwrap();
    let before = fs.ops_done();
    let syncing = std::thread::spawn(move || log.sync_data());
    while fs.ops_done() == before {
        std::thread::yield_now();
    }
    fs.crash(CrashPlan::DropAll);
    assert_eq!(syncing.join().unwrap().unwrap_err().kind(), ErrorKind::StaleNetworkFileHandle);
    assert_eq!(content(&fs, LOG).unwrap()[0], b'a');
}
