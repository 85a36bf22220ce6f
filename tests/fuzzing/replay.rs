//! Replays what is committed, and a little more.

use std::collections::BTreeSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use strongroom_fuzz_bodies::{TARGETS, run};

/// Executions of the seeded run, a target.
const EXECUTIONS: u64 = 5_000;
/// No input of a seeded run is longer.
const BYTES_MAX: usize = 4096;

pub fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(name)
}

/// The files of a folder with their contents, by name; none if there is no such folder.
pub fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<(String, Vec<u8>)> = entries
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(path).unwrap())
        })
        .collect();
    files.sort();
    files
}

/// Runs one input; says which if it breaks a promise.
fn replay(target: &str, what: &str, bytes: &[u8]) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| run(target, bytes))) {
        eprintln!("target {target}, {what}: {bytes:?}");
        std::panic::resume_unwind(panic);
    }
}

/// Numbers that follow from a seed (SplitMix64).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let word = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ word >> 31
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound.max(1) as u64).unwrap()
    }
}

/// A seed file with a few changes: bits, bytes, cuts, and pieces of another file.
fn changed(dice: &mut Dice, seeds: &[(String, Vec<u8>)]) -> Vec<u8> {
    let any = |dice: &mut Dice| seeds.get(dice.below(seeds.len())).map(|(_, bytes)| bytes.clone());
    let mut bytes = any(dice).unwrap_or_default();
    for _ in 0..=dice.below(4) {
        let at = dice.below(bytes.len());
        match dice.below(6) {
            0 if !bytes.is_empty() => bytes[at] ^= 1 << dice.below(8),
            1 if !bytes.is_empty() => bytes[at] = dice.next().to_le_bytes()[0],
            2 => bytes.truncate(at),
            3 => {
                let new: Vec<u8> =
                    (0..dice.below(9)).map(|_| dice.next().to_le_bytes()[0]).collect();
                bytes.splice(at..at, new);
            }
            4 => {
                let other = any(dice).unwrap_or_default();
                let from = dice.below(other.len());
                let to = from + dice.below((other.len() - from).min(64));
                bytes.splice(at..at, other[from..to].iter().copied());
            }
            _ => {
                let to = (at + dice.below(16)).min(bytes.len());
                bytes.drain(at..to);
            }
        }
    }
    bytes.truncate(BYTES_MAX);
    bytes
}

#[test]
fn every_corpus_and_every_past_crash_holds() {
    for target in TARGETS {
        for place in ["corpus", "regressions"] {
            for (name, bytes) in files(&folder(place).join(target.name)) {
                replay(target.name, &format!("{place}/{}/{name}", target.name), &bytes);
            }
        }
    }
}

#[test]
fn a_seeded_run_of_every_target_holds() {
    for target in TARGETS {
        let started = std::time::Instant::now();
        let seeds = files(&folder("corpus").join(target.name));
        for number in 0..EXECUTIONS {
            let bytes = changed(&mut Dice(number), &seeds);
            replay(target.name, &format!("number {number}"), &bytes);
        }
        println!("{}: {} seeds, {:?}", target.name, seeds.len(), started.elapsed());
    }
}

/// A target that is in one place only is run by nobody or by half.
#[test]
fn all_places_name_the_same_targets() {
    let names: BTreeSet<String> = TARGETS.iter().map(|target| target.name.to_owned()).collect();
    assert!(TARGETS.is_sorted_by(|a, b| a.name < b.name), "in the order of the alphabet");
    let in_folder = |name: &str, end: &str| -> BTreeSet<String> {
        let entries = fs::read_dir(folder(name)).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.map(|name| name.strip_suffix(end).unwrap_or(&name).to_owned()).collect()
    };
    assert_eq!(in_folder("fuzz_targets", ".rs"), names, "fuzz/fuzz_targets");
    assert_eq!(in_folder("corpus", ""), names, "fuzz/corpus");
    let manifest = fs::read_to_string(folder("Cargo.toml")).unwrap();
    let bins =
        manifest.lines().filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'));
    let bins: BTreeSet<String> =
        bins.filter(|name| *name != "strongroom-fuzz").map(str::to_owned).collect();
    assert_eq!(bins, names, "fuzz/Cargo.toml");
    for name in &names {
        let file = fs::read_to_string(folder("fuzz_targets").join(format!("{name}.rs"))).unwrap();
        assert!(file.contains(&format!("run(\"{name}\", bytes)")), "{name}.rs runs another target");
        assert!(!files(&folder("corpus").join(name)).is_empty(), "{name} has seeds");
    }
    for name in in_folder("regressions", "").iter().chain(&in_folder("dictionaries", ".dict")) {
        assert!(names.contains(name), "{name} is no target");
    }
}
