//! The layers of `docs/ARCHITECTURE.md`: imports point down, siblings never name each other, and each
//! dangerous call is made in one place only.

use crate::sources::{bare, names, sources, without_tests};
use std::path::Path;

/// What stands below all decisions.
const GROUND: &[&str] = &["model", "secret", "codec", "env"];
/// What `vault` brings together.
const PARTS: &[&str] = &["semantics", "store", "log", "crypto"];

/// Each layer with the layers below it that it may name.
const MAY_USE: &[(&str, &[&[&str]])] = &[
    ("codec", &[]),
    ("env", &[]),
    ("secret", &[]),
    ("model", &[&["env", "secret"]]),
    ("semantics", &[GROUND]),
    ("store", &[GROUND]),
    ("log", &[GROUND]),
    ("crypto", &[GROUND]),
    ("error", &[PARTS, GROUND]),
    ("vault", &[&["error"], PARTS, GROUND]),
    ("responses", &[&["error"], GROUND]),
    ("wire", &[&["responses", "vault", "error"], PARTS, GROUND]),
    ("testkit", &[&["wire", "vault", "error"], PARTS, GROUND]),
    ("frontends", &[&["cli", "wire", "vault", "error", "crypto", "model", "secret", "env"]]),
    ("cli", &[&["responses", "vault", "error"], PARTS, GROUND]),
];

/// Crates and parts of std with the only places that may name them.
const ONE_PLACE: &[(&str, &[&str])] = &[
    ("sled", &["store"]),
    ("bincode", &["codec.rs"]),
    ("chacha20poly1305", &["crypto"]),
    ("argon2", &["crypto"]),
    ("hkdf", &["crypto"]),
    // Besides keys: SigV4 is made of them, and a twin's checksum finds rot without any key.
    ("hmac", &["crypto", "wire/sigv4"]),
    ("sha2", &["crypto", "wire/sigv4", "log/files/twin"]),
    ("getrandom", &["env"]),
    ("shuttle", &["env"]),
    // Besides files: terminals and signals.
    ("rustix", &["env", "cli"]),
    ("std::fs", &["env"]),
    ("SystemTime", &["env"]),
    ("tokio", &["wire"]),
    ("hyper", &["wire"]),
    ("http_body_util", &["wire"]),
    ("serde_json", &["responses", "wire", "cli", "testkit"]),
    ("arbitrary", &["testkit"]),
    ("clap", &["cli"]),
    ("rpassword", &["cli"]),
    ("ctrlc", &["cli"]),
    ("tracing", &["wire", "cli"]),
    ("tracing_subscriber", &["cli"]),
    ("zeroizing_alloc", &["main.rs"]),
];

/// Where a file belongs: what opens a layer to tests is a child of that layer.
fn place(path: &str) -> &str {
    path.strip_prefix("internals/").filter(|below| *below != "mod.rs").unwrap_or(path)
}

/// The modules at the crate's root that `code` names, by `crate::x` or `use crate::{x, y}`.
fn crate_modules(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    let word = |text: &str| -> String {
        text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
    };
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        let Some(inner) = rest.strip_prefix('{') else {
            found.push(word(rest));
            continue;
        };
        // The first word of each item at the outermost level of the braces.
        let (mut depth, mut start) = (0, true);
        for (at, c) in inner.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => start = true,
                c if start && depth == 0 && !c.is_whitespace() => {
                    found.push(word(&inner[at..]));
                    start = false;
                }
                _ => {}
            }
        }
    }
    found
}

#[test]
fn imports_point_down() {
    let mut wrong = Vec::new();
    let layers: Vec<&str> = MAY_USE.iter().map(|(layer, _)| *layer).collect();
    for source in sources() {
        let layer = place(&source.path).split(['/', '.']).next().unwrap();
        let Some((_, allowed)) = MAY_USE.iter().find(|(name, _)| *name == layer) else {
            assert!(
                ["lib", "main", "internals"].contains(&layer),
                "{} belongs to no layer",
                source.path
            );
            continue;
        };
        for used in crate_modules(&source.code) {
            if layers.contains(&used.as_str())
                && used != layer
                && !allowed.concat().contains(&used.as_str())
            {
                wrong.push(format!("{} names `{used}`", source.path));
            }
        }
        // `super` that climbs out of the layer would be an import that the above does not see.
        let depth = place(&source.path).split('/').filter(|part| *part != "mod.rs").count();
        let climb = "super::".repeat(depth);
        if source.code.contains(&climb) {
            wrong.push(format!("{} climbs to the root by `super`", source.path));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn dangerous_calls_stay_in_their_modules() {
    let mut wrong = Vec::new();
    for source in sources() {
        for (word, places) in ONE_PLACE {
            let allowed = places.iter().any(|allowed| place(&source.path).starts_with(allowed));
            if !allowed && names(&source.code, word) {
                wrong.push(format!("{} names `{word}`", source.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn semantics_touches_neither_bytes_nor_clock_nor_disk() {
    for source in sources().iter().filter(|source| source.path.starts_with("semantics")) {
        for word in ["SecretBytes", "SecretValue", "Clock", "Entropy", "Fs", "File", "expose"] {
            assert!(!names(&source.code, word), "{} names `{word}`", source.path);
        }
    }
}

#[test]
fn plaintext_leaves_the_fence_only_with_a_reason() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut silent = Vec::new();
    for source in sources().iter().filter(|source| source.path != "secret.rs") {
        let text = std::fs::read_to_string(root.join(&source.path)).unwrap();
        let lines: Vec<&str> = without_tests(&text).lines().collect();
        for (at, line) in lines.iter().enumerate() {
            if line.contains(".expose()") && !line.trim_start().starts_with("//") {
                let near = &lines[at.saturating_sub(12)..=at];
                if !near.iter().any(|line| line.contains("EXPOSE:")) {
                    silent.push(format!("{}:{}", source.path, at + 1));
                }
            }
        }
    }
    assert!(silent.is_empty(), "exposed without saying why: {silent:#?}");
}

#[test]
fn this_test_would_notice() {
    assert_eq!(
        crate_modules("use crate::{store, model::{Lsn, Tree}, log};"),
        ["store", "model", "log"]
    );
    assert_eq!(crate_modules("crate::vault::open()"), ["vault"]);
    assert!(names("use sled::Db;", "sled") && !names("unsled::x; sled_store", "sled"));
    assert!(!names(&bare("// sled\nlet x = \"sled\";"), "sled"));
}
