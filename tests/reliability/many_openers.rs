//! Many processes open one vault at the same time, repeatedly. Exactly one succeeds; the others fail
//! immediately and name its process. When that process is killed, the vault is free. A pid left by an
//! earlier process has no effect.

use crate::common::world::{self, Setup};
use crate::common::{self, rng::Rng};
use crate::figures;
use crate::opener::Opener;
use crate::place;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};
use strongroom::__internals::error::ErrorKind;
use strongroom::__internals::vault::{Options, Vault, VaultDir};

/// Openers that live through all rounds of a run.
const OPENERS: usize = 16;

/// A process that opens the vault on command. Without the lock it is the control, which must be caught.
#[test]
fn child() {
    let Some(task) = common::child_task() else { return };
    let (how, dir) = task.split_once(' ').unwrap();
    let dir = Path::new(dir);
    let key = world::key_of(&dir.join("key"));
    let setup = Setup { background: false, ..Setup::usual() };
    let mut held: Option<Vault> = None;
    let mut out = std::io::stdout();
    writeln!(out, "\n@ready").unwrap();
    for line in std::io::stdin().lines().map_while(Result::ok) {
        let answer = match line.as_str() {
            "open" => {
                let started = Instant::now();
                let opened = if how == "unlocked" {
                    // Another vault's folder in its place: what no lock at all would come to.
                    Ok(None)
                } else {
                    world::open_in(&dir.join("vault"), &key, &setup).map(Some)
                };
                let micros = started.elapsed().as_micros();
                match opened {
                    Ok(vault) => {
                        held = vault;
                        format!("open {micros} 0")
                    }
                    Err(error) => match error.kind() {
                        ErrorKind::InUse { pid } => {
                            format!("in-use {micros} {}", pid.unwrap_or_default())
                        }
                        _ => format!("error {micros} {error}"),
                    },
                }
            }
            _ => {
                if let Some(vault) = held.take() {
                    vault.close().unwrap();
                }
                "closed 0 0".into()
            }
        };
        writeln!(out, "@{answer}").unwrap();
    }
}

fn opener(how: &str, dir: &Path) -> Opener {
    Opener::start("many_openers::child", &format!("{how} {}", dir.display()))
}

#[derive(Default)]
struct Counts {
    opens: u64,
    kills: u64,
    slowest_refusal_micros: u64,
}

/// One round: all of some openers at once.
fn race(
    openers: &mut [Opener],
    taking_part: &[usize],
    counts: &mut Counts,
) -> Result<usize, String> {
    for at in taking_part {
        openers[*at].order("open");
    }
    let answers: Vec<String> = taking_part.iter().map(|at| openers[*at].answer()).collect();
    counts.opens += answers.len() as u64;
    let mut winners = Vec::new();
    for (at, answer) in taking_part.iter().zip(&answers) {
        match answer.split(' ').collect::<Vec<_>>()[..] {
            ["open", ..] => winners.push(*at),
            ["in-use", micros, _] => {
                let micros = micros.parse().unwrap();
                counts.slowest_refusal_micros = counts.slowest_refusal_micros.max(micros);
            }
            _ => return Err(format!("another error: {answer}")),
        }
    }
    let [winner] = winners[..] else {
        return Err(format!("{} openers have the vault: {answers:?}", winners.len()));
    };
    Ok(winner)
}

fn rounds(seeds: &std::ops::Range<u64>, how: &str, counts: &mut Counts) -> Result<(), String> {
    let scratch = place::scratch();
    let dir = scratch.path();
    let setup = Setup::usual();
    let vault = world::create_in(&dir.join("vault"), &dir.join("key"), &setup).unwrap();
    vault.close().unwrap();
    drop(vault);
    let mut openers: Vec<Opener> = (0..OPENERS).map(|_| opener(how, dir)).collect();
    for seed in seeds.clone() {
        let mut rng = Rng::new(seed);
        let failure = |why: String| format!("seed {seed}: {why}");
        let mut taking_part: Vec<usize> = (0..OPENERS).collect();
        let many = 2 + rng.below(OPENERS - 1);
        while taking_part.len() > many {
            taking_part.swap_remove(rng.below(taking_part.len()));
        }
        if rng.chance(30) {
            // What an earlier holder left, or what nobody could have.
            let stale = [b"1\n".as_slice(), b"", b"no number", b"4294967295\n"][rng.below(4)];
            std::fs::write(dir.join("vault/LOCK"), stale).unwrap();
        }
        let winner = race(&mut openers, &taking_part, counts).map_err(failure)?;
        // Now that one has it, the others name it.
        let late = taking_part.iter().find(|at| **at != winner).unwrap();
        openers[*late].order("open");
        let answer = openers[*late].answer();
        counts.opens += 1;
        let pid = openers[winner].id().to_string();
        if !answer.starts_with("in-use ") || !answer.ends_with(&format!(" {pid}")) {
            return Err(failure(format!("{pid} has it, but {answer}")));
        }
        if rng.chance(10) {
            openers[winner].kill();
            counts.kills += 1;
            // It is free at once.
            openers[*late].order("open");
            let answer = openers[*late].answer();
            counts.opens += 1;
            if !answer.starts_with("open ") {
                return Err(failure(format!("not free after a kill: {answer}")));
            }
            openers[*late].order("close");
            openers[*late].answer();
            openers[winner] = opener(how, dir);
        } else {
            openers[winner].order("close");
            openers[winner].answer();
        }
    }
    Ok(())
}

#[test]
fn of_many_openers_one_has_the_vault() {
    let (seeds, mut counts) = (figures::seeds(100, 500), Counts::default());
    if let Err(why) = rounds(&seeds, "locked", &mut counts) {
        panic!("{why}");
    }
    assert!(counts.slowest_refusal_micros < 2_000_000, "{} us", counts.slowest_refusal_micros);
    figures::tell(
        "many openers",
        &seeds,
        &[
            ("rounds", seeds.end - seeds.start),
            ("opens", counts.opens),
            ("holders killed", counts.kills),
        ],
    );
    println!("slowest refusal: {} us", counts.slowest_refusal_micros);
}

#[test]
fn openers_that_take_no_lock_are_caught() {
    let why = rounds(&(1..20), "unlocked", &mut Counts::default()).unwrap_err();
    assert!(why.contains("openers have the vault"), "{why}");
}

#[test]
fn a_descriptor_of_the_lock_does_not_outlive_its_holder_in_a_child() {
    let scratch = place::scratch();
    let dir = scratch.path();
    let vault = world::create_in(&dir.join("vault"), &dir.join("key"), &Setup::usual()).unwrap();
    let mut sleeper = std::process::Command::new("sleep").arg("30").spawn().unwrap();
    vault.close().unwrap();
    drop(vault);
    let started = Instant::now();
    let again = VaultDir::lock(&dir.join("vault"), &Options::default());
    assert!(again.is_ok() && started.elapsed() < Duration::from_secs(1));
    sleeper.kill().unwrap();
    sleeper.wait().unwrap();
}
