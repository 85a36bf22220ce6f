//! Bodies of the fuzz targets (`docs/FUZZING.md`). Each takes any bytes and panics if a promise is broken.
//! `fuzz/` runs them under libFuzzer; `tests/fuzzing` replays their corpora.

use strongroom::testkit;

pub mod dump;
pub mod env;
mod filters;
mod input;
mod keys;
mod logs;
pub mod model;
mod names;
pub mod operations;
mod policies;
pub mod recorder;
mod recovery;
mod requests;
mod rules;
mod sealed;
pub mod world;

/// A target. Its corpus and its file in `fuzz/fuzz_targets` have the same name.
pub struct Target {
    /// As in `cargo fuzz run NAME`.
    pub name: &'static str,
    /// Takes any bytes; panics if a promise does not hold.
    pub run: fn(&[u8]),
}

/// All targets, in alphabetical order.
pub const TARGETS: &[Target] = &[
    Target { name: "envelope", run: sealed::envelope },
    Target { name: "filter", run: filters::filter },
    Target { name: "http_request", run: requests::http_request },
    Target { name: "json_request", run: requests::json_request },
    Target { name: "key_file", run: keys::key_file },
    Target { name: "keystore", run: keys::keystore },
    Target { name: "manifest", run: logs::manifest },
    Target { name: "names", run: names::names },
    Target { name: "operations", run: operations::operations },
    Target { name: "page_token", run: filters::page_token },
    Target { name: "password", run: rules::password },
    Target { name: "policy", run: policies::policy },
    Target { name: "recovery", run: recovery::recovery },
    Target { name: "row_decode", run: sealed::row_decode },
    Target { name: "schedule", run: rules::schedule },
    Target { name: "secret_id", run: names::secret_id },
    Target { name: "segment", run: logs::segment },
    Target { name: "sigv4", run: requests::sigv4 },
    Target { name: "snapshot", run: logs::snapshot },
];

/// Runs the target `name`.
///
/// # Panics
/// If a promise does not hold, or there is no such target.
pub fn run(name: &str, bytes: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name);
    (target.expect("a target of that name").run)(bytes);
}
