//! Forks, snapshots and restores: independent, whole, and the same to the byte.

use super::script::{Image, image, options, run};
use std::path::Path;
use strongroom::__internals::vault::{CheckReport, StoreChoice, VaultDir};
use strongroom::testkit::Ephemeral;

fn made(seed: u64) -> Ephemeral {
    Ephemeral::new(seed, &options()).unwrap()
}

fn played(vault: &Ephemeral, script: u64, range: std::ops::Range<u64>) -> Vec<String> {
    run(vault, vault.machine(), script, range)
}

#[track_caller]
fn same(left: &Image, right: &Image) {
    assert!(left.rows == right.rows, "the rows differ");
    let names = |image: &Image| image.files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(left), names(right));
    for (name, bytes) in &left.files {
        assert!(right.files[name] == *bytes, "{name} differs");
    }
}

/// A deep check of the vault's closed folder.
fn checked(vault: &Ephemeral) -> CheckReport {
    let mut options = options();
    options.tuning.env = Some(vault.machine().reboot());
    options.tuning.store = StoreChoice::Memory;
    let dir = VaultDir::lock(Path::new(Ephemeral::DIR), &options).unwrap();
    dir.check(&vault.unlock(), true).unwrap()
}

#[test]
fn a_fork_goes_on_as_the_original_does_to_the_byte() {
    for seed in 1..=5 {
        for cut in [0, 1, 20, 77, 150] {
            let whole = made(seed);
            let answers = played(&whole, seed, 0..200);
            let original = made(seed);
            let begun = played(&original, seed, 0..cut);
            let fork = original.fork().unwrap();
            assert_eq!([begun, played(&fork, seed, cut..200)].concat(), answers);
            same(&image(&fork), &image(&whole));
        }
    }
}

#[test]
fn a_fork_and_its_parent_do_not_influence_each_other() {
    let parent = made(7);
    played(&parent, 7, 0..80);
    let before = image(&parent);
    let fork = parent.fork().unwrap();
    same(&image(&fork), &before);
    played(&fork, 8, 0..120);
    same(&image(&parent), &before);
    assert!(image(&fork) != before, "the fork did nothing");
    let forked = image(&fork);
    played(&parent, 9, 0..120);
    parent.close().unwrap();
    drop(parent);
    same(&image(&fork), &forked);
    played(&fork, 10, 0..50);
}

#[test]
fn a_fork_closes_and_opens_again_from_its_disk() {
    for seed in 11..=14 {
        let parent = made(seed);
        played(&parent, seed, 0..90);
        let mut fork = parent.fork().unwrap();
        played(&fork, seed, 90..180);
        let rows = image(&fork).rows;
        fork.close().unwrap();
        let report = checked(&fork);
        assert!(report.damage.is_empty() && report.findings.is_empty(), "{:?}", report.damage);
        assert!(report.rows > 0 && report.lsn > 0);
        fork.reopen().unwrap();
        assert!(image(&fork).rows == rows, "rows were lost");
        played(&fork, seed, 180..220);
        // The parent's folder is as whole as the fork's.
        parent.close().unwrap();
        assert!(checked(&parent).damage.is_empty());
    }
}

#[test]
fn a_process_that_dies_leaves_a_fork_that_opens() {
    let parent = made(15);
    played(&parent, 15, 0..60);
    let fork = parent.fork().unwrap();
    played(&fork, 15, 60..140);
    let rows = image(&fork).rows;
    // Everything acknowledged was synced: an open of what lies on the disk finds it.
    let machine = fork.machine().fork();
    let mut options = options();
    options.tuning.env = Some(machine.reboot());
    options.tuning.store = StoreChoice::Memory;
    options.tuning.background = false;
    let dir = Path::new(Ephemeral::DIR);
    let opened = options.open(dir, &fork.unlock()).unwrap();
    assert!(super::script::rows(&opened) == rows, "acknowledged rows were lost");
}

#[test]
fn a_snapshot_stays_what_it_was_and_can_be_gone_back_to() {
    let mut vault = made(21);
    played(&vault, 21, 0..70);
    let then = image(&vault);
    let snapshot = vault.snapshot().unwrap();
    let answers = played(&vault, 22, 0..60);
    for _ in 0..2 {
        vault.restore(&snapshot).unwrap();
        same(&image(&vault), &then);
        assert_eq!(played(&vault, 22, 0..60), answers);
    }
    let mut other = made(99);
    other.restore(&snapshot).unwrap();
    same(&image(&other), &then);
}

#[test]
fn only_what_is_open_can_be_forked() {
    let vault = made(1);
    vault.close().unwrap();
    assert!(vault.fork().is_err());
}
