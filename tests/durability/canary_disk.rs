//! 500 canaries each of value, name, description, tag, label, token and secret access key: none is in
//! any file of the vault, live, after `kill -9`, after compaction, after closing. The same search
//! over a build whose cipher does nothing finds all of them.

use crate::common::rng::Rng;
use crate::common::search::Needles;
use crate::common::world::{self, Fault, Setup};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use strongroom::__internals::model::Tag;
use strongroom::__internals::model::api::{CreateSecret, PutSecretValue};
use strongroom::__internals::secret::SecretValue;
use strongroom::__internals::vault::Vault;

const EACH: usize = 500;
const KINDS: [&str; 8] =
    ["value", "name", "description", "tag key", "tag value", "label", "token", "secret access key"];

/// The canaries of one kind that both processes can make.
fn canaries(kind: usize) -> Vec<String> {
    let mut rng = Rng::new(7_000 + kind as u64);
    (0..EACH).map(|_| rng.word(36)).collect()
}

fn setup(null_cipher: bool) -> Setup {
    Setup {
        background: true,
        segment_bytes: (64 << 10, 256 << 10),
        fault: null_cipher.then_some(Fault::NullCipher),
        ..Setup::default()
    }
}

/// The child: fills a vault, says the access keys on standard output, then waits to be killed.
fn fill(dir: &Path, null_cipher: bool) {
    let vault =
        world::create_in(&dir.join("vault"), &dir.join("key"), &setup(null_cipher)).unwrap();
    let all: Vec<Vec<String>> = (0..7).map(canaries).collect();
    for n in 0..EACH {
        let mut request = CreateSecret::new(all[1][n].clone());
        request.description = Some(all[2][n].clone());
        request.tags = Some(vec![Tag { key: all[3][n].clone(), value: all[4][n].clone() }]);
        vault.create_secret(request).unwrap();
        let mut request = PutSecretValue::new(
            all[1][n].clone(),
            if n % 2 == 0 {
                SecretValue::text(all[0][n].clone())
            } else {
                SecretValue::binary(all[0][n].as_bytes())
            },
        );
        request.client_request_token = Some(all[6][n].clone());
        request.version_stages = Some(vec![all[5][n].clone()]);
        vault.put_secret_value(request).unwrap();
    }
    let mut out = std::io::stdout().lock();
    for _ in 0..EACH {
        let made = vault.new_credential("000000000000").unwrap();
        let text = String::from_utf8(made.secret_access_key.expose().to_vec()).unwrap();
        writeln!(out, "key {text}").unwrap();
    }
    writeln!(out, "full").unwrap();
    out.flush().unwrap();
    let _ = std::io::stdin().read(&mut [0]);
}

#[test]
fn child() {
    if let Some(task) = crate::common::child_task() {
        let (mode, dir) = task.split_once(' ').unwrap();
        fill(Path::new(dir), mode == "null");
    }
}

/// Which kinds were found, with how many canaries.
struct Search {
    needles: Needles,
}

impl Search {
    fn new(keys: Vec<String>) -> Self {
        let mut all: Vec<String> = (0..7).flat_map(canaries).collect();
        all.extend(keys);
        assert_eq!(all.len(), EACH * KINDS.len());
        Self { needles: Needles::new(&all) }
    }

    fn found(&self, dir: &Path) -> (Vec<usize>, Vec<PathBuf>) {
        let (hits, bytes) = self.needles.find_in_dir(dir);
        assert!(bytes > 500_000, "only {bytes} bytes were searched");
        let all: BTreeSet<usize> = hits.values().flatten().copied().collect();
        let per_kind = (0..KINDS.len())
            .map(|kind| all.range(kind * EACH..(kind + 1) * EACH).count())
            .collect();
        (per_kind, hits.into_keys().collect())
    }

    fn none(&self, dir: &Path, when: &str) {
        let (found, files) = self.found(dir);
        println!("{when}: {found:?} of {EACH} each");
        assert!(found.iter().all(|n| *n == 0), "{when}: {KINDS:?} {found:?} in {files:?}");
    }
}

/// Runs the child until its vault is full; the vault is live until the returned child is killed.
fn filled(dir: &Path, mode: &str) -> (std::process::Child, Search) {
    let mut child =
        crate::common::child("canary_disk::child", &format!("{mode} {}", dir.display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
    let mut keys = Vec::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        if let Some((_, key)) = line.split_once("key ") {
            keys.push(key.to_owned());
        }
        if line.ends_with("full") {
            break;
        }
    }
    (child, Search::new(keys))
}

fn maintained(dir: &Path) -> Vault {
    let key = std::fs::read(dir.join("key")).unwrap();
    let vault = world::open_in(&dir.join("vault"), &key, &setup(false)).unwrap();
    // Rewriting everything a few times makes segments end and snapshots follow.
    for _ in 0..3 {
        vault.maintain().unwrap();
    }
    vault
}

#[test]
fn no_canary_is_in_any_file() {
    let dir = tempfile::tempdir().unwrap();
    let (mut child, search) = filled(dir.path(), "real");
    let vault_dir = dir.path().join("vault");
    search.none(&vault_dir, "live");
    child.kill().unwrap();
    child.wait().unwrap();
    search.none(&vault_dir, "after kill -9");
    let vault = maintained(dir.path());
    search.none(&vault_dir, "after compaction");
    vault.close().unwrap();
    search.none(&vault_dir, "closed");
}

#[test]
fn the_same_search_finds_every_canary_when_the_cipher_does_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (mut child, search) = filled(dir.path(), "null");
    let (found, _) = search.found(&dir.path().join("vault"));
    child.kill().unwrap();
    child.wait().unwrap();
    println!("null cipher: {found:?} of {EACH} each");
    for (kind, found) in KINDS.iter().zip(found) {
        assert_eq!(found, EACH, "canaries of kind {kind}");
    }
}
