//! How long a harness runs, and the figures that it reports.
//!
//! There are three tiers: a short one in every `cargo test`, a longer one with `STRONGROOM_TIER=ci`, and
//! any range of seeds with `STRONGROOM_SEEDS=FROM..TO`, to split a long run into resumable pieces. Each run
//! prints its counts in one line, `FIGURE {...}`. With `STRONGROOM_FIGURES=FILE` the line's JSON is appended
//! to that file. `docs/RELIABILITY.md` shows the lines in `tests/reliability/figures.jsonl`.

use serde_json::{Map, Value, json};
use std::fs;
use std::io::Write as _;
use std::ops::Range;
use std::process::Command;

/// The seeds to run: the requested range, or those of the tier, counted from 1.
pub fn seeds(short: u64, ci: u64) -> Range<u64> {
    if let Ok(text) = std::env::var("STRONGROOM_SEEDS") {
        let ends = text.split_once("..").and_then(|(from, to)| {
            Some(from.trim().parse().ok()?..to.trim().trim_start_matches('=').parse().ok()?)
        });
        return ends.expect("STRONGROOM_SEEDS is FROM..TO");
    }
    1..1 + if in_ci() { ci } else { short }
}

/// Whether the tier of the gate is requested.
fn in_ci() -> bool {
    std::env::var("STRONGROOM_TIER").is_ok_and(|tier| tier == "ci")
}

/// Whether neither the gate nor a range of seeds is requested.
pub fn is_short() -> bool {
    !in_ci() && std::env::var("STRONGROOM_SEEDS").is_err()
}

/// Prints the seed after a panic, on any thread.
pub struct Seed(pub u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("seed {}: again with STRONGROOM_SEEDS={}..{}", self.0, self.0, self.0 + 1);
        }
    }
}

/// Reports the counts of `harness` over `seeds`. Called at the end of a successful run.
pub fn tell(harness: &str, seeds: &Range<u64>, counts: &[(&str, u64)]) {
    let counts: Map<String, Value> =
        counts.iter().map(|(name, count)| ((*name).into(), (*count).into())).collect();
    let build = if cfg!(debug_assertions) { "debug" } else { "release" };
    let line = json!({
        "harness": harness, "commit": commit(), "build": build,
        "seeds": format!("{}..{}", seeds.start, seeds.end), "counts": counts,
    });
    println!("FIGURE {line}");
    if let Ok(file) = std::env::var("STRONGROOM_FIGURES") {
        let mut file = fs::OpenOptions::new().create(true).append(true).open(file).unwrap();
        writeln!(file, "{line}").unwrap();
    }
}

/// The current commit, marked if files differ from it.
fn commit() -> String {
    let git = |args: &[&str]| {
        let output =
            Command::new("git").args(args).current_dir(env!("CARGO_MANIFEST_DIR")).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let Some(head) = git(&["rev-parse", "--short=10", "HEAD"]) else { return "unknown".into() };
    let changed = git(&["status", "--porcelain", "--", "src"]).is_none_or(|text| !text.is_empty());
    if changed { head + "+" } else { head }
}
