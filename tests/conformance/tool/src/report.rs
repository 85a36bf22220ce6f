//! What is printed.

use crate::calls::Place;
use crate::common::sigv4::{amz_date, now_seconds};
use crate::plan::Outcome;
use std::collections::BTreeMap;
use std::fmt::Write;

/// A line for each vector, with the first difference, and the sums.
pub fn of(place: &Place, outcome: &Outcome) -> String {
    let mut text = format!("conformance of {} in {}\n", place.url, place.keys.region);
    for line in &outcome.lines {
        let vector = &line.vector;
        let (word, why) = match &line.failed {
            None => ("same", ""),
            Some(why) => ("DIFFERS", why.as_str()),
        };
        let end = if why.is_empty() { String::new() } else { format!(": {why}") };
        let _ = writeln!(
            text,
            "{word:<8}{} [{}] {} / {}{end}",
            vector.rule, vector.evidence, vector.section, vector.name
        );
    }
    let same = outcome.lines.iter().filter(|line| line.failed.is_none()).count();
    let _ = writeln!(
        text,
        "{same} of {} vectors are the same, {} not run, {} calls",
        outcome.lines.len(),
        outcome.not_run,
        outcome.calls
    );
    for name in &outcome.left {
        let _ = writeln!(text, "LEFT BEHIND: the secret {name} could not be deleted");
    }
    text
}

/// Today, as `2026-11-30`.
fn today() -> String {
    let date = amz_date(now_seconds());
    format!("{}-{}-{}", &date[..4], &date[4..6], &date[6..8])
}

/// Sections by endpoints, and which vectors the first endpoint fails.
pub fn table(scores: &[(&String, Outcome)]) -> String {
    let mut rows: BTreeMap<&str, Vec<(usize, usize)>> = BTreeMap::new();
    for (at, (_, outcome)) in scores.iter().enumerate() {
        for line in &outcome.lines {
            let row =
                rows.entry(&line.vector.section).or_insert_with(|| vec![(0, 0); scores.len()]);
            row[at].1 += 1;
            row[at].0 += usize::from(line.failed.is_none());
        }
    }
    let names: Vec<&str> = scores.iter().map(|(name, _)| name.as_str()).collect();
    let mut text = format!("Run on {}.\n\n", today());
    let _ = writeln!(text, "| | {} |\n|---|{}", names.join(" | "), "---:|".repeat(names.len()));
    let cells = |row: &[(usize, usize)]| {
        let cells = row.iter().map(|(same, all)| format!("{same} of {all}"));
        cells.collect::<Vec<_>>().join(" | ")
    };
    for (section, row) in &rows {
        let _ = writeln!(text, "| {section} | {} |", cells(row));
    }
    let sums: Vec<(usize, usize)> = (0..scores.len())
        .map(|at| rows.values().fold((0, 0), |sum, row| (sum.0 + row[at].0, sum.1 + row[at].1)))
        .collect();
    let _ = writeln!(text, "| **all** | {} |", cells(&sums));
    if let Some((name, first)) = scores.first() {
        let failed: Vec<String> = first
            .lines
            .iter()
            .filter(|line| line.failed.is_some())
            .map(|line| format!("{} / {}", line.vector.section, line.vector.name))
            .collect();
        let failed = if failed.is_empty() { "none".to_owned() } else { failed.join("; ") };
        let _ = writeln!(text, "\n{name} fails: {failed}.");
    }
    text
}

/// Puts the table between the marks of a document.
pub fn write(file: &str, table: &str) -> Result<(), String> {
    const BEGIN: &str = "<!-- scores -->\n";
    const END: &str = "<!-- end of scores -->";
    let document = std::fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
    let marks = document.split_once(BEGIN).and_then(|(before, rest)| {
        rest.split_once(END).map(|(_, after)| format!("{before}{BEGIN}{table}{END}{after}"))
    });
    let document = marks.ok_or(format!("{file} has no marks {BEGIN:?} and {END:?}"))?;
    std::fs::write(file, document).map_err(|error| format!("{file}: {error}"))
}
