//! Mutation testing: what the outcomes kept in `fuzz/mutants.tsv` add up to, and that `docs/FUZZING.md`
//! says of every mutant that survived why no test can tell.

use crate::common::table::{Document, grouped};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;

const KEPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/mutants.tsv");
const DOCUMENT: Document = Document {
    path: "docs/FUZZING.md",
    name: "mutants",
    command: "cargo test --test fuzzing write_the_mutants -- --ignored",
};

/// A line that `fuzz/mutate` kept.
struct Kept {
    outcome: String,
    commit: String,
    /// `src/FILE.rs:LINE:COLUMN: what was changed`
    mutant: String,
}

impl Kept {
    fn module(&self) -> String {
        self.mutant.split('/').nth(1).unwrap().to_owned()
    }

    /// Without the line, which moves with every change above it.
    fn name(&self) -> String {
        let (file, rest) = self.mutant.split_once(':').unwrap();
        let what = rest.splitn(3, ':').nth(2).unwrap();
        format!("{file}:{what}")
    }
}

fn kept() -> Vec<Kept> {
    let text = fs::read_to_string(KEPT).unwrap();
    let line = |line: &str| {
        let [outcome, commit, mutant] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("not three fields: {line}")
        };
        Kept { outcome: outcome.into(), commit: commit.into(), mutant: mutant.into() }
    };
    text.lines().map(line).collect()
}

#[derive(Default)]
struct Sum {
    outcomes: BTreeMap<String, u64>,
    commits: BTreeSet<String>,
}

impl Sum {
    fn add(&mut self, kept: &Kept) {
        *self.outcomes.entry(kept.outcome.clone()).or_default() += 1;
        self.commits.insert(kept.commit.clone());
    }

    fn row(&self, name: &str) -> String {
        let of = |outcome: &str| self.outcomes.get(outcome).copied().unwrap_or_default();
        let (caught, endless, missed) = (of("caught"), of("timeout"), of("missed"));
        let viable = caught + endless + missed;
        let tenths = (caught + endless) * 1000 / viable.max(1);
        let commits: Vec<&str> = self.commits.iter().map(String::as_str).collect();
        format!(
            "| {name} | {} | {} | {} | {} | {} | {}.{} % | {} |",
            grouped(viable),
            grouped(caught),
            grouped(endless),
            grouped(missed),
            grouped(of("unviable")),
            tenths / 10,
            tenths % 10,
            commits.join(", ")
        )
    }
}

fn table() -> String {
    let mut modules: BTreeMap<String, Sum> = BTreeMap::new();
    let mut whole = Sum::default();
    for kept in kept() {
        modules.entry(kept.module()).or_default().add(&kept);
        whole.add(&kept);
    }
    let mut table = String::from(
        "| module | viable | caught by a test | by never ending | missed | not compiled | caught | commits |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    for (name, sum) in &modules {
        writeln!(table, "{}", sum.row(&format!("`{name}`"))).unwrap();
    }
    writeln!(table, "{}", whole.row("both")).unwrap();
    table
}

#[test]
fn the_document_shows_the_mutants_that_are_kept() {
    DOCUMENT.must_show(&table());
}

#[test]
#[ignore = "writes a table of docs/FUZZING.md: \
            `cargo test --test fuzzing write_the_mutants -- --ignored`"]
fn write_the_mutants() {
    DOCUMENT.write(&table());
}

/// A survivor without a reason is a test that is missing.
#[test]
fn every_survivor_is_explained() {
    let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/FUZZING.md")).unwrap();
    let (_, text) = text.split_once("### Survivors").unwrap();
    for kept in kept().iter().filter(|kept| kept.outcome == "missed") {
        assert!(text.contains(&format!("`{}`", kept.name())), "{}", kept.mutant);
    }
}
