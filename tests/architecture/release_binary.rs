//! The switches that break promises on purpose are in the test build and in no binary that ships.
//!
//! `STRONGROOM_RELEASE_BINARY` names a release binary to look at; without it the command is built
//! as `cargo build` builds it for a user, without the features that the tests open.

use std::path::PathBuf;
use std::process::Command;

const MARKER: &[u8] = b"strongroom-fault-switches";

fn has_marker(binary: &PathBuf) -> bool {
    let bytes = std::fs::read(binary).unwrap();
    assert!(bytes.len() > 1 << 20, "{binary:?} is no such binary");
    bytes.windows(MARKER.len()).any(|window| window == MARKER)
}

/// A build for users. In the folder of the test build, whose dependencies it shares.
fn built() -> PathBuf {
    let output = Command::new(env!("CARGO"))
        .args(["build", "--bin", "strongroom", "--message-format=json", "--quiet"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).unwrap();
    let path = lines.lines().find_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        message["executable"].as_str().map(PathBuf::from)
    });
    path.expect("cargo says where the binary is")
}

#[test]
fn no_binary_that_ships_can_break_its_promises() {
    // The control first: this very build has the switches.
    let tests = std::env::current_exe().unwrap();
    assert_eq!(strongroom::__internals::env::faults::MARKER[..MARKER.len()], *MARKER);
    assert!(has_marker(&tests), "the marker is not found where it is");
    let binary = std::env::var_os("STRONGROOM_RELEASE_BINARY").map_or_else(built, PathBuf::from);
    println!("looked at {}", binary.display());
    assert!(!has_marker(&binary), "{binary:?} has the switches");
}

/// Library users take no HTTP, no runtime, no argument parser.
#[test]
fn the_library_alone_takes_neither_tokio_nor_hyper_nor_clap() {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--no-default-features", "--edges", "normal", "--prefix", "none"])
        .args(["--offline", "--locked"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout).unwrap();
    let crates: Vec<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(crates.contains(&"sled"));
    for unwanted in ["tokio", "hyper", "hyper-util", "clap", "rpassword", "serde_json", "base64"] {
        assert!(!crates.contains(&unwanted), "{unwanted}");
    }
}
