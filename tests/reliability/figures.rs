//! How long a harness runs, and what it says at its end.
//!
//! Three tiers: a short one in every `cargo test`, a longer one with `STRONGROOM_TIER=ci`, and any
//! range of seeds with `STRONGROOM_SEEDS=FROM..TO`, which is how a run of hours is cut into pieces
//! and taken up again. What a run counted is one line, `FIGURE {...}`; with `STRONGROOM_FIGURES=FILE`
//! the line's JSON is added to that file. Lines kept in `tests/reliability/figures.jsonl` are the
//! ones that `docs/RELIABILITY.md` shows.

use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::ops::Range;
use std::path::PathBuf;
use std::process::Command;

/// A count that is the size of the whole, the same in each run, and not a part of a sum.
const WHOLE: &str = "of all";
const MARKS: [&str; 2] = ["<!-- figures -->\n", "<!-- end of figures -->"];

/// The seeds to run: those asked for, or from 1 as many as the tier has.
pub fn seeds(short: u64, ci: u64) -> Range<u64> {
    if let Ok(text) = std::env::var("STRONGROOM_SEEDS") {
        let ends = text.split_once("..").and_then(|(from, to)| {
            Some(from.trim().parse().ok()?..to.trim().trim_start_matches('=').parse().ok()?)
        });
        return ends.expect("STRONGROOM_SEEDS is FROM..TO");
    }
    1..1 + if in_ci() { ci } else { short }
}

/// Whether the tier of the gate is asked for.
pub fn in_ci() -> bool {
    std::env::var("STRONGROOM_TIER").is_ok_and(|tier| tier == "ci")
}

/// Whether neither the gate nor a range of seeds is asked for.
pub fn is_short() -> bool {
    !in_ci() && std::env::var("STRONGROOM_SEEDS").is_err()
}

/// Names the seed of a panic, wherever it comes from.
pub struct Seed(pub u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("seed {}: again with STRONGROOM_SEEDS={}..{}", self.0, self.0, self.0 + 1);
        }
    }
}

/// Tells what `harness` counted over `seeds`. Called at its end, when all of it held.
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

/// The commit that runs, marked if files differ from it.
fn commit() -> String {
    let git = |args: &[&str]| {
        let output = Command::new("git").args(args).current_dir(root()).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let Some(head) = git(&["rev-parse", "--short=10", "HEAD"]) else { return "unknown".into() };
    let changed = git(&["status", "--porcelain", "--", "src"]).is_none_or(|text| !text.is_empty());
    if changed { head + "+" } else { head }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// A table of all kept lines: for each harness its seeds, its commits and the sums of its counts.
fn table() -> String {
    #[derive(Default)]
    struct Sum {
        seeds: Vec<String>,
        commits: Vec<String>,
        counts: Vec<(String, u64)>,
    }
    let text = fs::read_to_string(root().join("tests/reliability/figures.jsonl")).unwrap();
    let mut sums: BTreeMap<String, Sum> = BTreeMap::new();
    for line in text.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let word = |name: &str| line[name].as_str().unwrap().to_owned();
        let sum = sums.entry(word("harness")).or_default();
        assert!(!sum.seeds.contains(&word("seeds")), "counted twice: {line}");
        sum.seeds.push(word("seeds"));
        if !sum.commits.contains(&word("commit")) {
            sum.commits.push(word("commit"));
        }
        for (name, count) in line["counts"].as_object().unwrap() {
            let count = count.as_u64().unwrap();
            match sum.counts.iter_mut().find(|(known, _)| known == name) {
                Some((name, total)) if name == WHOLE => assert_eq!(*total, count),
                Some((_, total)) => *total += count,
                None => sum.counts.push((name.clone(), count)),
            }
        }
    }
    let mut table = String::from("| harness | counted | seeds | commits |\n|---|---|---|---|\n");
    for (harness, sum) in sums {
        let counts: Vec<String> =
            sum.counts.iter().map(|(name, count)| format!("{name}: {}", grouped(*count))).collect();
        table.push_str(&format!(
            "| {harness} | {} | {} | {} |\n",
            counts.join(", "),
            sum.seeds.join(", "),
            sum.commits.join(", ")
        ));
    }
    table
}

/// Digits in threes.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn document(text: &str) -> String {
    let (head, rest) = text.split_once(MARKS[0]).unwrap();
    let (_, tail) = rest.split_once(MARKS[1]).unwrap();
    format!("{head}{}{}{}{tail}", MARKS[0], table(), MARKS[1])
}

#[test]
fn the_document_shows_the_figures_that_are_kept() {
    let text = fs::read_to_string(root().join("docs/RELIABILITY.md")).unwrap();
    assert!(
        text == document(&text),
        "run: cargo test --test reliability write_the_figures -- --ignored"
    );
}

#[test]
#[ignore = "writes the table of docs/RELIABILITY.md"]
fn write_the_figures() {
    let path = root().join("docs/RELIABILITY.md");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, document(&text)).unwrap();
}
