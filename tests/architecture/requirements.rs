//! Rules and tests belong together: every rule of `docs/SEMANTICS.md`, `docs/WIRE.md` and `docs/TRIALS.md` is
//! cited by a test, and no file cites a rule that is not there; and what `cargo test` leaves out has a command.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// How the rules of each document begin. A prefix that ends with a hyphen stands before the name of a family;
/// any other is a family.
const DOCUMENTS: [(&str, &[&str]); 3] = [
    ("docs/SEMANTICS.md", &["SEM-"]),
    ("docs/WIRE.md", &["WIRE-"]),
    (
        "docs/TRIALS.md",
        &["ID", "RB", "OWN", "MEDIA", "MSG", "HEALTH", "CONN", "HOST", "SOCK", "SPEAK"],
    ),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// All `.rs` files under a folder, sorted.
fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// The rule ids in a text: a prefix, capitals if it asks for a family, hyphen, number.
fn ids(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for prefix in DOCUMENTS.iter().flat_map(|(_, prefixes)| *prefixes) {
        for (at, _) in text.match_indices(prefix) {
            // `SEM-ID-1` and `PAID-1` are not `ID-1`.
            let goes_on = |before: char| before.is_ascii_alphanumeric() || "-_".contains(before);
            if text[..at].ends_with(goes_on) {
                continue;
            }
            let rest = &text[at + prefix.len()..];
            let family: String = rest.chars().take_while(char::is_ascii_uppercase).collect();
            if family.is_empty() == prefix.ends_with('-') {
                continue;
            }
            let Some(rest) = rest[family.len()..].strip_prefix('-') else { continue };
            let number: String = rest.chars().take_while(char::is_ascii_digit).collect();
            if !number.is_empty() {
                found.push((at, format!("{prefix}{family}-{number}")));
            }
        }
    }
    found.sort();
    found.into_iter().map(|(_, id)| id).collect()
}

/// The rules that the documents define, each once: in bold at the beginning of a list item.
fn rules() -> BTreeSet<String> {
    let mut rules = BTreeSet::new();
    for (path, prefixes) in DOCUMENTS {
        let is_own = |id: &String| prefixes.iter().any(|prefix| id.starts_with(prefix));
        let document = fs::read_to_string(root().join(path)).unwrap();
        let mut defined = BTreeSet::new();
        for part in document.split("- **").skip(1) {
            for id in ids(part.split("**").next().unwrap()) {
                assert!(is_own(&id), "{path} defines {id}");
                assert!(defined.insert(id.clone()), "{id} is defined twice");
            }
        }
        let named: BTreeSet<String> = ids(&document).into_iter().filter(is_own).collect();
        assert_eq!(named, defined, "{path} names rules that it does not define");
        rules.extend(defined);
    }
    rules
}

/// The part of a source file that is test code: all of a file in `tests`, or what follows the
/// first `#[cfg(test)]` that opens a module with a body.
fn test_code(path: &Path, text: &str) -> String {
    let in_tests = path.components().any(|part| part.as_os_str() == "tests")
        || path.file_name().is_some_and(|name| name == "tests.rs");
    if in_tests {
        return text.to_owned();
    }
    let inline = text.match_indices("#[cfg(test)]").find(|(at, _)| {
        let body = text[*at..].lines().find(|line| line.contains("mod "));
        body.is_some_and(|line| line.ends_with('{'))
    });
    inline.map(|(at, _)| text[at..].to_owned()).unwrap_or_default()
}

/// Path relative to the crate, and text, of every file but this one.
fn sources() -> Vec<(PathBuf, String)> {
    let mut files = rust_files(&root().join("src"));
    files.extend(rust_files(&root().join("tests")));
    let files = files.into_iter().filter(|path| !path.ends_with(file!()));
    let read = files.map(|path| {
        let text = fs::read_to_string(&path).unwrap();
        (path.strip_prefix(root()).unwrap().to_owned(), text)
    });
    read.collect()
}

#[test]
fn every_rule_is_cited_by_a_test() {
    let mut uncited = rules();
    assert!(uncited.len() > 330, "the documents define {} rules", uncited.len());
    for (path, text) in sources() {
        for id in ids(&test_code(&path, &text)) {
            uncited.remove(&id);
        }
    }
    assert!(uncited.is_empty(), "no test cites {uncited:?}");
}

#[test]
fn every_cited_rule_exists() {
    let rules = rules();
    let mut unknown: BTreeMap<PathBuf, Vec<String>> = BTreeMap::new();
    for (path, text) in sources() {
        let strangers: Vec<_> = ids(&text).into_iter().filter(|id| !rules.contains(id)).collect();
        if !strangers.is_empty() {
            unknown.insert(path, strangers);
        }
    }
    assert!(unknown.is_empty(), "in no document: {unknown:?}");
}

/// The rules of a document: id and text. In `SEMANTICS.md` the refusals (`E39`) count as rules.
fn texts(document: &str) -> Vec<(&str, &str)> {
    let items = document.split("\n- **").skip(1);
    let items = items.filter_map(|item| item.split_once("**"));
    items.map(|(id, text)| (id, text.split("\n#").next().unwrap())).collect()
}

/// `cargo test --test architecture guesses -- --nocapture` prints how many rules are guesses. What was seen in
/// the open has its place in the list of sources.
#[test]
fn guesses_are_counted_and_sightings_have_sources() {
    const GUESSES_MAX: usize = 61;
    let read = |path: &str| fs::read_to_string(root().join(path)).unwrap();
    let (semantics, wire) = (read("docs/SEMANTICS.md"), read("docs/WIRE.md"));
    let (semantics, sources) = semantics.split_once("\n## Sources\n").unwrap();
    let named: BTreeSet<&str> =
        sources.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).collect();
    let mut guesses = 0;
    for (id, text) in texts(semantics).into_iter().chain(texts(&wire)) {
        guesses += text.matches("[guess]").count();
        assert!(!text.contains("[wild]") || named.contains(id), "{id} has no source");
    }
    println!("{guesses} guesses");
    assert!((1..=GUESSES_MAX).contains(&guesses), "{guesses} guesses");
}

/// Within a family numbers run from 1 without a gap, so that a deleted rule is noticed.
#[test]
fn rules_are_numbered_without_gaps() {
    let mut families: BTreeMap<String, BTreeSet<u32>> = BTreeMap::new();
    for rule in rules() {
        let (family, number) = rule.rsplit_once('-').unwrap();
        families.entry(family.to_owned()).or_default().insert(number.parse().unwrap());
    }
    for (family, numbers) in families {
        let expected: BTreeSet<u32> = (1..=u32::try_from(numbers.len()).unwrap()).collect();
        assert_eq!(numbers, expected, "{family}");
    }
}

/// The module of a file as libtest writes it before the name of a test: `main.rs` and `mod.rs` add nothing.
fn module_path(words: &[&str]) -> String {
    let words = words.iter().map(|word| word.trim_end_matches(".rs"));
    words
        .filter(|word| !["main", "mod", "lib"].contains(word))
        .fold(String::new(), |path, word| path + word + "::")
}

/// A test that `cargo test` leaves out asserts nothing unless somebody runs it: the table in
/// `docs/TESTING.md` has a command for each, by the name of the test or of all its neighbours, and so has the
/// reason that the run prints.
#[test]
fn every_ignored_test_has_a_command() {
    let document = fs::read_to_string(root().join("docs/TESTING.md")).unwrap();
    let commands: Vec<&str> = document
        .split('`')
        .filter(|code| code.starts_with("cargo test") && code.contains("--ignored"))
        .collect();
    let mut ignored = 0;
    for (path, text) in sources() {
        // A unit test is named by its module, an integration test by its binary, the folder below
        // `tests`, and its module.
        let words: Vec<&str> = path.iter().map(|part| part.to_str().unwrap()).collect();
        let is_unit = words[0] == "src";
        let (target, module) =
            if is_unit { ("--lib", &words[1..]) } else { (words[1], &words[2..]) };
        let module = module_path(module);
        for part in text.split(concat!("#[", "ignore")).skip(1) {
            let name = part.split("fn ").nth(1).unwrap().split('(').next().unwrap();
            ignored += 1;
            let runs = |command: &&&str| {
                let mut words = command.split_whitespace().skip(2).take_while(|word| *word != "--");
                let (mut targets, mut filters) = (Vec::new(), Vec::new());
                while let Some(word) = words.next() {
                    match word {
                        "--test" => targets.push(words.next().unwrap()),
                        "--lib" => targets.push("--lib"),
                        word if word.starts_with("--") => {}
                        word => filters.push(word),
                    }
                }
                let full = format!("{module}{name}");
                targets.contains(&target)
                    && (filters.is_empty() || filters.iter().any(|filter| full.contains(filter)))
            };
            let at = path.display();
            assert!(commands.iter().any(|command| runs(&command)), "{at}: {name} has no command");
            let reason = part.split("fn ").next().unwrap();
            let told = reason.split('`').nth(1).unwrap_or_default();
            assert!(
                runs(&&told) && commands.contains(&told),
                "{at}: the reason of {name} lacks its command"
            );
        }
    }
    assert!(ignored > 5, "{ignored} ignored tests were found");
}

/// The scanner itself, so that its green means something.
#[test]
fn ids_are_found_where_they_stand() {
    assert_eq!(ids("(SEM-X-1, SEM-YZ-22) SEM- SEM-X SEM-1 SEM-X-"), ["SEM-X-1", "SEM-YZ-22"]);
    assert_eq!(
        ids("WIRE-SIG-3, SEM-X-1: WIRE-SIG-12 and WIRE-SIG"),
        ["WIRE-SIG-3", "SEM-X-1", "WIRE-SIG-12"]
    );
    assert_eq!(
        ids("SOCK-1 to 3, SEM-ID-1 and ID-2, PAID-1, ID_1, SOCKS-1"),
        ["SOCK-1", "SEM-ID-1", "ID-2"]
    );
    assert_eq!(module_path(&["store", "tests", "measure.rs"]), "store::tests::measure::");
    assert_eq!(module_path(&["main.rs"]) + &module_path(&["migration", "mod.rs"]), "migration::");
    let text = "/// SEM-A-1\n#[cfg(test)]\nmod tests {\n// SEM-A-2\n}";
    assert_eq!(ids(&test_code(Path::new("src/a.rs"), text)), ["SEM-A-2"]);
    let text = "#[cfg(test)]\nmod tests;\n// SEM-A-3";
    assert!(test_code(Path::new("src/a.rs"), text).is_empty());
    assert_eq!(ids(&test_code(Path::new("src/a/tests.rs"), text)), ["SEM-A-3"]);
}
