//! The programs in `docs/examples` run, and the README shows one of them.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Once;

/// The built example. `cargo test` builds all of them; `cargo test --test api` does not.
fn example(name: &str) -> PathBuf {
    static BUILT: Once = Once::new();
    let tests = std::env::current_exe().unwrap();
    let folder = tests.ancestors().nth(2).unwrap();
    BUILT.call_once(|| {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--examples", "--quiet"]).current_dir(env!("CARGO_MANIFEST_DIR"));
        if folder.ends_with("release") {
            cargo.arg("--release");
        }
        assert!(cargo.status().unwrap().success());
    });
    folder.join("examples").join(name)
}

fn run_in(folder: &Path, name: &str) -> String {
    let output = Command::new(example(name)).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn run(name: &str) -> String {
    run_in(tempfile::tempdir().unwrap().path(), name)
}

fn text(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

#[test]
fn the_readme_shows_a_program_of_ten_lines_that_runs_twice() {
    let readme = text("README.md");
    let program = text("docs/examples/embed.rs");
    let shown = readme.split("```rust").nth(1).unwrap().split("```").next().unwrap();
    let shown = shown.split_once('\n').unwrap().1;
    assert_eq!(shown, &program[program.find("use strongroom").unwrap()..]);
    assert!(shown.lines().count() <= 10);
    let folder = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        assert_eq!(run_in(folder.path(), "embed"), "hunter2\n");
    }
}

#[test]
fn rotation_takes_the_four_steps() {
    assert_eq!(run("rotate"), "createSecret\nsetSecret\ntestSecret\nfinishSecret\n");
}

#[test]
fn a_client_is_tested_against_failures() {
    let attempts = run("testing");
    for what in ["no answer", ": 400", ": 200"] {
        assert!(attempts.contains(what), "{attempts}");
    }
}

#[test]
fn async_code_writes_and_reads() {
    assert_eq!(run("async"), "first\n");
}
