//! Past findings of the targets, each with a name of its own: `fuzz/regressions/TARGET/WHAT-IT-WAS`.

use super::replay::{files, folder};
use strongroom::fuzzing::{TARGETS, run};

/// Every finding that is kept, with the test below that replays it.
const KEPT: &[(&str, &str)] = &[("schedule", "fifth-weekday-in-february")];

fn holds(target: &str, name: &str) {
    assert!(KEPT.contains(&(target, name)), "{target}/{name} is not listed");
    let bytes = std::fs::read(folder("regressions").join(target).join(name)).unwrap();
    run(target, &bytes);
}

/// Eight years were looked through for the next time, and a leap day that is a Tuesday comes once in
/// 28: a schedule was accepted by its time in 1972 and had no next one from then on.
#[test]
fn a_schedule_of_leap_days_is_not_forgotten() {
    holds("schedule", "fifth-weekday-in-february");
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
