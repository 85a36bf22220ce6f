//! The same schedules on a real disk: every opener is a process, with the threads and the state that a server
//! has.

use super::schedule::{Answer, Counts, Ground, Id, Refusal, VAULT, run};
use crate::common;
use crate::common::folder;
use crate::common::world::{self, Setup};
use crate::opener::Opener;
use crate::{figures, place};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use strongroom::__internals::error::{Error, ErrorKind, Result};
use strongroom::__internals::vault::Vault;

fn answer<T>(outcome: Result<T>) -> String {
    match outcome.map_err(|error: Error| error.kind().clone()) {
        Ok(_) => "ok".into(),
        Err(ErrorKind::InUse { .. }) => "in-use".into(),
        Err(ErrorKind::Displaced { .. }) => "displaced".into(),
        Err(kind) => format!("{kind:?}"),
    }
}

/// A process that opens, uses and closes the vault on command.
#[test]
fn child() {
    let Some(dir) = common::child_task() else { return };
    let dir = Path::new(&dir);
    let key = world::key_of(&dir.join("key"));
    let mut held: Option<Vault> = None;
    let mut out = std::io::stdout();
    writeln!(out, "\n@ready").unwrap();
    for line in std::io::stdin().lines().map_while(std::result::Result::ok) {
        let (order, name) = line.split_once(' ').unwrap_or((&line, ""));
        let vault = held.as_ref();
        let said = match order {
            "open" => {
                let opened = world::open_in(&dir.join("root").join(VAULT), &key, &Setup::usual());
                let said =
                    answer(opened.as_ref().map(drop).map_err(|error| error.kind().clone().into()));
                held = opened.ok();
                said
            }
            "put" => answer(vault.unwrap().put(name, "v".repeat(2_000))),
            "look" => answer(vault.unwrap().ready()),
            "has" => answer(vault.unwrap().get(name)),
            "maintain" => answer(vault.unwrap().maintain()),
            _ => answer(held.take().unwrap().close()),
        };
        writeln!(out, "@{said}").unwrap();
    }
}

fn ask(opener: &mut Opener, order: &str) -> Answer<()> {
    opener.order(order);
    match opener.answer().as_str() {
        "ok" => Ok(()),
        "in-use" => Err(Refusal::InUse),
        "displaced" => Err(Refusal::Displaced),
        other => Err(Refusal::Other(other.to_owned())),
    }
}

/// `key` and the folder `root`, in which the folders of the schedule are.
struct Real {
    dir: PathBuf,
    idle: Vec<Opener>,
}

impl Real {
    fn path(&self, path: &str) -> PathBuf {
        self.dir.join("root").join(path)
    }

    /// A fresh vault; the processes are used again.
    fn begin(&mut self) {
        let _ = std::fs::remove_dir_all(self.dir.join("root"));
        std::fs::create_dir(self.dir.join("root")).unwrap();
        folder::copy(&self.dir.join("first"), &self.path(VAULT));
    }
}

fn facts(dir: &Path, below: &str, found: &mut Vec<(String, u64)>) {
    for entry in std::fs::read_dir(dir.join(below)).unwrap().map(std::result::Result::unwrap) {
        let name = format!("{below}{}", entry.file_name().to_string_lossy());
        let meta = entry.metadata().unwrap();
        if meta.is_dir() {
            facts(dir, &format!("{name}/"), found);
        } else {
            let time = (meta.mtime() as u64).wrapping_mul(1_000_000_000) + meta.mtime_nsec() as u64;
            found.push((name, time.wrapping_mul(31).wrapping_add(meta.len()) ^ meta.ino()));
        }
    }
}

impl Ground for Real {
    type Holder = Opener;

    fn open(&mut self) -> Answer<Opener> {
        let mut opener = self.idle.pop().unwrap_or_else(|| {
            Opener::start("displaced::real::child", &self.dir.display().to_string())
        });
        match ask(&mut opener, "open") {
            Ok(()) => Ok(opener),
            Err(refusal) => {
                self.idle.push(opener);
                Err(refusal)
            }
        }
    }
    fn put(&mut self, holder: &mut Opener, name: &str) -> Answer<()> {
        ask(holder, &format!("put {name}"))
    }
    fn look(&mut self, holder: &mut Opener) -> Answer<()> {
        ask(holder, "look")
    }
    fn has(&mut self, holder: &mut Opener, name: &str) -> bool {
        ask(holder, &format!("has {name}")).is_ok()
    }
    fn maintain(&mut self, holder: &mut Opener) {
        let _ = ask(holder, "maintain");
    }
    fn close(&mut self, mut holder: Opener) -> Answer<()> {
        let closed = ask(&mut holder, "close");
        self.idle.push(holder);
        closed
    }
    fn kill(&mut self, holder: Opener) {
        drop(holder);
    }

    fn id(&self, path: &str) -> Option<Id> {
        std::fs::symlink_metadata(self.path(path)).ok().map(|found| found.ino())
    }
    fn folders(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.dir.join("root")).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }
    fn rename(&mut self, from: &str, to: &str) {
        std::fs::rename(self.path(from), self.path(to)).unwrap();
    }
    /// A process may be writing meanwhile: a file that goes is left out, as `cp` leaves it out.
    fn copy(&mut self, from: &str, to: &str) {
        let copied = std::process::Command::new("cp")
            .arg("-a")
            .args([self.path(from), self.path(to)])
            .stderr(Stdio::null())
            .status();
        copied.unwrap();
    }
    fn copies_open_folders_whole(&self) -> bool {
        false
    }
    fn remove_folder(&mut self, path: &str) {
        // A process may make a file in it meanwhile.
        while self.path(path).exists() {
            let _ = std::fs::remove_dir_all(self.path(path));
        }
    }
    fn remove_file(&mut self, path: &str) {
        std::fs::remove_file(self.path(path)).unwrap();
    }
    fn exchange(&mut self, path: &str) {
        let new = self.path(&format!("{path}.new"));
        std::fs::copy(self.path(path), &new).unwrap();
        std::fs::rename(&new, self.path(path)).unwrap();
    }
    fn content(&self, folder: &str) -> Vec<(String, u64)> {
        let mut found = Vec::new();
        facts(&self.path(folder), "", &mut found);
        found.sort();
        found
    }
}

#[test]
fn no_schedule_with_real_processes_loses_or_writes_what_it_must_not() {
    let seeds = figures::seeds(10, 12);
    let scratch = place::scratch();
    let dir = scratch.path().to_owned();
    let made = world::create_in(&dir.join("first"), &dir.join("key"), &Setup::usual()).unwrap();
    made.close().unwrap();
    drop(made);
    let mut ground = Real { dir, idle: Vec::new() };
    let mut counts = Counts::default();
    for seed in seeds.clone() {
        ground.begin();
        if let Err(why) = run(&mut ground, seed, &mut counts) {
            panic!("seed {seed}: {why}");
        }
    }
    counts.tell("displaced, real processes", &seeds);
}
