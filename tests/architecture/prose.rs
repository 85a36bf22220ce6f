//! The language of the documents and of the comments: lines that fit (also in `tests`), no phrase that a reader
//! would have to read twice, and no file, test or heading that is not there.

use super::sources::rust_files;
use std::path::{Path, PathBuf};

/// No line is longer. This holds for code blocks and for tables that commands write as well.
const COLUMNS: usize = 110;
/// An exact text in one code span that is at least this long does not count: a text that is broken
/// in two can no longer be found by a search.
const EXACT_TEXT: usize = 60;

/// Phrases that were replaced, and what to write instead.
const BANNED: &[(&str, &str)] = &[
    ("acknowledges is on the disk", "acknowledged writes are durable"),
    ("acknowledged is on the disk", "acknowledged writes are durable"),
    ("says nothing without the key", "reveals nothing without the key"),
    ("apart they are the safety", "back them up separately"),
    ("answers what it has begun", "running requests finish"),
    ("what it has begun is answered", "running requests finish"),
    ("a scheduled deletion back", "cancel a scheduled deletion"),
    ("the state lies", "the state is wrong"),
    ("a state that lies", "a wrong state"),
    ("states that lie", "wrong states"),
    ("healed or told", "repaired or reported"),
    ("healed or is told", "repaired or reported"),
    ("three doors", "three frontends"),
    ("one door", "only through"),
    ("the same door", "say which way"),
    ("is its picture", "is a copy of it"),
    ("to the letter", "exactly"),
    ("led on by", "continued by"),
    ("come to its end", "finished"),
    ("keeper", "maintenance"),
    ("nudge", "pending set"),
    ("nudges", "pending set"),
    ("agenda", "rotation schedule"),
    ("shelf", "quarantine"),
    ("sabotage", "fault"),
    ("heal", "repair"),
    ("heals", "repairs"),
    ("healed", "repaired"),
    ("healing", "repair"),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

fn documents() -> Vec<PathBuf> {
    let mut documents = vec![root().join("README.md")];
    for entry in std::fs::read_dir(root().join("docs")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|end| end == "md") {
            documents.push(path);
        }
    }
    documents.sort();
    assert!(documents.len() > 10, "the documents were not found");
    documents
}

/// The lines of the documents and the comment lines of `src`: where each stands, and its text. A
/// line that is not prose is empty.
fn prose() -> Vec<(String, Vec<String>)> {
    let name = |path: &Path| path.strip_prefix(root()).unwrap().display().to_string();
    let mut found = Vec::new();
    for path in documents() {
        let mut fenced = false;
        let mut lines = Vec::new();
        for line in read(&path).lines() {
            let fence = line.trim_start().starts_with("```");
            fenced ^= fence;
            lines.push(if fenced || fence { String::new() } else { line.to_owned() });
        }
        found.push((name(&path), lines));
    }
    let mut files = Vec::new();
    rust_files(&root().join("src"), &mut files);
    files.sort();
    for path in files {
        let comment = |line: &str| match line.trim_start().strip_prefix("//") {
            Some(text) => text.trim_start_matches(['/', '!']).to_owned(),
            None => String::new(),
        };
        found.push((name(&path), read(&path).lines().map(comment).collect()));
    }
    found
}

/// The columns of a line, without exact texts in code spans.
fn columns(line: &str) -> usize {
    let parts = line.split('`').enumerate();
    let counted = parts.filter(|(n, part)| n % 2 == 0 || part.chars().count() < EXACT_TEXT);
    counted.map(|(_, part)| part.chars().count()).sum()
}

/// The line without its code spans, in small letters and with single spaces.
fn words(line: &str) -> String {
    let text: String =
        line.split('`').enumerate().map(|(n, part)| if n % 2 == 0 { part } else { "`" }).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// The banned phrases that begin in `line`; they may end in the `next` one.
fn banned(line: &str, next: &str) -> Vec<&'static str> {
    let line = words(line);
    let text = format!("{line} {}", words(next));
    let part = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    let stands = |phrase: &str| {
        text.match_indices(phrase).any(|(at, _)| {
            let before = text[..at].chars().next_back();
            let after = text[at + phrase.len()..].chars().next();
            at < line.len() && !before.is_some_and(part) && !after.is_some_and(part)
        })
    };
    BANNED.iter().map(|(phrase, _)| *phrase).filter(|phrase| stands(phrase)).collect()
}

#[test]
fn no_line_is_too_long() {
    let mut long = Vec::new();
    for path in documents() {
        for (n, line) in read(&path).lines().enumerate() {
            if line.chars().count() > COLUMNS && columns(line) > COLUMNS {
                long.push(format!("{}:{}", path.display(), n + 1));
            }
        }
    }
    let mut files = Vec::new();
    rust_files(&root().join("src"), &mut files);
    rust_files(&root().join("tests"), &mut files);
    for path in files {
        for (n, line) in read(&path).lines().enumerate() {
            let is_comment = line.trim_start().starts_with("//");
            if is_comment && line.chars().count() > COLUMNS && columns(line) > COLUMNS {
                long.push(format!("{}:{}", path.display(), n + 1));
            }
        }
    }
    assert!(long.is_empty(), "longer than {COLUMNS} columns:\n{}", long.join("\n"));
}

#[test]
fn no_banned_phrase_stands_anywhere() {
    let mut found = Vec::new();
    for (name, lines) in prose() {
        for (n, line) in lines.iter().enumerate() {
            let next = lines.get(n + 1).map_or("", String::as_str);
            for phrase in banned(line, next) {
                let (_, instead) = BANNED.iter().find(|(known, _)| *known == phrase).unwrap();
                found.push(format!("{name}:{}: \"{phrase}\", better \"{instead}\"", n + 1));
            }
        }
    }
    assert!(found.is_empty(), "{} phrases:\n{}", found.len(), found.join("\n"));
}

/// Files that the documents name and that nobody commits.
const MADE_HERE: &[&str] = &["fuzz/grown"];

/// The code spans of a text, except in fenced blocks.
fn code_spans(text: &str) -> Vec<String> {
    let prose = text.split("```").enumerate().filter(|(n, _)| n % 2 == 0);
    let spans = prose.flat_map(|(_, part)| part.split('`').skip(1).step_by(2));
    spans.map(str::to_owned).collect()
}

/// Whether a code span is the path of a file or folder of the repository.
fn is_path(span: &str) -> bool {
    let folders = ["src/", "tests/", "fuzz/", "benches/", "docs/", ".ci/", ".cargo/"];
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "/._-".contains(c);
    let is_document = span.ends_with(".md");
    folders.iter().any(|folder| span.starts_with(folder))
        && (is_document || span.chars().all(plain))
}

/// The anchors of a document's headings, as GitHub makes them.
fn anchors(text: &str) -> Vec<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let anchor = |line: &str| -> String {
        let kept = |c: &char| c.is_alphanumeric() || *c == ' ' || *c == '-' || *c == '_';
        let text = line.trim_start_matches('#').trim().to_lowercase();
        text.chars().filter(kept).map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.map(anchor).collect()
}

#[test]
fn what_the_documents_name_exists() {
    let manifest = read(&root().join("Cargo.toml"));
    let mut missing = Vec::new();
    for path in documents() {
        let text = read(&path);
        let mut miss = |what: &str| missing.push(format!("{}: {what}", path.display()));
        for span in code_spans(&text).iter().filter(|span| is_path(span)) {
            if !MADE_HERE.contains(&span.as_str()) && !root().join(span).exists() {
                miss(span);
            }
        }
        for part in text.split("--test ").skip(1) {
            let name = part.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap();
            let files = [format!("tests/{name}.rs"), format!("tests/{name}/main.rs")];
            let exists = files.iter().any(|file| root().join(file).exists())
                || manifest.contains(&format!("name = \"{name}\""));
            if name != "NAME" && !exists {
                miss(&format!("--test {name}"));
            }
        }
        for part in text.split("](").skip(1) {
            let target = part.split(')').next().unwrap();
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            if target.contains("://") {
                continue;
            }
            let file =
                if file.is_empty() { path.clone() } else { path.parent().unwrap().join(file) };
            let is_there = file.exists()
                && (anchor.is_empty() || anchors(&read(&file)).iter().any(|known| known == anchor));
            if !is_there {
                miss(target);
            }
        }
    }
    assert!(missing.is_empty(), "not there:\n{}", missing.join("\n"));
}

/// The scanner itself, so that its green means something.
#[test]
fn phrases_and_long_lines_are_found() {
    let mut found = banned(" The Keeper prunes, and damage is healed or", "told.");
    found.sort_unstable();
    assert_eq!(found, ["healed", "healed or told", "keeper"]);
    assert!(banned("the `keeper` is a name, a bookkeeper not", "the keeper").is_empty());
    let exact = format!("the text is `{}`", "x".repeat(120));
    assert_eq!(columns(&exact), "the text is ".len());
    assert_eq!(columns("`short` and more"), "short and more".len());
}
