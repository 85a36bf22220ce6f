//! A disk so slow that sled's threads all wait for it: nothing may hang. sled does, with segments
//! of its own choosing and no bound on the pages that it has not written (rule SL6 of the module).
//!
//! The disk is slowed from outside, by a tracer that delays the one call with which sled waits.

#![allow(clippy::print_stdout)]

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const DELAYED: &str = "inject=sync_file_range:delay_enter=";
/// The tests that are run so, by the end of their names.
const CHURN: &str = "under_churn";
/// They take 15 s.
const PATIENCE: Duration = Duration::from_secs(180);

fn traced(args: &[&str]) -> Command {
    let mut strace = Command::new("strace");
    strace.args(["-f", "-q", "-o", "/dev/null", "-e", "trace=sync_file_range"]).args(args);
    strace.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    strace
}

/// Regression: with segments of 512 KiB and one flush per 256 KiB of rows this hung for good, and
/// with it every writer of the process.
#[test]
fn churn_on_a_slow_disk_does_not_hang() {
    let delay = format!("{DELAYED}5000");
    if !traced(&["-e", &delay, "true"]).status().is_ok_and(|status| status.success()) {
        println!("SKIP a slow disk: strace does not run here");
        return;
    }
    let this = std::env::current_exe().unwrap();
    let mut child = traced(&["-e", &delay]).arg(this).args([CHURN]).spawn().unwrap();
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success(), "churn failed on a slow disk");
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    // strace takes what it traces with it.
    child.kill().unwrap();
    child.wait().unwrap();
    panic!("sled hangs when its disk is slow");
}
