//! Schedules on a simulated disk: every opener in this process, without threads.

use super::schedule::{Answer, Counts, Ground, Id, Refusal, VAULT, run};
use crate::figures;
use crate::simulation::machine::{options_of, unlock};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use strongroom::__internals::crypto::{Unlock, key_file};
use strongroom::__internals::env::faults::{Fault, Faults};
use strongroom::__internals::env::{FileKind, Fs, OpenMode};
use strongroom::__internals::error::{Error, ErrorKind, Result};
use strongroom::__internals::vault::{Vault, VaultDir};
use strongroom_fuzz_bodies::env::sim::Sim;

struct Simulated {
    sim: Sim,
    faults: Faults,
    key: Vec<u8>,
    /// The same file system, asked as a trait.
    fs: Arc<dyn Fs>,
}

fn path(path: &str) -> PathBuf {
    Path::new("/").join(path)
}

fn refusal(error: &Error) -> Refusal {
    match error.kind() {
        ErrorKind::InUse { .. } => Refusal::InUse,
        ErrorKind::Displaced { .. } => Refusal::Displaced,
        _ => Refusal::Other(error.to_string()),
    }
}

fn answer<T>(outcome: Result<T>) -> Answer<T> {
    outcome.map_err(|error| refusal(&error))
}

impl Simulated {
    fn new(seed: u64, faults: Faults) -> Self {
        let sim = Sim::volatile(seed);
        let fs: Arc<dyn Fs> = sim.fs.clone();
        let mut ground = Self { sim, faults, key: Vec::new(), fs };
        let options = options_of(ground.sim.env(), Faults::none());
        let mut kept = Vec::new();
        let made = VaultDir::make(&path(VAULT), &options).unwrap().create(|id| {
            let key = key_file::generate(id, ground.sim.entropy.as_ref()).unwrap();
            kept = key.expose().to_vec();
            Ok(Unlock::KeyFile(key))
        });
        made.unwrap().close().unwrap();
        ground.key = kept;
        ground
    }

    fn copy_file(&self, from: &Path, to: &Path) {
        let bytes = self.sim.fs.read_all(from).unwrap();
        self.fs.open(to, OpenMode::CreateNew).unwrap().write_all_at(&bytes, 0).unwrap();
    }

    fn copy_all(&self, from: &Path, to: &Path) {
        self.fs.create_dir(to).unwrap();
        for entry in self.fs.read_dir(from).unwrap() {
            let (from, to) = (from.join(&entry.name), to.join(&entry.name));
            match entry.kind {
                FileKind::Dir => self.copy_all(&from, &to),
                _ => self.copy_file(&from, &to),
            }
        }
    }
}

impl Ground for Simulated {
    type Holder = Vault;

    fn open(&mut self) -> Answer<Vault> {
        let options = options_of(self.sim.env(), self.faults);
        answer(options.open(&path(VAULT), &unlock(&self.key)))
    }
    fn put(&mut self, holder: &mut Vault, name: &str) -> Answer<()> {
        // Every third one is long, so that segments end.
        let len = if name.len().is_multiple_of(3) { 3_000 } else { 10 };
        answer(holder.put(name, "v".repeat(len)).map(drop))
    }
    fn look(&mut self, holder: &mut Vault) -> Answer<()> {
        answer(holder.ready())
    }
    fn has(&mut self, holder: &mut Vault, name: &str) -> bool {
        holder.get(name).is_ok()
    }
    fn maintain(&mut self, holder: &mut Vault) {
        let _ = holder.maintain();
    }
    fn close(&mut self, holder: Vault) -> Answer<()> {
        answer(holder.close())
    }
    fn kill(&mut self, holder: Vault) {
        drop(holder);
    }

    fn id(&self, of: &str) -> Option<Id> {
        self.fs.metadata(&path(of)).unwrap().map(|found| found.identity.1)
    }
    fn folders(&self) -> Vec<String> {
        self.fs.read_dir(Path::new("/")).unwrap().into_iter().map(|entry| entry.name).collect()
    }
    fn rename(&mut self, from: &str, to: &str) {
        self.fs.rename(&path(from), &path(to)).unwrap();
    }
    fn copy(&mut self, from: &str, to: &str) {
        self.copy_all(&path(from), &path(to));
    }
    fn copies_open_folders_whole(&self) -> bool {
        true
    }
    fn remove_folder(&mut self, of: &str) {
        self.fs.remove_dir_all(&path(of)).unwrap();
    }
    fn remove_file(&mut self, of: &str) {
        self.fs.remove_file(&path(of)).unwrap();
    }
    fn exchange(&mut self, of: &str) {
        let new = path(&format!("{of}.new"));
        self.copy_file(&path(of), &new);
        self.fs.rename(&new, &path(of)).unwrap();
    }
    fn content(&self, folder: &str) -> Vec<(String, u64)> {
        let paths = self.sim.fs.paths().into_iter();
        let inside = paths.filter_map(|file| {
            let name = file.strip_prefix(path(folder)).ok()?.to_str()?.to_owned();
            let bytes = self.sim.fs.read_all(&file).unwrap();
            let (words, rest) = bytes.as_chunks::<8>();
            let words = words.iter().map(|word| u64::from_le_bytes(*word));
            let all = words.chain(rest.iter().map(|byte| u64::from(*byte)));
            let hash = all.fold(bytes.len() as u64, |hash, word| {
                (hash.rotate_left(29) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15)
            });
            Some((name, hash))
        });
        inside.collect()
    }
}

/// The first violation, with its seed.
fn violation(faults: Faults, seeds: std::ops::Range<u64>, counts: &mut Counts) -> Option<String> {
    seeds.into_iter().find_map(|seed| {
        let outcome = run(&mut Simulated::new(seed, faults), seed, counts);
        outcome.err().map(|why| format!("seed {seed}: {why}"))
    })
}

#[test]
fn no_schedule_of_moves_copies_and_openers_loses_or_writes_what_it_must_not() {
    let seeds = figures::seeds(100, 200);
    let mut counts = Counts::default();
    assert_eq!(violation(Faults::none(), seeds.clone(), &mut counts), None);
    assert!(counts.displaced > 0 && counts.kept_out > 0 && counts.folders_read > 0);
    counts.tell("displaced, simulated", &seeds);
}

#[test]
fn a_lock_that_follows_the_path_is_caught() {
    let faults = Fault::LockFollowsPath.into();
    let found: Vec<String> = (1..40)
        .filter_map(|seed| violation(faults, seed..seed + 1, &mut Counts::default()))
        .collect();
    // In more than one way: somebody gets in beside the holder, and another folder is written.
    for what in ["two openers have one folder", "it looked and did not see"] {
        assert!(found.iter().any(|why| why.contains(what)), "{what}: {found:#?}");
    }
}
