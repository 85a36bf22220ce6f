//! The rooms inside the modules. A room is a direct child of its module, a folder or a file. Imports between
//! rooms point down in the order of `rooms.txt`, `mod.rs` is the top, and no more than three files use each
//! other in a circle.
//!
//! `cargo test --test architecture rooms -- --nocapture` prints rooms, arrows and circles.

use crate::imports::Graph;
use crate::sources::{Source, sources};
use std::collections::{BTreeMap, BTreeSet};

/// More files than this in one circle are a tangle.
const CIRCLE_MAX: usize = 3;

/// What `mod.rs` is called in messages.
const TOP: &str = "mod";

/// The room of a file, whose path begins with the module.
fn room(file: &str) -> &str {
    file.split('/').nth(1).unwrap_or(file).trim_end_matches(".rs")
}

/// Modules with their rooms from the bottom to the top.
fn orders(text: &str) -> BTreeMap<&str, Vec<&str>> {
    text.lines()
        .filter(|line| !line.starts_with('#') && !line.trim().is_empty())
        .map(|line| {
            let (module, rooms) = line.split_once(':').expect("MODULE: ROOM ROOM ...");
            (module, rooms.split_whitespace().chain([TOP]).collect())
        })
        .collect()
}

/// What is wrong with a module, and a line about it.
fn judge(module: &str, order: &[&str], sources: &[Source]) -> (Vec<String>, String) {
    let graph = Graph::of(module, sources);
    let mut wrong = Vec::new();
    let rooms: BTreeSet<&str> = graph.files.iter().map(|file| room(file)).collect();
    for without_place in rooms.iter().filter(|room| !order.contains(room)) {
        wrong.push(format!("{module}: the room `{without_place}` has no place in rooms.txt"));
    }
    for gone in order.iter().filter(|room| !rooms.contains(*room)) {
        wrong.push(format!("{module}: rooms.txt names `{gone}`, which is not there"));
    }
    let place = |file: &str| order.iter().position(|known| *known == room(file));
    let mut between = BTreeSet::new();
    for (from, to) in &graph.arrows {
        let (from, to) = (graph.files[*from].as_str(), graph.files[*to].as_str());
        if room(from) != room(to) {
            between.insert((room(from), room(to)));
            if place(from).is_some_and(|from| place(to).is_some_and(|to| from < to)) {
                wrong.push(format!("{module}: {from} imports {to}, which is above it"));
            }
        }
    }
    let circles = graph.circles();
    for circle in circles.iter().filter(|circle| circle.len() > CIRCLE_MAX) {
        wrong.push(format!("{module}: {} files in a circle: {}", circle.len(), circle.join(" ")));
    }
    let sizes: Vec<String> = circles.iter().map(|circle| circle.len().to_string()).collect();
    let line = format!(
        "{module:10} {:3} files {:3} rooms {:4} arrows  circles of: {}",
        graph.files.len(),
        rooms.len(),
        between.len(),
        if sizes.is_empty() { "none".to_owned() } else { sizes.join(" ") }
    );
    (wrong, line)
}

#[test]
fn rooms_import_downwards_and_without_circles() {
    let sources = sources();
    let orders = orders(include_str!("rooms.txt"));
    let mut wrong = Vec::new();
    for module in ["vault", "semantics", "log", "wire", "cli"] {
        let order = orders.get(module).map_or(&[TOP][..], Vec::as_slice);
        let (faults, line) = judge(module, order, &sources);
        println!("{line}");
        wrong.extend(faults);
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn this_test_would_notice() {
    let file = |path: &str, code: &str| Source { path: path.to_owned(), code: code.to_owned() };
    let mut sources = vec![
        file("m/mod.rs", "mod low; mod high;"),
        file("m/low.rs", ""),
        file("m/high/mod.rs", "use super::low;"),
    ];
    let order = ["low", "high", TOP];
    assert!(judge("m", &order, &sources).0.is_empty());
    sources[1].code = "use super::high::X;".to_owned();
    assert_eq!(judge("m", &order, &sources).0.len(), 1);
    assert_eq!(judge("m", &["low", TOP], &sources).0.len(), 1);
    for (at, next) in [(0, 1), (1, 2), (2, 3), (3, 0)] {
        sources.push(file(&format!("n/f{at}.rs"), &format!("use super::f{next}::X;")));
    }
    let wrong = judge("n", &["f0", "f1", "f2", "f3", TOP], &sources).0;
    assert!(wrong.iter().any(|line| line.contains("4 files in a circle")), "{wrong:?}");
}
