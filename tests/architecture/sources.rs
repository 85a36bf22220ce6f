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
    let mut rest = without_tests(text);
    let mut code = String::new();
    while let Some(c) = rest.chars().next() {
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if let Some(len) = raw_string(rest).filter(|_| !code.ends_with(is_of_a_word)) {
            len
        } else if c == '"' {
            string(rest)
        } else if rest.starts_with("'\"'") || rest.starts_with("'\\") {
            // The character that would look like the start of a string, or one that is escaped.
            2 + rest[2..].find('\'').unwrap_or(0) + 1
        } else {
            code.push(c);
            c.len_utf8()
        };
        rest = rest.get(skipped..).unwrap_or_default();
    }
    code
}

/// The length of the string that `text` starts with.
fn string(text: &str) -> usize {
    let mut is_escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// The length of the raw string that `text` starts with, if it does.
fn raw_string(text: &str) -> Option<usize> {
    let after = text.strip_prefix("br").or_else(|| text.strip_prefix('r'))?;
    let hashes = after.len() - after.trim_start_matches('#').len();
    let content = after[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let start = text.len() - content.len();
    Some(content.find(&end).map_or(text.len(), |at| start + at + end.len()))
}

fn is_of_a_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Whether `code` has `word` standing alone (not inside a longer name).
pub fn names(code: &str, word: &str) -> bool {
    code.match_indices(word).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        let after = code[at + word.len()..].chars().next();
        !before.is_some_and(is_of_a_word) && !after.is_some_and(is_of_a_word)
    })
}
