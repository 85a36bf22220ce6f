//! The table of `docs/FUZZING.md`: what the lines kept in `fuzz/figures.jsonl` add up to.

use crate::common::table::{Document, grouped};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use strongroom_fuzz_bodies::TARGETS;

const KEPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/figures.jsonl");
const DOCUMENT: Document = Document {
    path: "docs/FUZZING.md",
    name: "figures",
    command: "cargo test --test fuzzing write_the_figures -- --ignored",
};

#[derive(Default)]
struct Sum {
    runs: Vec<(u64, String)>,
    executions: u64,
    /// Executions a second, the slowest and the quickest run.
    speed: Option<(u64, u64)>,
    edges: u64,
    findings: u64,
}

fn table() -> String {
    let text = fs::read_to_string(KEPT).unwrap();
    let mut sums: BTreeMap<String, Sum> = BTreeMap::new();
    for line in text.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let number = |name: &str| line[name].as_u64().unwrap_or_else(|| panic!("{name}: {line}"));
        let target = line["target"].as_str().unwrap().to_owned();
        let sum = sums.entry(target).or_default();
        let run = (number("seed"), line["commit"].as_str().unwrap().to_owned());
        assert!(!sum.runs.contains(&run), "counted twice: {line}");
        sum.runs.push(run);
        sum.executions += number("executions");
        let speed = number("per_second");
        let (slowest, quickest) = sum.speed.unwrap_or((speed, speed));
        sum.speed = Some((slowest.min(speed), quickest.max(speed)));
        sum.edges = sum.edges.max(number("edges"));
        sum.findings += number("findings");
    }
    let mut table = String::from(
        "| target | executions | seeds (commit) | executions a second | edges | findings |\n|---|---|---|---|---|---|\n",
    );
    let mut whole = (0, 0);
    for (target, sum) in &sums {
        let known = TARGETS.iter().any(|known| known.name == target);
        assert!(known, "{target} is no target");
        let mut commits: Vec<&str> = sum.runs.iter().map(|(_, commit)| commit.as_str()).collect();
        commits.dedup();
        let seeds_of = |commit: &str| {
            let of = sum.runs.iter().filter(|(_, other)| other == commit);
            let seeds: Vec<String> = of.map(|(seed, _)| seed.to_string()).collect();
            format!("{} ({commit})", seeds.join(", "))
        };
        let seeds: Vec<String> = commits.into_iter().map(seeds_of).collect();
        let speed = match sum.speed.unwrap_or_default() {
            (slowest, quickest) if slowest == quickest => grouped(slowest),
            (slowest, quickest) => format!("{} to {}", grouped(slowest), grouped(quickest)),
        };
        let (executions, edges) = (grouped(sum.executions), grouped(sum.edges));
        let findings = sum.findings;
        writeln!(
            table,
            "| `{target}` | {executions} | {} | {speed} | {edges} | {findings} |",
            seeds.join("; ")
        )
        .unwrap();
        whole.0 += sum.executions;
        whole.1 += sum.findings;
    }
    writeln!(table, "| all | {} | | | | {} |", grouped(whole.0), whole.1).unwrap();
    table
}

#[test]
fn the_document_shows_the_figures_that_are_kept() {
    DOCUMENT.must_show(&table());
}

#[test]
#[ignore = "writes a table of docs/FUZZING.md: \
            `cargo test --test fuzzing write_the_figures -- --ignored`"]
fn write_the_figures() {
    DOCUMENT.write(&table());
}

/// A promise for each: what nobody can say of a target, it does not check.
#[test]
fn the_document_says_what_every_target_promises() {
    let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/FUZZING.md")).unwrap();
    for target in TARGETS {
        assert!(text.contains(&format!("\n- `{}`: ", target.name)), "{}", target.name);
    }
}
