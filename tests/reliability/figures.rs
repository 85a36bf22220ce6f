//! The figures of `docs/RELIABILITY.md`: sums over the lines in `tests/reliability/figures.jsonl`. Those
//! lines contain the seeds; the document does not repeat them.

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
const WHOLE: &str = "cases in all";

/// No line of the document is longer.
const WIDTH: usize = 106;

/// A list item, broken into lines.
fn item(text: &str) -> String {
    let (mut item, mut width) = ("-".to_owned(), 1);
    for word in text.split(' ') {
        if width + 1 + word.len() > WIDTH {
            item.push_str("\n ");
            width = 1;
        }
        item.push(' ');
        item.push_str(word);
        width += 1 + word.len();
    }
    item + "\n"
}

/// A list of the harnesses: for each its commits and the sums of its counts over all kept lines.
fn list() -> String {
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
    let mut list = String::new();
    for (harness, sum) in sums {
        let counts: Vec<String> =
            sum.counts.iter().map(|(name, count)| format!("{} {name}", grouped(*count))).collect();
        let (commits, counts) = (sum.commits.join(", "), counts.join("; "));
        list.push_str(&item(&format!("**{harness}** ({commits}): {counts}")));
    }
    list
}

#[test]
fn the_document_shows_the_figures_that_are_kept() {
    DOCUMENT.must_show(&list());
}

#[test]
#[ignore = "writes the figures of docs/RELIABILITY.md: \
            `cargo test --test reliability write_the_figures -- --ignored`"]
fn write_the_figures() {
    DOCUMENT.write(&list());
}
