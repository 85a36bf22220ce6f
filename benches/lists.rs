//! What a page of `ListSecrets` costs over 10,000 secrets on disk: in the default order, where it
//! should cost by its size, and filtered or sorted, where the whole region is looked at.
//!
//! `cargo bench --bench lists` (`-- --quick` for a short run). Prints; judges nothing.
#![allow(clippy::pedantic, clippy::unwrap_used, clippy::indexing_slicing)]
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::result_large_err)]
#![allow(clippy::zombie_processes, clippy::needless_range_loop, clippy::type_complexity)]
#![allow(dead_code, unreachable_pub, missing_docs)]

use std::time::{Duration, Instant};
use strongroom::__internals::crypto::Unlock;
use strongroom::__internals::model::Tag;
use strongroom::__internals::model::api::{CreateSecret, Filter, ListSecrets};
use strongroom::__internals::secret::{SecretBytes, SecretValue};
use strongroom::__internals::vault::{Options, Vault};

const MAKERS: usize = 64;

fn fill(vault: &Vault, secrets: usize) {
    std::thread::scope(|threads| {
        for maker in 0..MAKERS {
            threads.spawn(move || {
                for number in (maker..secrets).step_by(MAKERS) {
                    let mut request =
                        CreateSecret::new(format!("team-{:02}/service/{number}", number % 37));
                    request.description = Some(format!("the password of service {number}"));
                    request.tags =
                        Some(vec![Tag { key: "stage".into(), value: (number % 3).to_string() }]);
                    request.value = Some(SecretValue::binary(vec![7; 100]));
                    vault.create_secret(request).unwrap();
                }
            });
        }
    });
}

fn filter(key: &str, value: &str) -> Option<Vec<Filter>> {
    let (key, values) = (Some(key.to_owned()), Some(vec![value.to_owned()]));
    Some(vec![Filter { key, values }])
}

/// The median and the longest of some pages.
fn measure(vault: &Vault, what: &str, rounds: usize, request: &ListSecrets) {
    let mut times: Vec<Duration> = (0..rounds)
        .map(|_| {
            let start = Instant::now();
            vault.list_secrets(request.clone()).unwrap();
            start.elapsed()
        })
        .collect();
    times.sort();
    println!(
        "  {what:<34} median {:>9.2?}, longest {:>9.2?}",
        times[rounds / 2],
        times[rounds - 1]
    );
}

fn main() {
    let quick = std::env::args().any(|arg| arg == "--quick");
    let (secrets, rounds) = if quick { (1_000, 10) } else { (10_000, 50) };
    let dir = tempfile::tempdir().unwrap();
    let passphrase = Unlock::Passphrase(SecretBytes::copy_from(b"not a secret: a measurement"));
    let vault = Options::default().create(&dir.path().join("vault"), passphrase).unwrap();
    fill(&vault, secrets);
    println!("{secrets} secrets, a page of");
    let page = |max_results| ListSecrets { max_results: Some(max_results), ..Default::default() };
    measure(&vault, "1, default order", rounds, &page(1));
    measure(&vault, "10, default order", rounds, &page(10));
    measure(&vault, "100, default order", rounds, &page(100));
    let token = vault.list_secrets(page(100)).unwrap().next_token;
    measure(
        &vault,
        "100, default order, the second",
        rounds,
        &ListSecrets { next_token: token, ..page(100) },
    );
    let sorted = |by: &str| ListSecrets { sort_by: Some(by.to_owned()), ..page(100) };
    measure(&vault, "100, sorted by name", rounds, &sorted("name"));
    measure(&vault, "100, sorted by last change", rounds, &sorted("last-changed-date"));
    let filtered = |key, value| ListSecrets { filters: filter(key, value), ..page(100) };
    measure(&vault, "100, a tag's value", rounds, &filtered("tag-value", "2"));
    measure(&vault, "100, words, matching one secret", rounds, &filtered("all", "9999"));
    measure(&vault, "100, words, matching none", rounds, &filtered("description", "nowhere"));
}
