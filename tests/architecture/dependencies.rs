//! Where dependencies come from, under which licenses, and which are banned, by the lists of `.deny.toml`. The
//! gate has no tool for it on a fresh machine; where cargo-deny is installed it looks closer.

use std::path::Path;
use std::process::Command;

fn read(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// The quoted words of a list in `.deny.toml`.
fn list(config: &str, name: &str) -> Vec<String> {
    let (_, rest) = config.split_once(&format!("\n{name} = [")).unwrap();
    let (list, _) = rest.split_once("\n]").unwrap_or_else(|| rest.split_once(']').unwrap());
    list.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Whether an SPDX expression offers a choice of which all parts are allowed. `(A OR B) AND C` is read as
/// `A OR B AND C`, which is stricter for no expression here and is never laxer than the list.
fn is_allowed(license: &str, allowed: &[String]) -> bool {
    let is_in = |part: &str| allowed.iter().any(|one| one == part.trim_matches(['(', ')', ' ']));
    license.replace('/', " OR ").split(" OR ").any(|choice| choice.split(" AND ").all(is_in))
}

#[test]
fn every_license_is_on_the_list() {
    let allowed = list(&read(".deny.toml"), "allow");
    assert!(allowed.iter().any(|license| license == "MIT"));
    assert!(
        is_allowed("Apache-2.0 OR MIT", &allowed) && is_allowed("(MIT OR X) AND ISC", &allowed)
    );
    assert!(!is_allowed("GPL-3.0-only", &allowed) && !is_allowed("MIT AND GPL-3.0-only", &allowed));
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--all-features", "--edges", "all", "--prefix", "none"])
        .args(["--format", "{p}\t{l}", "--offline", "--locked"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout).unwrap();
    let mut packages: Vec<(&str, &str)> =
        tree.lines().filter_map(|line| line.split_once('\t')).collect();
    packages.retain(|(package, _)| !package.contains("strongroom"));
    packages.sort_unstable();
    packages.dedup();
    assert!(packages.len() > 100, "{packages:?}");
    let bad = packages
        .iter()
        .filter(|(_, license)| !is_allowed(license.trim_end_matches(" (*)"), &allowed));
    assert_eq!(bad.collect::<Vec<_>>(), Vec::<&(&str, &str)>::new());
}

#[test]
fn every_source_is_crates_io_and_nothing_banned_is_locked() {
    let config = read(".deny.toml");
    let registries = list(&config, "allow-registry");
    for lock in ["Cargo.lock", "fuzz/Cargo.lock"] {
        let lock = read(lock);
        for source in lock.lines().filter_map(|line| line.strip_prefix("source = ")) {
            let is_known =
                |registry: &String| source.trim_matches('"') == format!("registry+{registry}");
            assert!(registries.iter().any(is_known), "{source}");
        }
        for banned in ["openssl-sys", "ring"] {
            assert!(config.contains(&format!("crate = \"{banned}\"")));
            assert!(!lock.contains(&format!("\nname = \"{banned}\"\n")), "{banned}");
        }
        assert!(!lock.contains("name = \"bincode\"\nversion = \"3.0.0\""));
    }
}
