//! What the library offers is chosen, listed in `public_items.txt`, and few.

use std::fmt::Write;
use std::path::Path;

const ITEMS_MAX: usize = 60;

/// The items that `lib.rs` makes public, without hidden ones.
fn public_items(lib: &str) -> Vec<String> {
    let code: String = lib
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default().trim())
        .collect::<Vec<_>>()
        .join(" ");
    let mut items = Vec::new();
    for statement in code.split(';') {
        let parts: Vec<&str> = statement.split("pub ").collect();
        for pair in parts.windows(2) {
            let (attributes, item) = (pair[0], pair[1]);
            if attributes.contains("#[doc(hidden)]") {
                continue;
            }
            if let Some(module) = item.strip_prefix("mod ") {
                items.push(module.trim().to_owned());
            } else if let Some(path) = item.strip_prefix("use ") {
                let last = path.split_once('{').map_or_else(
                    || path.rsplit("::").next().unwrap_or_default(),
                    |(_, names)| names.trim_end_matches([' ', '}']),
                );
                let names = last.split(',').map(str::trim).filter(|name| !name.is_empty());
                items.extend(names.map(str::to_owned));
            } else {
                items.push(format!("unexpected: pub {item}"));
            }
        }
    }
    items.sort();
    items
}

#[test]
fn the_public_items_are_those_that_are_listed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path| std::fs::read_to_string(root.join(path)).unwrap();
    let found = public_items(&read("src/lib.rs"));
    let list = read("tests/architecture/public_items.txt");
    let listed: Vec<&str> = list.lines().filter(|line| !line.starts_with('#')).collect();
    let mut now = String::new();
    for item in &found {
        writeln!(now, "{item}").unwrap();
    }
    assert_eq!(found, listed, "lib.rs offers this now:\n{now}");
    assert!(found.len() <= ITEMS_MAX, "{} items", found.len());
}

#[test]
fn a_new_public_item_would_be_noticed() {
    let lib = "
        mod inner; // pub mod comment;
        #[doc(hidden)]
        pub mod __internals;
        #[cfg(feature = \"kit\")]
        pub mod kit;
        pub use inner::{A, b};
        pub use inner::C;
        pub fn d() {}
    ";
    assert_eq!(public_items(lib)[..4], ["A", "C", "b", "kit"]);
    assert!(public_items(lib)[4].starts_with("unexpected: pub fn d"));
    assert_eq!(public_items("pub fn d() {} pub use inner::E;").len(), 2);
}
