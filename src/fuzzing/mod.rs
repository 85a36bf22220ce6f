//! Bodies of the fuzz targets (`docs/FUZZING.md`). Each takes any bytes and panics if a promise does
//! not hold; `fuzz/` runs them under libFuzzer, `tests/fuzzing.rs` replays their corpora.

// A broken promise ends a target by a panic: that is how a fuzzer hears of it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::pedantic)]

pub mod dump;
mod keys;
pub mod model;
mod names;
pub mod operations;
pub mod recorder;

/// One target: its name is that of its corpus and of its file in `fuzz/fuzz_targets`.
pub struct Target {
    /// As in `cargo fuzz run NAME`.
    pub name: &'static str,
    /// Takes any bytes; panics if a promise does not hold.
    pub run: fn(&[u8]),
}

/// All of them, in the order of the alphabet.
pub const TARGETS: &[Target] = &[
    Target { name: "key_file", run: keys::key_file },
    Target { name: "keystore", run: keys::keystore },
    Target { name: "operations", run: operations::operations },
    Target { name: "secret_id", run: names::secret_id },
];

/// Runs the target `name`.
///
/// # Panics
/// If a promise does not hold, or there is no such target.
pub fn run(name: &str, bytes: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name);
    (target.expect("a target of that name").run)(bytes);
}
