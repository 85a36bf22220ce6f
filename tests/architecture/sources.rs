//! The code that ships, as text: without comments, strings and tests.

use std::path::{Path, PathBuf};

pub struct Source {
    /// Relative to `src`.
    pub path: String,
    /// Without comments, strings and inline tests.
    pub code: String,
}

pub fn rust_files(dir: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|end| end == "rs") {
            files.push(path);
        }
    }
}

/// All code that ships. Tests may look wherever they must.
pub fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    rust_files(&root, &mut files);
    files.sort();
    let sources: Vec<Source> = files
        .iter()
        .map(|path| Source {
            path: path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned(),
            code: bare(&std::fs::read_to_string(path).unwrap()),
        })
        .filter(|source| !is_test(&source.path))
        .collect();
    assert!(sources.len() > 40, "the sources were not found");
    sources
}

fn is_test(path: &str) -> bool {
    path.split('/').any(|part| ["tests", "tests.rs", "testing.rs"].contains(&part))
}

/// What stands before a closing test module.
pub fn without_tests(text: &str) -> &str {
    for (at, _) in text.match_indices("\n#[cfg(") {
        let mut rest = text[at + 1..].lines();
        if !rest.next().is_some_and(|line| line.contains("test")) {
            continue;
        }
        let mut rest = rest.skip_while(|line| line.starts_with("#["));
        let inline = |line: &str| line.starts_with("mod ") && line.ends_with('{');
        if rest.next().is_some_and(inline) {
            return &text[..at];
        }
    }
    text
}

/// Code without comments, string contents and a closing test module.
pub fn bare(text: &str) -> String {
    let text = without_tests(text);
    let mut code = String::new();
    for line in text.lines() {
        let line = line.split("//").next().unwrap();
        for (n, part) in line.split('"').enumerate() {
            if n % 2 == 0 {
                code.push_str(part);
            }
        }
        code.push('\n');
    }
    code
}

/// Whether `code` has `word` standing alone (not inside a longer name).
pub fn names(code: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        let after = code[at + word.len()..].chars().next();
        !before.is_some_and(part) && !after.is_some_and(part)
    })
}
