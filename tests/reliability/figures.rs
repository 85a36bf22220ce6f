//! The table of `docs/RELIABILITY.md`: what the lines kept in `tests/reliability/figures.jsonl` add up
//! to.

pub use crate::common::figures::{Seed, is_short, seeds, tell};
use crate::common::table::{Document, grouped};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;

const KEPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reliability/figures.jsonl");
const DOCUMENT: Document = Document {
    path: "docs/RELIABILITY.md",
    name: "figures",
    command: "cargo test --test reliability write_the_figures -- --ignored",
};
/// A count that is the size of the whole, the same in each run, and not a part of a sum.
const WHOLE: &str = "of all";

/// A table of all kept lines: for each harness its seeds, its commits and the sums of its counts.
fn table() -> String {
    #[derive(Default)]
    struct Sum {
        seeds: Vec<String>,
        commits: Vec<String>,
        counts: Vec<(String, u64)>,
    }
    let text = fs::read_to_string(KEPT).unwrap();
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

#[test]
fn the_document_shows_the_figures_that_are_kept() {
    DOCUMENT.must_show(&table());
}

#[test]
#[ignore = "writes the table of docs/RELIABILITY.md: docs/TESTING.md"]
fn write_the_figures() {
    DOCUMENT.write(&table());
}
