//! The same damages on real files beside sled, and damage to sled's own files. Child processes open the
//! vaults, because sled may panic, abort or hang on damaged files.

use super::cases::{Case, Cases, Files, Kind, class};
use super::subject::dump;
use crate::common::folder;
use crate::common::rng::Rng;
use crate::common::search::files_below;
use crate::common::world::{self, Setup};
use crate::{common, figures};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;
use strongroom::__internals::error::ErrorKind;
use strongroom::__internals::model::api::{CreateSecret, PutSecretValue};
use strongroom::__internals::secret::SecretValue;

pub const SECRETS: usize = 4;

/// Three sessions: frames; a compaction; frames behind the snapshot. A copy is kept of the second.
fn live(dir: &Path) {
    std::fs::create_dir_all(dir).unwrap();
    let (home, key_path) = (dir.join("vault"), dir.join("key"));
    let mut vault = world::create_in(&home, &key_path, &Setup::default()).unwrap();
    let key = world::key_of(&key_path);
    for session in 0..3 {
        if session > 0 {
            vault = world::open_in(&home, &key, &Setup::default()).unwrap();
        }
        for n in 0..SECRETS {
            let name = format!("damage/{n}");
            if session == 0 {
                let mut request = CreateSecret::new(&name);
                request.client_request_token = Some(format!("{n:c>40}"));
                vault.create_secret(request).unwrap();
            }
            let value = SecretValue::text(format!("value {session} of {n}"));
            let mut request = PutSecretValue::new(&name, value);
            request.client_request_token = Some(format!("r{session}n{n:0>37}"));
            vault.put_secret_value(request).unwrap();
        }
        if session == 1 {
            vault.maintain().unwrap();
        }
        vault.close().unwrap();
        if session == 1 {
            folder::copy(&home, &dir.join("older"));
        }
    }
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
        let outcome = match world::open_in(&dir.join("vault"), &key, &Setup::default()) {
            Ok(vault) => match dump(&vault) {
                Ok(text) => {
                    std::fs::write(dir.join("dump"), text).unwrap();
                    vault.close().map_or_else(|error| format!("close {error}"), |()| "dump".into())
                }
                Err(error) => format!("read {:?}", error.kind()),
            },
            Err(error) if matches!(error.kind(), ErrorKind::Damaged { .. }) => {
                format!("reported {error}")
            }
            Err(error) => format!("open {:?}", error.kind()),
        };
        println!("outcome {outcome}");
    }
}

/// A child that opens vaults; started anew when one kills it.
struct Opener(Option<(Child, ChildStdin, Receiver<String>)>);

#[derive(Debug, PartialEq)]
pub enum Seen {
    Dump(String),
    /// A typed error that names the file.
    Reported(String),
    Error(String),
    /// The process died or hung.
    Dead(String),
}

impl Opener {
    fn open(&mut self, dir: &Path) -> Seen {
        let (child, stdin, lines) = self.0.get_or_insert_with(start);
        writeln!(stdin, "{}", dir.display()).unwrap();
        match lines.recv_timeout(Duration::from_secs(30)) {
            Ok(outcome) if outcome == "dump" => {
                Seen::Dump(std::fs::read_to_string(dir.join("dump")).unwrap())
            }
            Ok(outcome) if outcome.starts_with("reported ") => Seen::Reported(outcome),
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

impl Drop for Opener {
    fn drop(&mut self) {
        if let Some((mut child, stdin, _)) = self.0.take() {
            drop(stdin);
            let _ = child.wait();
        }
    }
}

fn start() -> (Child, ChildStdin, Receiver<String>) {
    let mut child = common::child("damage::real::child", "open")
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
}

fn files(root: &Path) -> Files {
    let mut files: Files = files_below(root)
        .into_iter()
        .map(|path| {
            let bytes = std::fs::read(&path).unwrap();
            (path.strip_prefix(root).unwrap().to_owned(), bytes)
        })
        .collect();
    files.sort();
    files
}

/// The pristine vault, what it answers, and a child that opens copies of it.
pub struct Bench {
    _dir: tempfile::TempDir,
    root: PathBuf,
    pub copy: PathBuf,
    pub right: String,
    opener: Opener,
}

impl Bench {
    pub fn new() -> Self {
        // In memory where there is such a place: a case copies the whole vault.
        let shm = Path::new("/dev/shm");
        let dir = if shm.is_dir() { tempfile::tempdir_in(shm) } else { tempfile::tempdir() };
        let dir = dir.unwrap();
        let root = dir.path().to_owned();
        live(&root.join("pristine"));
        let mut opener = Opener(None);
        let copy_dir = root.join("copy");
        folder::copy(&root.join("pristine"), &copy_dir);
        let Seen::Dump(right) = opener.open(&copy_dir) else { panic!("the pristine vault") };
        assert_eq!(right.lines().count(), SECRETS * 4);
        Self { _dir: dir, root, copy: copy_dir, right, opener }
    }

    fn cases(&self) -> Cases {
        live(&self.root.join("other"));
        let home = self.root.join("pristine");
        let older = files(&home.join("older"));
        Cases::new(files(&home.join("vault")), vec![older], files(&self.root.join("other/vault")))
    }

    /// Opens a fresh copy that `damage` was done to. A second try is allowed after a process that
    /// died: that is what the mark beside the state is for.
    pub fn after(&mut self, damage: impl FnOnce(&Path)) -> Seen {
        folder::copy(&self.root.join("pristine"), &self.copy);
        damage(&self.copy.join("vault"));
        match self.opener.open(&self.copy) {
            Seen::Dead(_) => self.opener.open(&self.copy),
            seen => seen,
        }
    }

    pub fn must_answer(&mut self, what: &str, damage: impl FnOnce(&Path)) {
        match self.after(damage) {
            Seen::Dump(seen) => assert!(seen == self.right, "{what}: other answers"),
            other => panic!("{what}: {other:?}"),
        }
    }
}

fn apply(cases: &Cases, case: &Case, vault: &Path) {
    let path = vault.join(&case.path);
    match cases.content(case) {
        None => std::fs::remove_file(path).unwrap(),
        Some(bytes) => std::fs::write(path, bytes).unwrap(),
    }
}

/// Each file gets its share: seed by seed the next one, a case of it by chance.
#[test]
fn damage_to_any_one_file_beside_sled_is_repaired() {
    let mut bench = Bench::new();
    let cases = bench.cases();
    let seeds = figures::seeds(48, 400);
    let mut table: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    let mut reported = Vec::new();
    for seed in seeds.clone() {
        let mut rng = Rng::new(seed);
        let of_file = cases.of_file(usize::try_from(seed).unwrap());
        // The last few numbers of a file are those of the whole file: as often as all the others.
        let range = if seed % 2 == 0 { of_file.clone() } else { of_file.end - 10..of_file.end };
        let case = cases.get(rng.range(range.start.max(of_file.start)..range.end));
        match bench.after(|vault| apply(&cases, &case, vault)) {
            Seen::Dump(seen) => assert!(seen == bench.right, "seed {seed}, {case}: other answers"),
            Seen::Reported(what) => reported.push(format!("seed {seed}, {case}: {what}")),
            other => panic!("seed {seed}, {case}: {other:?}"),
        }
        *table.entry((case.class, case.kind.word())).or_default() += 1;
    }
    for ((class, kind), count) in &table {
        println!("{class:<9} {kind:<14} {count:>6}");
    }
    assert!(
        reported.is_empty(),
        "{} reported: {:#?}",
        reported.len(),
        &reported[..reported.len().min(20)]
    );
    let of_state = table.iter().filter(|((class, _), _)| *class == "state").map(|(_, n)| n).sum();
    let count = seeds.end - seeds.start;
    figures::tell(
        "damage beside sled",
        &seeds,
        &[("cases", count), ("repaired", count), ("of sled's own files", of_state)],
    );
}

#[test]
fn a_state_that_is_missing_or_whose_opening_never_ended_changes_no_answer() {
    let mut bench = Bench::new();
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
    let cases = bench.cases();
    for at in 0..cases.files() {
        let of_file = cases.of_file(at);
        if class(&cases.get(of_file.start).path) != "state" {
            continue;
        }
        for case in (of_file.end - 10..of_file.end).map(|number| cases.get(number)) {
            if !matches!(case.kind, Kind::Flip { .. }) {
                bench.must_answer(&case.to_string(), |vault| apply(&cases, &case, vault));
            }
        }
    }
}

/// A whole state of another vault that has done more: it says nothing about this one.
#[test]
fn a_state_of_another_vault_that_is_further_on_is_made_anew() {
    let mut bench = Bench::new();
    let other = bench.root.join("further");
    live(&other);
    let key = world::key_of(&other.join("key"));
    let vault = world::open_in(&other.join("vault"), &key, &Setup::default()).unwrap();
    for n in 0..40 {
        let request = PutSecretValue::new("damage/0", SecretValue::text(format!("more {n}")));
        vault.put_secret_value(request).unwrap();
    }
    vault.close().unwrap();
    bench.must_answer("another vault's state", |vault| {
        folder::copy(&other.join("vault/state"), &vault.join("state"));
    });
}
