//! Where dependencies come from, under which licenses, and which are banned, by the lists of `.deny.toml`. The
//! gate has no tool for it on a fresh machine; where cargo-deny is installed it looks closer.

use std::path::Path;
use std::process::Command;

fn read(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('"').skip(1).step_by(2)
}

/// The quoted words of a list in `.deny.toml`.
fn list<'a>(config: &'a str, name: &str) -> Vec<&'a str> {
    let (_, rest) = config.split_once(&format!("\n{name} = [")).unwrap();
    quoted(rest.split_once(']').unwrap().0).collect()
}

/// Whether an SPDX expression (older ones have `/` for `OR`) offers a choice of which all parts are allowed.
fn is_allowed(license: &str, allowed: &[&str]) -> bool {
    let spaced = license.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    // `WITH` belongs to the license before it.
    let spaced = spaced.replace(" WITH ", "+WITH+");
    let words: Vec<String> =
        spaced.split_whitespace().map(|word| word.replace("+WITH+", " WITH ")).collect();
    let mut words = words.iter().map(String::as_str).peekable();
    let answer = choice(&mut words, allowed);
    assert!(words.next().is_none(), "{license}");
    answer
}

type Words<'a, W> = std::iter::Peekable<W>;

fn choice<'a>(words: &mut Words<'a, impl Iterator<Item = &'a str>>, allowed: &[&str]) -> bool {
    let mut any = all(words, allowed);
    while words.next_if_eq(&"OR").is_some() {
        any |= all(words, allowed);
    }
    any
}

fn all<'a>(words: &mut Words<'a, impl Iterator<Item = &'a str>>, allowed: &[&str]) -> bool {
    let mut every = one(words, allowed);
    while words.next_if_eq(&"AND").is_some() {
        every &= one(words, allowed);
    }
    every
}

fn one<'a>(words: &mut Words<'a, impl Iterator<Item = &'a str>>, allowed: &[&str]) -> bool {
    if words.next_if_eq(&"(").is_none() {
        return words.next().is_some_and(|license| allowed.contains(&license));
    }
    let inner = choice(words, allowed);
    assert_eq!(words.next(), Some(")"));
    inner
}

#[test]
fn every_license_is_on_the_list() {
    let config = read(".deny.toml");
    let allowed = list(&config, "allow");
    for (license, is_right) in [
        ("Apache-2.0 OR MIT", true),
        ("MIT/X", true),
        ("X OR Apache-2.0 WITH LLVM-exception", true),
        ("(MIT OR X) AND ISC", true),
        ("(MIT OR X) AND Y", false),
        ("MIT AND X", false),
        ("X", false),
        ("", false),
    ] {
        assert_eq!(is_allowed(license, &allowed), is_right, "{license}");
    }
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--all-features", "--edges", "all", "--prefix", "none"])
        .args(["--format", "{p}\t{l}", "--offline", "--locked"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout).unwrap();
    let lines = tree.lines().filter_map(|line| line.split_once('\t'));
    let mut packages: Vec<_> =
        lines.map(|(package, license)| (package, license.trim_end_matches(" (*)"))).collect();
    packages.retain(|(package, _)| !package.starts_with("strongroom"));
    packages.sort_unstable();
    packages.dedup();
    assert!(packages.len() > 100, "{packages:?}");
    packages.retain(|(_, license)| !is_allowed(license, &allowed));
    assert!(packages.is_empty(), "{packages:?}");
}

/// Name and version of each locked package, and the lines of its entry.
fn locked(lock: &str) -> Vec<(&str, &str, &str)> {
    let entries = lock.split("[[package]]").skip(1);
    let parts = entries.filter_map(|entry| {
        let mut quoted = quoted(entry);
        Some((quoted.next()?, quoted.next()?, entry))
    });
    parts.collect()
}

#[test]
fn every_source_is_crates_io_and_nothing_banned_is_locked() {
    let config = read(".deny.toml");
    let registries = list(&config, "allow-registry");
    let (_, bans) = config.split_once("\ndeny = [\n").unwrap();
    let bans: Vec<&str> = bans.lines().take_while(|line| *line != "]").collect();
    let crates: Vec<&str> = bans
        .iter()
        .filter_map(|line| quoted(line.trim().strip_prefix("{ crate = ")?).next())
        .collect();
    assert_eq!(crates, ["bincode@3.0.0", "openssl-sys", "ring"]);
    // The only ban with exceptions: what may bring a random generator older than 0.9.
    let wrapped = bans.iter().find(|line| line.contains("version = \"<0.9\"")).unwrap();
    let wrappers: Vec<&str> = quoted(wrapped.split_once("wrappers = ").unwrap().1).collect();
    for file in ["Cargo.lock", "fuzz/Cargo.lock"] {
        let lock = read(file);
        let packages = locked(&lock);
        assert!(packages.len() > 100, "{file}");
        for (name, version, entry) in packages {
            let source = entry.split("source = \"registry+").nth(1);
            let source = source.and_then(|rest| rest.split('"').next());
            let is_known = source.is_none_or(|source| registries.contains(&source));
            assert!(is_known && !entry.contains("source = \"git"), "{file}: {entry}");
            let whole = format!("{name}@{version}");
            assert!(
                !crates.contains(&name) && !crates.contains(&whole.as_str()),
                "{file}: {whole}"
            );
            let is_old = (0..9).any(|minor| entry.contains(&format!("\"rand_core 0.{minor}.")));
            assert!(!is_old || wrappers.contains(&name), "{file}: {whole} brings an old rand_core");
        }
    }
}
