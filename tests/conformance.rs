//! Conformance: requests and the answers that AWS gives to them, as data in `tests/conformance`.
//!
//! `cargo test --test conformance -- --nocapture` runs every vector against a server of its own and
//! prints the score. With `STRONGROOM_CONFORMANCE_ENDPOINT=HOST:PORT` (and `AWS_ACCESS_KEY_ID`,
//! `AWS_SECRET_ACCESS_KEY`, `AWS_REGION`; of a second account `STRONGROOM_CONFORMANCE_OTHER_KEY_ID`
//! and `STRONGROOM_CONFORMANCE_OTHER_SECRET`) the same vectors go to any other server that speaks the
//! protocol: then the score is printed and nothing is judged.
#![allow(clippy::pedantic, clippy::unwrap_used, clippy::indexing_slicing)]
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::result_large_err)]
#![allow(clippy::zombie_processes, clippy::needless_range_loop, clippy::type_complexity)]
#![allow(dead_code, unreachable_pub, missing_docs)]
#![cfg(feature = "server")]

mod common;
#[path = "conformance/expect.rs"]
mod expect;
#[path = "conformance/vector.rs"]
mod vector;

use common::http::Client;
use common::server::Home;
use common::sigv4::Keys;
use std::collections::{BTreeMap, BTreeSet};
use vector::{Vector, vectors};

/// The account of those steps that are not the usual one's.
const OTHER: &str = "111122223333";

fn variable(name: &str, default: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| default.to_owned())
}

/// Passed and all, by section.
type Score = BTreeMap<String, (usize, usize)>;

fn run_all(client: &Client, other: &Keys) -> (Score, Vec<String>) {
    let (mut score, mut failures) = (Score::new(), Vec::new());
    // Names of their own for every run, since another server may remember the last one.
    let run = format!("{:08x}", common::sigv4::now_seconds());
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
        println!("  {section:<24} {passed:>4} of {all:>4}");
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
    assert_eq!(home.serve().stop(), Some(0));
    let mut other = home.another_account(OTHER);
    let server = home.serve();
    other.region.clone_from(&server.keys.region);
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
    let server = home.serve();
    let mut client = server.client();
    let (mut sent, mut refused) = (0, 0);
    for (operation, request) in vectors().iter().flat_map(|vector| vector.requests("500")) {
        for changed in expect::changes(&request) {
            let response = client.call(&operation, &changed).unwrap();
            let text = String::from_utf8_lossy(&response.body).into_owned();
            assert!(response.status < 500, "{operation} {changed}: {} {text}", response.status);
            sent += 1;
            refused += usize::from(response.status != 200);
        }
    }
    println!("{sent} changed requests, {refused} refused, none answered 500");
    assert!(sent > 5_000 && refused > sent / 2);
}

/// Each vector names a rule that exists, its evidence, and has a name of its own.
#[test]
fn every_vector_names_its_rule() {
    let docs = [include_str!("../docs/SEMANTICS.md"), include_str!("../docs/WIRE.md")].concat();
    let mut names = BTreeSet::new();
    for Vector { section, name, rule, evidence, steps } in vectors() {
        let known = [format!("**{rule}**"), format!("| {rule} |")];
        assert!(known.iter().any(|form| docs.contains(form)), "{section} / {name}: no rule {rule}");
        assert!(!evidence.is_empty() && !steps.is_empty(), "{section} / {name}");
        assert!(names.insert((section.clone(), name.clone())), "{section} / {name} twice");
    }
}
