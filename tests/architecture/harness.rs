//! The published crate holds little that only tests need.
//!
//! `cargo test --test architecture harness -- --nocapture` prints how much.

use std::fs;
use std::path::Path;

/// Lines of the kit, of what opens inner parts, and of the faults: what is in `src` for harnesses.
const LINES_MAX: usize = 2_500;

/// Whether a file is for harnesses, tests beside the code left out.
fn is_harness(path: &str) -> bool {
    let is_test = path.contains("/tests/") || path.ends_with("/tests.rs");
    let is_part = path.starts_with("testkit/")
        || path.starts_with("env/faults/")
        || path.starts_with("internals/");
    is_part && !is_test
}

fn count(folder: &Path, root: &Path, found: &mut Vec<(String, usize)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            count(&path, root, found);
            continue;
        }
        let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        if is_harness(&name) {
            found.push((name, fs::read_to_string(&path).unwrap().lines().count()));
        }
    }
}

#[test]
fn little_of_the_crate_is_for_harnesses() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    count(&root, &root, &mut found);
    found.sort();
    for (name, lines) in &found {
        println!("{lines:>6}  {name}");
    }
    let sum: usize = found.iter().map(|(_, lines)| lines).sum();
    println!("{sum:>6}  of at most {LINES_MAX}");
    assert!(found.iter().any(|(name, _)| name.starts_with("testkit/")), "nothing was found");
    assert!(sum <= LINES_MAX, "{sum} lines of harness in src");
}
