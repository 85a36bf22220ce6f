//! Which file of a module uses which other: read from `use` items and from paths in the code.
//!
//! A re-export (`pub use child::Item`) leads to the file of the item, so that a `mod.rs` that only declares
//! and re-exports has no arrows of its own and takes none.

use crate::sources::Source;
use std::collections::{BTreeMap, BTreeSet};

type ModulePath = Vec<String>;

/// A path that a file names.
#[derive(Debug, PartialEq, Eq)]
pub struct Named {
    path: ModulePath,
    /// The name that a `use` gives it here.
    alias: Option<String>,
    is_reexport: bool,
}

/// The files of one module and the arrows between them.
pub struct Graph {
    /// Relative to `src`, sorted.
    pub files: Vec<String>,
    /// From the file that imports to the file that is imported.
    pub arrows: BTreeSet<(usize, usize)>,
}

/// Identifiers, `::` and single characters.
fn tokens(code: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = code;
    while let Some(first) = rest.chars().next() {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let len = if is_word(first) {
            rest.find(|c| !is_word(c)).unwrap_or(rest.len())
        } else if rest.starts_with("::") {
            2
        } else {
            first.len_utf8()
        };
        let (token, after) = rest.split_at(len);
        if !first.is_whitespace() {
            tokens.push(token);
        }
        rest = after;
    }
    tokens
}

fn is_name(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Reads one tree of a `use` item that starts at `tokens[at]`; returns where it ends.
fn use_tree(
    tokens: &[&str],
    mut at: usize,
    before: &ModulePath,
    is_reexport: bool,
    found: &mut Vec<Named>,
) -> usize {
    let mut path = before.clone();
    loop {
        match tokens.get(at) {
            Some(&"{") => {
                at += 1;
                while !matches!(tokens.get(at), Some(&"}") | None) {
                    at = use_tree(tokens, at, &path, is_reexport, found);
                    if tokens.get(at) == Some(&",") {
                        at += 1;
                    }
                }
                return at + 1;
            }
            Some(&"*") => {
                found.push(Named { path, alias: None, is_reexport });
                return at + 1;
            }
            Some(token) if is_name(token) => {
                // `use x::{self}` names x.
                if *token != "self" || path.is_empty() {
                    path.push((*token).to_owned());
                }
                at += 1;
            }
            _ => return at,
        }
        match tokens.get(at) {
            Some(&"::") => at += 1,
            Some(&"as") => {
                let alias = tokens.get(at + 1).map(|alias| (*alias).to_owned());
                found.push(Named { path, alias, is_reexport });
                return at + 2;
            }
            _ => {
                let alias = path.last().cloned();
                found.push(Named { path, alias, is_reexport });
                return at;
            }
        }
    }
}

/// All paths that a file names.
pub fn named(code: &str) -> Vec<Named> {
    let tokens = tokens(code);
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let token = tokens[at];
        if token == "use" && (at == 0 || !["<", "+", "="].contains(&tokens[at - 1])) {
            let before = at.checked_sub(1).map(|before| tokens[before]);
            let is_reexport = matches!(before, Some("pub" | ")"));
            at = use_tree(&tokens, at + 1, &Vec::new(), is_reexport, &mut found);
        } else if is_name(token) && tokens.get(at + 1) == Some(&"::") {
            let mut path = vec![token.to_owned()];
            while tokens.get(at + 1) == Some(&"::")
                && tokens.get(at + 2).is_some_and(|next| is_name(next))
            {
                path.push(tokens[at + 2].to_owned());
                at += 2;
            }
            if path.len() > 1 {
                found.push(Named { path, alias: None, is_reexport: false });
            }
            at += 1;
        } else {
            at += 1;
        }
    }
    found
}

fn module_path(file: &str) -> ModulePath {
    let mut parts: ModulePath =
        file.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    if parts.last().is_some_and(|last| last == "mod") {
        parts.pop();
    }
    parts
}

/// What is known of all files while arrows are looked for.
struct Names {
    by_module: BTreeMap<ModulePath, usize>,
    /// What a module re-exports: the name, and where it leads.
    reexports: BTreeMap<ModulePath, BTreeMap<String, ModulePath>>,
}

impl Names {
    /// A path from the root of the crate; `None` where it does not lead into the crate.
    fn absolute(&self, from: &ModulePath, path: &ModulePath) -> Option<ModulePath> {
        let (first, rest) = path.split_first()?;
        match first.as_str() {
            "crate" => Some(rest.to_vec()),
            "super" | "self" => {
                let mut base = from.clone();
                let mut rest = if first == "self" { rest } else { path.as_slice() };
                while let Some(("super", after)) = rest.split_first().map(|(a, b)| (a.as_str(), b))
                {
                    base.pop();
                    rest = after;
                }
                Some([base.as_slice(), rest].concat())
            }
            _ => {
                let child = [from.as_slice(), path.get(..1)?].concat();
                let is_child = self.by_module.contains_key(&child);
                is_child.then(|| [from.as_slice(), path.as_slice()].concat())
            }
        }
    }

    /// The file that a path from the root leads to, through re-exports.
    fn resolve(&self, path: &[String], depth: usize) -> Option<usize> {
        for len in (1..=path.len()).rev() {
            let (module, rest) = path.split_at(len);
            let Some(file) = self.by_module.get(module) else { continue };
            let leads = rest
                .first()
                .and_then(|name| self.reexports.get(module)?.get(name))
                .filter(|target| depth < 8 && target.as_slice() != path);
            if let Some(target) = leads {
                let further = [target.as_slice(), &rest[1..]].concat();
                if let Some(found) = self.resolve(&further, depth + 1) {
                    return Some(found);
                }
            }
            return Some(*file);
        }
        None
    }
}

impl Graph {
    /// Of the files of `module` among `sources`.
    pub fn of(module: &str, sources: &[Source]) -> Self {
        let inside = |path: &str| path.split('/').next() == Some(module) && path.contains('/');
        let sources: Vec<&Source> = sources.iter().filter(|source| inside(&source.path)).collect();
        let files: Vec<String> = sources.iter().map(|source| source.path.clone()).collect();
        let modules: Vec<ModulePath> = files.iter().map(|file| module_path(file)).collect();
        let all: Vec<Vec<Named>> = sources.iter().map(|source| named(&source.code)).collect();
        let mut names = Names {
            by_module: modules.iter().cloned().zip(0..).collect(),
            reexports: BTreeMap::new(),
        };
        for (at, module) in modules.iter().enumerate() {
            for one in all[at].iter().filter(|one| one.is_reexport) {
                if let (Some(alias), Some(path)) = (&one.alias, names.absolute(module, &one.path)) {
                    let of_module = names.reexports.entry(module.clone()).or_default();
                    of_module.insert(alias.clone(), path);
                }
            }
        }
        let mut arrows = BTreeSet::new();
        for (at, from) in modules.iter().enumerate() {
            // What a `use` made known under a short name, so that `name::item` leads on.
            let known: BTreeMap<&str, ModulePath> = all[at]
                .iter()
                .filter_map(|one| Some((one.alias.as_deref()?, names.absolute(from, &one.path)?)))
                .collect();
            for one in &all[at] {
                if one.is_reexport && files[at].ends_with("mod.rs") {
                    continue;
                }
                let path = names.absolute(from, &one.path).or_else(|| {
                    let (first, rest) = one.path.split_first()?;
                    Some([known.get(first.as_str())?.as_slice(), rest].concat())
                });
                let target = path.and_then(|path| names.resolve(&path, 0));
                if let Some(target) = target.filter(|target| *target != at) {
                    arrows.insert((at, target));
                }
            }
        }
        Self { files, arrows }
    }

    /// Files that use each other in a circle, largest first.
    pub fn circles(&self) -> Vec<Vec<&str>> {
        let count = self.files.len();
        let mut reaches = vec![vec![false; count]; count];
        for (from, to) in &self.arrows {
            reaches[*from][*to] = true;
        }
        for through in 0..count {
            let onward = reaches[through].clone();
            for row in reaches.iter_mut().filter(|row| row[through]) {
                row.iter_mut().zip(&onward).for_each(|(known, more)| *known |= more);
            }
        }
        let mut circles: BTreeSet<Vec<usize>> = BTreeSet::new();
        for file in (0..count).filter(|file| reaches[*file][*file]) {
            let with = |other: &usize| reaches[file][*other] && reaches[*other][file];
            circles.insert((0..count).filter(with).collect());
        }
        let mut circles: Vec<Vec<&str>> = circles
            .into_iter()
            .map(|circle| circle.into_iter().map(|file| self.files[file].as_str()).collect())
            .collect();
        circles.sort_by_key(|circle| std::cmp::Reverse(circle.len()));
        circles
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(path: &str, code: &str) -> Source {
        Source { path: path.to_owned(), code: code.to_owned() }
    }

    fn paths(code: &str) -> Vec<String> {
        named(code).into_iter().map(|one| one.path.join("::")).collect()
    }

    #[test]
    fn paths_are_read_as_rust_reads_them() {
        assert_eq!(
            paths("use super::{a::{self, B as C}, d::*};\npub(crate) use e::F;"),
            ["super::a", "super::a::B", "super::d", "e::F"]
        );
        assert_eq!(paths("let x = crate::m::f(y); z.w()"), ["crate::m::f"]);
        assert!(named("pub(super) use e::F;")[0].is_reexport && !named("use e::F;")[0].is_reexport);
    }

    #[test]
    fn arrows_go_through_reexports_to_the_file_of_the_item() {
        let sources = [
            source("m/mod.rs", "mod low; mod high; pub use low::Item;"),
            source("m/low.rs", "pub struct Item;"),
            source("m/high.rs", "use super::Item; use super::low; fn f() { low::g() }"),
            source("n/mod.rs", "use crate::m::Item;"),
        ];
        let graph = Graph::of("m", &sources);
        assert_eq!(graph.files, ["m/mod.rs", "m/low.rs", "m/high.rs"]);
        assert_eq!(graph.arrows, BTreeSet::from([(2, 1)]));
        assert!(graph.circles().is_empty());
    }

    #[test]
    fn circles_are_found_whole() {
        let sources = [
            source("m/a.rs", "use super::b::X;"),
            source("m/b.rs", "use super::c::X;"),
            source("m/c.rs", "use super::{a::X, d::X};"),
            source("m/d.rs", ""),
            source("m/mod.rs", "mod a; mod b; mod c; mod d;"),
        ];
        assert_eq!(Graph::of("m", &sources).circles(), [vec!["m/a.rs", "m/b.rs", "m/c.rs"]]);
    }
}
