//! Conformance: requests and the answers that AWS gives to them, as data in `tests/conformance`.
//!
//! `cargo test --test api conformance -- --nocapture` runs every vector against a server of its own and
//! prints the score. With `STRONGROOM_CONFORMANCE_ENDPOINT=HOST:PORT` (and `AWS_ACCESS_KEY_ID`,
//! `AWS_SECRET_ACCESS_KEY`, `AWS_REGION`; of a second account `STRONGROOM_CONFORMANCE_OTHER_KEY_ID`
//! and `STRONGROOM_CONFORMANCE_OTHER_SECRET`) the same vectors go to any other server that speaks the
//! protocol: then the score is printed and nothing is judged.

mod coverage;
mod excused;
mod expect;
mod vector;

use crate::common::http::Client;
use crate::common::server::{Home, Server};
use crate::common::sigv4::Keys;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use vector::{Vector, vectors};

/// The account of those steps that are not the usual one's.
const OTHER: &str = "111122223333";

/// A server with a function that rotates and one that fails, since nobody listens on that port; and
/// a key of the other account.
fn serve(home: &Home) -> (Server, Keys) {
    assert_eq!(home.serve().stop(), Some(0));
    let other = home.another_account(OTHER);
    let rotates = format!("{}=random:20", vector::FUNCTION);
    let fails = format!("{}=http://127.0.0.1:9/", vector::FAILING);
    let args = ["--rotation", &rotates, "--rotation", &fails];
    let server = home.serve_with(Path::new(crate::common::server::BIN), &args);
    let region = server.keys.region.clone();
    (server, Keys { region, ..other })
}

fn variable(name: &str, default: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| default.to_owned())
}

/// Passed and all, by section.
type Score = BTreeMap<String, (usize, usize)>;

fn run_all(client: &Client, other: &Keys) -> (Score, Vec<String>) {
    let (mut score, mut failures) = (Score::new(), Vec::new());
    // Names of their own for every run, since another server may remember the last one.
    let run = format!("{:08x}", crate::common::sigv4::now_seconds());
    for (index, vector) in vectors().iter().enumerate() {
        let entry = score.entry(vector.section.clone()).or_default();
        entry.1 += 1;
        match vector.run(client, other, &run, index) {
            Ok(()) => entry.0 += 1,
            Err(why) => failures.push(format!("{} / {}: {why}", vector.section, vector.name)),
        }
    }
    (score, failures)
}

fn print(who: &str, score: &Score, failures: &[String]) {
    for failure in failures {
        println!("  FAIL {failure}");
    }
    for (section, (passed, all)) in score {
        println!("  {section:<32} {passed:>4} of {all:>4}");
    }
    let passed: usize = score.values().map(|(passed, _)| passed).sum();
    let all: usize = score.values().map(|(_, all)| all).sum();
    println!("conformance of {who}: {passed} of {all} vectors pass");
}

#[test]
fn every_vector_passes() {
    if let Ok(host) = std::env::var("STRONGROOM_CONFORMANCE_ENDPOINT") {
        let keys = Keys {
            access_key_id: variable("AWS_ACCESS_KEY_ID", "test"),
            secret_access_key: variable("AWS_SECRET_ACCESS_KEY", "test"),
            region: variable("AWS_REGION", "us-east-1"),
        };
        let client = Client::connect(&host, &keys).unwrap();
        // Emulators take the number of an account for its key.
        let other = Keys {
            access_key_id: variable("STRONGROOM_CONFORMANCE_OTHER_KEY_ID", OTHER),
            secret_access_key: variable("STRONGROOM_CONFORMANCE_OTHER_SECRET", "test"),
            region: keys.region,
        };
        let (score, failures) = run_all(&client, &other);
        return print(&host, &score, &failures);
    }
    let home = Home::new();
    let (server, other) = serve(&home);
    let (score, failures) = run_all(&server.client(), &other);
    print("Strongroom", &score, &failures);
    assert!(failures.is_empty(), "{} vectors fail", failures.len());
}

/// No input that a change of one member makes of a vector is answered with a fault of the server.
#[test]
fn nothing_made_of_a_vector_is_answered_500() {
    if std::env::var_os("STRONGROOM_CONFORMANCE_ENDPOINT").is_some() {
        return;
    }
    let home = Home::new();
    let (server, other) = serve(&home);
    let mut client = server.client();
    let (mut sent, mut refused) = (0, 0);
    for (index, vector) in vectors().iter().enumerate() {
        vector.send_changed(&mut client, &other, index, |operation, request, response| {
            let text = String::from_utf8_lossy(&response.body).into_owned();
            assert!(response.status < 500, "{operation} {request}: {} {text}", response.status);
            sent += 1;
            refused += usize::from(response.status != 200);
        });
    }
    println!("{sent} changed requests, {refused} refused, none answered 500");
    assert!(sent > 30_000 && refused > sent / 2 && sent - refused > 1_000);
}

/// The vectors show, of every operation that is served: its success, every exception that it
/// declares, every member of its request, both sides of every limit, what is required, patterns and
/// enums, every member of its answer, and that it is left out.
#[test]
fn every_fact_of_the_model_has_its_vector() {
    let operations = coverage::operations();
    let wanted = coverage::wanted(&operations);
    let gaps = coverage::gaps(&wanted, &coverage::shown(&operations, &vectors()));
    println!("{} facts of {} operations", wanted.len(), operations.len());
    assert!(gaps.is_empty(), "{} gaps:\n{}", gaps.len(), gaps.join("\n"));
}

/// The check above misses nothing that it should find: vectors that are gone, and excuses for what
/// is shown.
#[test]
fn a_gap_is_reported() {
    let operations = coverage::operations();
    let wanted = coverage::wanted(&operations);
    let mut fewer = vectors();
    fewer.retain(|vector| !vector.name.starts_with("TagResource.Tags"));
    let gaps = coverage::gaps(&wanted, &coverage::shown(&operations, &fewer));
    for fact in [
        "TagResource.Tags[].Key may just have length less than or equal to 128",
        "TagResource.Tags[].Value must have length less than or equal to 256",
    ] {
        assert!(gaps.contains(&format!("no vector shows: {fact}")), "{gaps:?}");
    }
    let mut more = coverage::shown(&operations, &vectors());
    more.insert("DescribeSecret answers OwningService".to_owned());
    let gaps = coverage::gaps(&wanted, &more);
    assert!(gaps.len() == 1 && gaps[0].starts_with("needs no excuse: DescribeSecret"), "{gaps:?}");
}

/// The scoreboard in the document is of these vectors: of those with better evidence than a guess.
#[test]
fn the_document_counts_these_vectors() {
    let document = include_str!("../../docs/CONFORMANCE.md");
    let mut sections = BTreeMap::<String, usize>::new();
    for vector in vectors() {
        if !["guess", "own", "emu"].iter().any(|tag| vector.evidence.contains(tag)) {
            *sections.entry(vector.section).or_default() += 1;
        }
    }
    let all = sections.values().sum();
    for (section, all) in sections.into_iter().chain([("**all**".to_owned(), all)]) {
        let start = format!("| {section} | {all} of {all} |");
        assert!(document.contains(&start), "the document has no row {start}");
    }
}

/// Each vector names a rule that exists, its evidence, and has a name of its own.
#[test]
fn every_vector_names_its_rule() {
    let docs =
        [include_str!("../../docs/SEMANTICS.md"), include_str!("../../docs/WIRE.md")].concat();
    let mut names = BTreeSet::new();
    for Vector { section, name, rule, evidence, steps } in vectors() {
        let known = docs.contains(&format!("**{rule}**"));
        assert!(known, "{section} / {name}: no rule {rule}");
        assert!(!evidence.is_empty() && !steps.is_empty(), "{section} / {name}");
        assert!(names.insert((section.clone(), name.clone())), "{section} / {name} twice");
    }
}
