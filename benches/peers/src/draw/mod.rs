//! Draws `docs/PERFORMANCE.md` and its plots from the figures. The text of the document is written by hand; what
//! stands between `<!-- NAME -->` and `<!-- end of NAME -->` is replaced.
//!
//! | file | what is in it |
//! |---|---|
//! | `data.rs` | medians, and ratios of the same round |
//! | `puts.rs`, `vaults.rs`, `tables.rs` | the tables |
//! | `slower.rs` | what we are slower at, and why |
//! | `plots.rs`, `svg.rs` | the plots |

mod data;
mod plots;
mod puts;
mod slower;
mod svg;
mod tables;
mod vaults;

use crate::figures::File;
use data::Data;
use std::path::Path;

/// The blocks of the document.
type Block = (&'static str, fn(&Data) -> String);

const BLOCKS: [Block; 17] = [
    ("state of the figures", tables::state),
    ("glance", tables::glance),
    ("bursts", puts::bursts),
    ("spread", puts::spread),
    ("slow disk", puts::slow),
    ("latencies", puts::latencies),
    ("CPU", puts::cpu),
    ("bytes", puts::bytes),
    ("sustained", puts::sustained),
    ("gets", tables::gets),
    ("gets under writers", tables::mixed),
    ("HTTP", tables::http),
    ("opening", vaults::open),
    ("processes", tables::processes),
    ("growth", vaults::scale),
    ("slower", slower::list),
    ("machine", tables::machine),
];

pub fn draw(figures: &Path, docs: &Path) {
    let data = Data::new(File::new(figures).read());
    let path = docs.join("PERFORMANCE.md");
    let mut text = std::fs::read_to_string(&path).expect("the document is there");
    for (name, block) in BLOCKS {
        let (start, end) = (format!("<!-- {name} -->\n"), format!("<!-- end of {name} -->"));
        let found = text.find(&start).zip(text.find(&end));
        let (from, to) = found.unwrap_or_else(|| panic!("the document has no block {name}"));
        text.replace_range(from + start.len()..to, &block(&data));
    }
    for (n, line) in text.lines().enumerate() {
        if line.starts_with('|') && line.chars().count() > COLUMNS {
            println!("{}:{}: longer than {COLUMNS} columns", path.display(), n + 1);
        }
    }
    std::fs::write(&path, text).expect("the document can be written");
    let folder = docs.join("performance");
    std::fs::create_dir_all(&folder).expect("the folder can be created");
    for (name, plot) in plots::all(&data) {
        std::fs::write(folder.join(name), plot).expect("the plot can be written");
    }
    println!("drawn: docs/PERFORMANCE.md, docs/performance");
}

/// A table. A column without figures anywhere is there all the same; a row without any is not.
fn table(head: &[&str], rows: Vec<Vec<String>>) -> String {
    let rows: Vec<Vec<String>> =
        rows.into_iter().filter(|row| row[1..].iter().any(|cell| cell != MISSING)).collect();
    if rows.is_empty() {
        return "Not measured yet.\n".to_owned();
    }
    let line = |cells: Vec<&str>| format!("| {} |\n", cells.join(" | "));
    let mut text = line(head.to_vec());
    text.push_str(&format!("|---|{}\n", "---:|".repeat(head.len() - 1)));
    for row in &rows {
        text.push_str(&line(row.iter().map(String::as_str).collect()));
    }
    text
}

/// No line of a document is longer.
const COLUMNS: usize = 110;
/// What stands in a cell without a figure.
const MISSING: &str = "–";

fn cell(value: Option<String>) -> String {
    value.unwrap_or_else(|| MISSING.to_owned())
}

/// A whole number with thousands apart.
fn whole(value: f64) -> String {
    let digits = format!("{:.0}", value.round());
    let mut text = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Two digits that count, as a ratio needs them.
fn ratio(value: f64) -> String {
    match value {
        v if v < 0.0995 => format!("{v:.3}"),
        v if v < 9.95 => format!("{v:.2}"),
        v => whole(v),
    }
}

/// A time in microseconds.
fn time(us: f64) -> String {
    match us {
        v if v < 99.95 => format!("{v:.1} µs"),
        v if v < 999.5 => format!("{v:.0} µs"),
        v if v < 99_950.0 => format!("{:.1} ms", v / 1e3),
        v if v < 999_500.0 => format!("{:.0} ms", v / 1e3),
        v => format!("{:.2} s", v / 1e6),
    }
}

/// Text in lines that fit, the later ones indented.
fn wrapped(text: &str, indent: &str) -> String {
    let (mut lines, mut line) = (String::new(), String::new());
    for word in text.split_whitespace() {
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > COLUMNS - 4 {
            lines.push_str(&line);
            lines.push('\n');
            line = indent.to_owned();
        } else if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    format!("{lines}{line}\n")
}
