//! Damage to files. The state may be deleted, cut or changed at any byte: the next open answers
//! everything right. The truth may be damaged in any one file after a clean close: healed or a typed
//! error, never a wrong answer and never a smaller vault.
//!
//! Every opening of a damaged vault is done by a child process, since sled may panic, abort or
//! hang over bad files. `STRONGROOM_DAMAGE_SAMPLES` asks for more samples.
#![allow(clippy::pedantic, clippy::unwrap_used, clippy::indexing_slicing)]
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::result_large_err)]
#![allow(clippy::zombie_processes, clippy::needless_range_loop, clippy::type_complexity)]
#![allow(dead_code, unreachable_pub, missing_docs)]

mod common;

use common::rng::Rng;
use common::search::files_below;
use common::server::BIN;
use common::world::{self, Setup};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;
use strongroom::model::Scope;
use strongroom::model::api::{
    CreateSecret, GetSecretValue, ListSecretVersionIds, ListSecrets, PutSecretValue,
};
use strongroom::secret::SecretValue;
use strongroom::vault::Vault;

const SECRETS: usize = 12;

fn setup() -> Setup {
    Setup { background: false, segment_bytes: (16 << 10, 64 << 10), sabotage: None }
}

/// A closed vault with a history: versions, labels, a snapshot and frames after it.
fn pristine(dir: &Path) {
    let mut vault = world::create_in(&dir.join("vault"), &dir.join("key"), &setup()).unwrap();
    let key = world::key_of(&dir.join("key"));
    for round in 0..6 {
        for n in 0..SECRETS {
            let name = format!("damage/{n}");
            if round == 0 {
                let mut request = CreateSecret::new(&name);
                request.client_request_token = Some(format!("{n:c>40}"));
                request.description = Some(format!("secret {n}"));
                vault.create_secret(&Scope::default(), request).unwrap();
            }
            let value = format!("value {round} of {n}").repeat(1 + n * 40);
            let mut request = PutSecretValue::new(&name, SecretValue::text(value));
            request.client_request_token = Some(format!("r{round}n{n:0>37}"));
            vault.put_secret_value(&Scope::default(), request).unwrap();
        }
        if round == 3 {
            vault.maintain().unwrap();
            vault.close().unwrap();
            vault = world::open_in(&dir.join("vault"), &key, &setup()).unwrap();
        }
    }
    vault.close().unwrap();
}

/// Everything that can be read, as text.
fn dump(vault: &Vault) -> strongroom::error::Result<String> {
    let scope = Scope::default();
    let mut text = String::new();
    for secret in vault.list_secrets(&scope, &ListSecrets::default())?.secrets {
        text.push_str(&format!("{secret:?}\n"));
        let request = ListSecretVersionIds {
            secret_id: secret.name.clone(),
            include_deprecated: Some(true),
            ..ListSecretVersionIds::default()
        };
        for version in vault.list_secret_version_ids(&scope, &request)?.versions {
            text.push_str(&format!("  {version:?}\n"));
            let mut request = GetSecretValue::new(&secret.name);
            request.version_id = Some(version.version_id.to_string());
            let got = vault.get_secret_value(&scope, &request)?;
            text.push_str(&format!("  {}\n", String::from_utf8_lossy(got.value.bytes().expose())));
        }
    }
    // Reading leaves marks of its own.
    Ok(text.replace("last_accessed_date: None", "").split("last_accessed_date: Some").collect())
}

/// The child: opens vault after vault, whose folders come on standard input, and says what it saw.
#[test]
fn child() {
    if common::child_task().is_none() {
        return;
    }
    for dir in std::io::stdin().lines() {
        let dir = PathBuf::from(dir.unwrap());
        let key = std::fs::read(dir.join("key")).unwrap();
        let outcome = match world::open_in(&dir.join("vault"), &key, &setup()) {
            Ok(vault) => match dump(&vault) {
                Ok(text) => {
                    std::fs::write(dir.join("dump"), text).unwrap();
                    match vault.close() {
                        Ok(()) => "dump".to_owned(),
                        Err(error) => format!("close {error}"),
                    }
                }
                Err(error) => format!("read {:?}", error.kind()),
            },
            Err(error) => format!("open {:?}", error.kind()),
        };
        println!("outcome {outcome}");
    }
}

/// A child that opens vaults; started anew when one kills it.
struct Opener(Option<(Child, ChildStdin, Receiver<String>)>);

#[derive(Debug, PartialEq)]
enum Seen {
    Dump(String),
    Error(String),
    /// The process died or hung.
    Dead(String),
}

impl Opener {
    fn open(&mut self, dir: &Path) -> Seen {
        let (child, stdin, lines) = self.0.get_or_insert_with(|| {
            let mut child = common::child("child", "open")
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            let out = BufReader::new(child.stdout.take().unwrap());
            let (send, lines) = mpsc::channel();
            std::thread::spawn(move || {
                for line in out.lines().map_while(Result::ok) {
                    if let Some((_, outcome)) = line.split_once("outcome ") {
                        let _ = send.send(outcome.to_owned());
                    }
                }
            });
            let stdin = child.stdin.take().unwrap();
            (child, stdin, lines)
        });
        writeln!(stdin, "{}", dir.display()).unwrap();
        match lines.recv_timeout(Duration::from_secs(30)) {
            Ok(outcome) if outcome == "dump" => {
                Seen::Dump(std::fs::read_to_string(dir.join("dump")).unwrap())
            }
            Ok(outcome) => Seen::Error(outcome),
            Err(error) => {
                let _ = child.kill();
                let status = child.wait();
                self.0 = None;
                Seen::Dead(format!("{error} {status:?}"))
            }
        }
    }
}

fn copy(from: &Path, to: &Path) {
    let _ = std::fs::remove_dir_all(to);
    let status = Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap();
    assert!(status.success());
}

/// The pristine vault, what it answers, and a child that opens copies of it.
struct Bench {
    _dir: tempfile::TempDir,
    pristine: PathBuf,
    copy: PathBuf,
    right: String,
    opener: Opener,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (home, copy_dir) = (dir.path().join("pristine"), dir.path().join("copy"));
        std::fs::create_dir(&home).unwrap();
        pristine(&home);
        let mut opener = Opener(None);
        copy(&home, &copy_dir);
        let Seen::Dump(right) = opener.open(&copy_dir) else { panic!("the pristine vault") };
        assert!(right.len() > 10_000);
        Self { _dir: dir, pristine: home, copy: copy_dir, right, opener }
    }

    /// Opens a fresh copy that `damage` was done to. A second try is allowed after a process that
    /// died: that is what the mark beside the state is for.
    fn after(&mut self, damage: impl FnOnce(&Path)) -> Seen {
        copy(&self.pristine, &self.copy);
        damage(&self.copy.join("vault"));
        match self.opener.open(&self.copy) {
            Seen::Dead(_) => self.opener.open(&self.copy),
            seen => seen,
        }
    }

    fn must_answer(&mut self, what: &str, damage: impl FnOnce(&Path)) {
        let right = self.right.clone();
        match self.after(damage) {
            Seen::Dump(seen) => assert!(seen == right, "{what}: other answers"),
            other => panic!("{what}: {other:?}"),
        }
    }

    /// Right answers or a typed error; counts which.
    fn never_wrong(&mut self, what: &str, damage: impl FnOnce(&Path)) -> bool {
        let right = self.right.clone();
        match self.after(damage) {
            Seen::Dump(seen) => {
                assert!(seen == right, "{what}: other answers than before the damage");
                true
            }
            Seen::Error(kind) => {
                assert!(kind.starts_with("open "), "{what}: opened and then {kind}");
                assert!(
                    kind.contains("Damaged") || kind.contains("WrongKey") || kind.contains("Newer"),
                    "{what}: {kind}"
                );
                false
            }
            Seen::Dead(how) => panic!("{what}: {how}"),
        }
    }

    /// Files of the pristine vault with their lengths, relative to the vault.
    fn files(&self, below: &str) -> Vec<(PathBuf, u64)> {
        let root = self.pristine.join("vault");
        let files = files_below(&root.join(below)).into_iter();
        files
            .map(|path| {
                let len = std::fs::metadata(&path).unwrap().len();
                (path.strip_prefix(&root).unwrap().to_owned(), len)
            })
            .collect()
    }
}

fn flip(path: &Path, offset: u64, bit: u32) {
    use std::os::unix::fs::FileExt;
    let file = std::fs::OpenOptions::new().read(true).write(true).open(path).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, offset).unwrap();
    byte[0] ^= 1 << bit;
    file.write_all_at(&byte, offset).unwrap();
}

fn cut(path: &Path, len: u64) {
    std::fs::OpenOptions::new().write(true).open(path).unwrap().set_len(len).unwrap();
}

fn samples(default: u64) -> u64 {
    common::env_number("STRONGROOM_DAMAGE_SAMPLES", default)
}

#[test]
fn a_damaged_state_changes_no_answer() {
    let mut bench = Bench::new();
    let mut rng = Rng::new(21);
    bench.must_answer("state deleted", |vault| {
        std::fs::remove_dir_all(vault.join("state")).unwrap();
    });
    bench.must_answer("state emptied", |vault| {
        std::fs::remove_dir_all(vault.join("state")).unwrap();
        std::fs::create_dir(vault.join("state")).unwrap();
    });
    bench.must_answer("a mark of an open that never ended", |vault| {
        std::fs::write(vault.join("state.opening"), b"").unwrap();
    });
    let files = bench.files("state");
    assert!(!files.is_empty(), "sled is in use");
    for (path, len) in &files {
        bench.must_answer(&format!("{path:?} deleted"), |vault| {
            std::fs::remove_file(vault.join(path)).unwrap();
        });
        for to in [0, 1, len / 2, len.saturating_sub(1)] {
            bench.must_answer(&format!("{path:?} cut to {to}"), |vault| cut(&vault.join(path), to));
        }
    }
    let total: u64 = files.iter().map(|(_, len)| len).sum();
    for _ in 0..samples(120) {
        // Every file gets its share; small ones at least as often as if they had 4 KiB.
        let (path, len) = rng.pick(&files).clone();
        if len == 0 {
            continue;
        }
        let (offset, bit) = (rng.range(0..len), u32::try_from(rng.below(8)).unwrap());
        let what = format!("{path:?} bit {bit} of byte {offset} flipped");
        bench.must_answer(&what, |vault| flip(&vault.join(&path), offset, bit));
    }
    println!("state: {} files, {total} bytes", files.len());
}

/// After a clean close every file of the truth exists with something beside it that can stand in
/// for it, so that damage to one file loses nothing.
#[test]
fn damage_to_any_one_file_of_the_truth_is_healed_or_told() {
    let mut bench = Bench::new();
    let mut rng = Rng::new(22);
    let mut files = bench.files("log");
    for name in ["keystore.a", "keystore.b", "manifest.a", "manifest.b", "reserve"] {
        let path = PathBuf::from(name);
        let len = std::fs::metadata(bench.pristine.join("vault").join(&path)).unwrap().len();
        files.push((path, len));
    }
    let mut table: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    let share = samples(140) / files.len() as u64 + 4;
    for (path, len) in &files {
        let mut count = |healed: bool| {
            let entry = table.entry(path.display().to_string()).or_default();
            if healed { entry.0 += 1 } else { entry.1 += 1 }
        };
        let name = path.display();
        count(bench.never_wrong(&format!("{name} deleted"), |vault| {
            std::fs::remove_file(vault.join(path)).unwrap();
        }));
        for to in [0, len / 2, len.saturating_sub(1)] {
            count(bench.never_wrong(&format!("{name} cut to {to}"), |vault| {
                cut(&vault.join(path), to);
            }));
        }
        for _ in 0..share {
            let (offset, bit) = (rng.range(0..*len), u32::try_from(rng.below(8)).unwrap());
            let what = format!("{name} bit {bit} of byte {offset} flipped");
            count(bench.never_wrong(&what, |vault| flip(&vault.join(path), offset, bit)));
        }
    }
    for (file, (healed, told)) in &table {
        println!("{file:<24} right {healed:>3}, damage told {told:>3}");
    }
    let told: u64 = table.values().map(|(_, told)| told).sum();
    assert_eq!(told, 0, "one damaged file of a cleanly closed vault is healed with nothing lost");
}

/// Without a clean close, and without the state, the newest segment is the only copy of what is in
/// it: its loss is damage, exit 7, and the vault is never opened smaller.
#[test]
fn a_missing_newest_segment_is_damage_and_never_a_smaller_vault() {
    let mut bench = Bench::new();
    let newest = |vault: &Path| {
        let mut segments: Vec<_> = files_below(&vault.join("log"))
            .into_iter()
            .filter(|path| path.extension().is_some_and(|end| end == "wal"))
            .collect();
        segments.sort_by_key(|path| std::fs::metadata(path).unwrap().modified().unwrap());
        segments.pop().unwrap()
    };
    bench.never_wrong("newest segment deleted", |vault| {
        std::fs::remove_file(newest(vault)).unwrap();
    });
    // Now nothing is left to heal from.
    let seen = bench.after(|vault| {
        std::fs::remove_file(newest(vault)).unwrap();
        std::fs::remove_dir_all(vault.join("state")).unwrap();
    });
    let right = bench.right.clone();
    match seen {
        Seen::Error(kind) => assert!(kind.contains("Damaged"), "{kind}"),
        Seen::Dump(text) => assert!(text == right, "a smaller vault"),
        Seen::Dead(how) => panic!("{how}"),
    }
    // The command says so with its exit code, and check as well.
    copy(&bench.pristine, &bench.copy);
    let vault = bench.copy.join("vault");
    std::fs::remove_file(newest(&vault)).unwrap();
    std::fs::remove_dir_all(vault.join("state")).unwrap();
    for args in [&["ls"][..], &["check"]] {
        let output = Command::new(BIN)
            .args(args)
            .arg("--vault")
            .arg(&vault)
            .arg("--key-file")
            .arg(private(&bench.copy.join("key")))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let listed = String::from_utf8_lossy(&output.stdout).lines().count();
        let whole = args == ["ls"] && output.status.success() && listed == SECRETS;
        assert!(output.status.code() == Some(7) || whole, "{args:?}: {:?} {said}", output.status);
    }
}

/// Key files that others can read are refused.
fn private(path: &Path) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
    path.to_owned()
}
