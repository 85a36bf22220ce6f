//! Every fault of `src/env/faults`, with the test that catches a build with this fault.
//!
//! `cargo test --test reliability known_bad_builds_and_what_catches_them -- --ignored --nocapture` runs them all
//! and prints the table.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;
use strongroom::__internals::env::faults::Fault;

const CUTS: &str = "simulation::bad_builds";
const SEQUENCES: (&str, &str, &str) =
    ("fuzzing", "planted_bugs", "each_planted_bug_is_found_and_the_sound_build_has_none");

/// Test binary, module and name of the test that catches a build with the fault.
fn catcher(fault: Fault) -> (&'static str, &'static str, &'static str) {
    let (module, test) = match fault {
        Fault::AckBeforeSync => (CUTS, "a_build_that_answers_before_the_sync_is_caught"),
        Fault::PublishBeforeSync => (CUTS, "a_build_that_shows_a_batch_before_its_sync_is_caught"),
        Fault::FreeBeforeFlush => {
            (CUTS, "a_build_that_frees_before_the_state_has_the_rows_is_caught")
        }
        Fault::FlushDropsTombstone => (CUTS, "a_build_whose_flushes_drop_tombstones_is_caught"),
        Fault::FlushNamesItsEnd => (CUTS, "a_build_whose_flushes_name_their_end_is_caught"),
        Fault::NoopAtPlanTime => {
            ("errors::batch", "a_build_that_answers_no_ops_when_they_are_planned_is_caught")
        }
        Fault::HoldFramesBack => {
            ("kills", "a_build_that_answers_before_it_writes_loses_data_in_a_kill")
        }
        Fault::RetryFailedSync => {
            ("errors", "a_build_that_syncs_again_after_a_failed_sync_is_caught")
        }
        Fault::SkipFrameMac => {
            ("damage::known_bad", "a_build_that_accepts_damaged_frames_is_caught")
        }
        Fault::SkipRewriteOfLastFrame => {
            (CUTS, "a_build_that_does_not_write_the_last_frame_again_is_caught")
        }
        Fault::FreeBeforeReadBack => (CUTS, "a_build_that_frees_before_it_has_read_back_is_caught"),
        Fault::MigrationFreesFirst => {
            ("migration", "a_build_that_frees_the_old_snapshot_first_is_caught")
        }
        Fault::RepairFromLagging => {
            ("damage::known_bad", "a_build_that_repairs_from_a_lagging_state_is_caught")
        }
        Fault::BelieveState => ("damage::known_bad", "a_build_that_believes_the_state_is_caught"),
        Fault::AgeByWall => ("clock", "a_build_that_ages_by_the_wall_clock_is_caught"),
        Fault::DropEpochEarly => {
            (CUTS, "a_build_that_drops_an_epoch_before_the_last_re_wrap_is_caught")
        }
        Fault::WrapWhenSealed => (CUTS, "a_build_that_wraps_data_keys_before_the_plan_is_caught"),
        Fault::SecondCopyForWrongKey => {
            (CUTS, "a_build_that_tries_a_key_on_the_copy_that_lost_is_caught")
        }
        Fault::EventsRemovedFirst => {
            ("label_events", "a_build_that_removes_events_before_it_delivers_them_is_caught")
        }
        Fault::LockFollowsPath => {
            ("displaced::simulated", "a_lock_that_follows_the_path_is_caught")
        }
        Fault::LabelOnTwoVersions
        | Fault::PreviousNotMoved
        | Fault::PrunedTooEarly
        | Fault::TokenReuseAccepted
        | Fault::PurgedAtOnce
        | Fault::RestoreForgetsPolicy
        | Fault::ReplicaShowsNothing
        | Fault::PromotionLosesCurrent
        | Fault::PageOmitsSecret
        | Fault::BatchLosesRow
        | Fault::KeepsStaleRow => return SEQUENCES,
        Fault::NullCipher => {
            return (
                "durability",
                "canary_disk",
                "the_same_search_finds_every_canary_when_the_cipher_does_nothing",
            );
        }
    };
    ("reliability", module, test)
}

/// The text of a test's module.
fn source(binary: &str, module: &str) -> String {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests")
        .join(binary)
        .join(module.replace("::", "/"));
    let file = Some(path.with_extension("rs")).filter(|path| path.exists());
    std::fs::read_to_string(file.unwrap_or_else(|| path.join("mod.rs"))).unwrap()
}

#[test]
fn every_fault_has_a_test_that_catches_it() {
    for fault in Fault::ALL {
        let (binary, module, test) = catcher(fault);
        let text = source(binary, module);
        assert!(text.contains(&format!("fn {test}()")), "{fault:?}: no {module}::{test}");
        assert!(text.contains(&format!("Fault::{fault:?}")), "{fault:?} is not in {module}");
    }
}

/// Whether the test ran and caught what it is for.
fn run(binary: &str, test: &str) -> bool {
    let output = Command::new(env!("CARGO"))
        .args(["test", "--quiet", "--test", binary, test, "--", "--exact", "--nocapture"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    output.status.success() && String::from_utf8_lossy(&output.stdout).contains("1 passed")
}

#[test]
#[ignore = "runs the test of each fault once more: \
            `cargo test --test reliability known_bad_builds_and_what_catches_them -- --ignored --nocapture`"]
fn known_bad_builds_and_what_catches_them() {
    let mut ran: BTreeMap<(&str, String), (bool, f64)> = BTreeMap::new();
    let mut missed = Vec::new();
    println!("{:<24} {:>8}  {:<7} caught by", "known-bad build", "seconds", "");
    for fault in Fault::ALL {
        let (binary, module, test) = catcher(fault);
        let full = format!("{module}::{test}");
        let (is_caught, seconds) = ran.entry((binary, full.clone())).or_insert_with(|| {
            let started = Instant::now();
            let is_caught = run(binary, &full);
            (is_caught, started.elapsed().as_secs_f64())
        });
        let verdict = if *is_caught { "caught" } else { "MISSED" };
        println!("{:<24} {seconds:>8.1}  {verdict:<7} {binary} {full}", format!("{fault:?}"));
        if !*is_caught {
            missed.push(fault);
        }
    }
    assert!(missed.is_empty(), "not caught: {missed:?}");
}
