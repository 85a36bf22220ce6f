//! Past findings of the targets, each with a name of its own: `fuzz/regressions/TARGET/WHAT-IT-WAS`.

use super::replay::{files, folder};
use strongroom_fuzz_bodies::{TARGETS, run};

/// Every finding that is kept, with the test below that replays it.
const KEPT: &[(&str, &str)] = &[
    ("key_file", "line-ends-as-editors-leave-them"),
    ("operations", "a-day-of-access-that-was-not-written"),
    ("operations", "create-without-value-by-a-versions-token"),
    ("operations", "previous-without-a-current-version"),
    ("operations", "refused-for-room-before-another"),
    ("operations", "refused-for-room-in-a-batch"),
    ("operations", "undone-header-that-was-whole"),
    ("schedule", "fifth-weekday-in-february"),
    ("sigv4", "signed-twice"),
];

fn holds(target: &str, name: &str) {
    assert!(KEPT.contains(&(target, name)), "{target}/{name} is not listed");
    let bytes = std::fs::read(folder("regressions").join(target).join(name)).unwrap();
    run(target, &bytes);
}

/// A key file with a carriage return before its line end is accepted: the body took it for a changed one.
#[test]
fn a_key_file_may_end_its_lines_as_editors_do() {
    holds("key_file", "line-ends-as-editors-leave-them");
}

/// Eight years were looked through for the next time, and a leap day that is a Tuesday comes once in
/// 28: a schedule was accepted by its time in 1972 and had no next one from then on.
#[test]
fn a_schedule_of_leap_days_is_not_forgotten() {
    holds("schedule", "fifth-weekday-in-february");
}

/// A day of access was shown and its write refused, as it may be: the step that was taken again on the
/// disk was judged as if it were there.
#[test]
fn a_day_of_access_may_be_lost() {
    holds("operations", "a-day-of-access-that-was-not-written");
}

/// Of a batch on a full disk whose sync failed, the write that needs no room was there and the other,
/// which had been refused, was not: the body took that for half a batch.
#[test]
fn a_write_that_was_refused_for_want_of_room_is_not_missed() {
    holds("operations", "refused-for-room-in-a-batch");
    holds("operations", "refused-for-room-before-another");
}

/// The value of a rotation's placeholder came with AWSPREVIOUS, in a secret that never had a current
/// version (SEM-STAGE-11): the body took labels for illegal that were asked for.
#[test]
fn a_placeholder_may_be_labelled_previous() {
    holds("operations", "previous-without-a-current-version");
}

/// A write of a segment's header said that the disk was full and left the header whole. It was called
/// undone, the segment before went on, and after a power cut the header named an end that was not the
/// log's: the vault did not open (LOG-9).
#[test]
fn a_header_that_is_whole_is_not_called_undone() {
    holds("operations", "undone-header-that-was-whole");
}

/// The model took it for a replay; what there is to replay is another value (SEM-TOKEN-10). What it is
/// answered is in `tests/fuzzing/fuzzing_operations.rs`.
#[test]
fn a_creation_by_a_versions_token_agrees_with_the_model() {
    holds("operations", "create-without-value-by-a-versions-token");
}

/// A request whose query names an algorithm is refused however right its header is (WIRE-SIG-12): the
/// body took that for a right signature refused.
#[test]
fn a_request_that_is_signed_twice_may_be_refused() {
    holds("sigv4", "signed-twice");
}

#[test]
fn every_finding_that_is_kept_has_its_test() {
    let mut found = Vec::new();
    for target in TARGETS {
        for (name, _) in files(&folder("regressions").join(target.name)) {
            found.push((target.name, name));
        }
    }
    let found: Vec<(&str, &str)> = found.iter().map(|(target, name)| (*target, &**name)).collect();
    assert_eq!(found, KEPT, "fuzz/regressions and KEPT");
}
