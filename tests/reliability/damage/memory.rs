//! Every case on a simulated disk, in this process: opened with its state, with an older state, and without
//! a state.

use super::cases::{Case, Cases};
use super::subject::{BYTES_MAX, Subject, dump, files};
use crate::common::world::{Setup, World};
use crate::figures;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use strongroom::__internals::error::{Error, ErrorKind};
use strongroom::__internals::store::OrderedStore;
use strongroom::__internals::vault::RepairOutcome;

/// No case takes longer than this.
const PATIENCE: Duration = Duration::from_secs(30);
/// Every how many cases check and repair are asked too.
const LOOK_EVERY: u64 = 16;

/// What became of a damaged vault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Everything answers right.
    Right,
    /// A typed error that names the file.
    Reported(String),
    /// What must never be.
    Wrong(String),
}

/// What an open and reading everything shows.
pub fn look(world: &World, right: &str, setup: &Setup) -> Seen {
    let looked = catch_unwind(AssertUnwindSafe(|| {
        let vault = match world.open(setup) {
            Ok(vault) => vault,
            Err(error) => return judge(&error),
        };
        match dump(&vault) {
            Ok(seen) if seen == right => match vault.close() {
                Ok(()) => Seen::Right,
                Err(error) => Seen::Wrong(format!("does not close: {error}")),
            },
            Ok(_) => Seen::Wrong("other answers".into()),
            Err(error) => Seen::Wrong(format!("opens, then: {error}")),
        }
    }));
    looked.unwrap_or_else(|_| Seen::Wrong("panics".into()))
}

/// Whether an error says which file and what to do.
pub fn judge(error: &Error) -> Seen {
    match error.kind() {
        ErrorKind::Damaged { file, rule, .. } if !file.is_empty() => {
            if error.to_string().contains("repair it") {
                Seen::Reported(format!("{file} {rule}"))
            } else {
                Seen::Wrong(format!("says not what to do: {error}"))
            }
        }
        _ => Seen::Wrong(format!("refuses with: {error}")),
    }
}

/// What a run counted.
#[derive(Default)]
pub struct Counts {
    pub cases: u64,
    pub repaired: u64,
    pub reported: u64,
    repaired_alone: u64,
    repaired_beside_older: u64,
    looked: u64,
    /// Class and kind: repaired, reported, reported without a state.
    by_class: BTreeMap<(&'static str, &'static str), [u64; 3]>,
    by_rule: BTreeMap<String, u64>,
}

/// One case, all three ways. An error is a violation.
pub fn run(
    subject: &Subject,
    cases: &Cases,
    case: &Case,
    setup: &Setup,
    counts: &mut Counts,
) -> Result<(), String> {
    let right = &subject.now.answers;
    let damaged = |state: Option<&Arc<OrderedStore>>| {
        let world = subject.copy(state);
        cases.apply(case, &world.sim.fs);
        world
    };
    let ways = [Some(&subject.now.state), None, Some(&subject.older[1].state)];
    let mut seen = Vec::new();
    for (at, way) in ways.into_iter().enumerate() {
        let world = damaged(way);
        let found = look(&world, right, setup);
        if let Seen::Wrong(what) = &found {
            let beside = ["its state", "no state", "an older state"][at];
            return Err(format!("{case}, beside {beside}: {what}"));
        }
        seen.push(found);
    }
    counts.cases += 1;
    let entry = counts.by_class.entry((case.class, case.kind.word())).or_default();
    match &seen[0] {
        Seen::Reported(rule) => {
            counts.reported += 1;
            entry[1] += 1;
            *counts.by_rule.entry(format!("{}: {rule}", case.class)).or_default() += 1;
        }
        _ => {
            counts.repaired += 1;
            entry[0] += 1;
        }
    }
    entry[2] += u64::from(seen[1] != Seen::Right);
    counts.repaired_alone += u64::from(seen[1] == Seen::Right);
    counts.repaired_beside_older += u64::from(seen[2] == Seen::Right);
    if case.number.is_multiple_of(LOOK_EVERY) || matches!(seen[0], Seen::Reported(_)) {
        counts.looked += 1;
        for (way, found) in ways.into_iter().zip(&seen) {
            check_and_repair(subject, &damaged(way), found).map_err(|what| {
                format!("{case}, {} state: {what}", if way.is_some() { "with" } else { "without" })
            })?;
        }
    }
    Ok(())
}

/// `check` writes nothing and agrees with what an open does; `repair` loses nothing unasked, and what
/// it leaves holds without any state.
fn check_and_repair(subject: &Subject, world: &World, opened: &Seen) -> Result<(), String> {
    let right = &subject.now.answers;
    let before = content(world);
    let is_clean = match world.check() {
        Ok(report) => report.damage.is_empty(),
        Err(error) => match judge(&error) {
            Seen::Wrong(what) => return Err(format!("check {what}")),
            _ => false,
        },
    };
    if content(world) != before {
        return Err("check wrote".into());
    }
    if is_clean && *opened != Seen::Right {
        return Err("check finds nothing where an open refuses".into());
    }
    let outcome = match world.repair(false) {
        Ok(report) => report.outcome,
        Err(error) => match judge(&error) {
            Seen::Wrong(what) => return Err(format!("repair {what}")),
            _ if *opened == Seen::Right => {
                return Err(format!("repair refuses a vault that opens: {error}"));
            }
            _ => return Ok(()),
        },
    };
    if outcome != RepairOutcome::WouldLose {
        // Nothing is lost, and the truth is whole by itself.
        return match look(
            &world.on_image(&world.sim.fs, world.wall(), 3).with_state(None),
            right,
            &Setup::default(),
        ) {
            Seen::Right => Ok(()),
            other => Err(format!("after repair ({outcome:?}), without a state: {other:?}")),
        };
    }
    if *opened == Seen::Right {
        return Err("repair would lose what an open answers".into());
    }
    match world.repair(true) {
        Ok(report) if report.loss.is_some() && report.kept.is_some() => {}
        Ok(report) => return Err(format!("a repair that loses says {report:?}")),
        Err(error) => return Err(format!("repair with loss: {error}")),
    }
    let vault =
        world.open(&Setup::default()).map_err(|error| format!("after a salvage: {error}"))?;
    let left = dump(&vault).map_err(|error| format!("after a salvage: {error}"))?;
    if subject.history.contains(&left) {
        Ok(())
    } else {
        Err("a salvage left what never was".into())
    }
}

fn content(world: &World) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let mut files = files(&world.sim.fs);
    // The lock names its holder.
    files.retain(|(path, _)| !path.ends_with("LOCK"));
    files
}

/// Ends the process if a case hangs, naming it.
pub fn watch() -> Arc<AtomicU64> {
    let current = Arc::new(AtomicU64::new(0));
    let watched = Arc::downgrade(&current);
    std::thread::spawn(move || {
        let (mut last, mut since) = (0, Instant::now());
        while let Some(current) = watched.upgrade() {
            let number = current.load(Ordering::Relaxed);
            if number != last {
                (last, since) = (number, Instant::now());
            } else if since.elapsed() > PATIENCE {
                println!("case {number} hangs");
                std::process::abort();
            }
            drop(current);
            std::thread::sleep(Duration::from_millis(200));
        }
    });
    current
}

/// The numbers of the cases to run: those asked for, or as many as the tier has, spread over all.
fn numbers(total: u64) -> (std::ops::Range<u64>, Box<dyn Iterator<Item = u64>>) {
    let seeds = figures::seeds(1_000, 5_000);
    if std::env::var("STRONGROOM_SEEDS").is_ok() {
        let seeds = seeds.start.max(1)..seeds.end.min(total + 1);
        return (seeds.clone(), Box::new(seeds));
    }
    let spread = seeds.clone().map(move |seed| 1 + (seed * 7_919_017) % total);
    (seeds, Box::new(spread))
}

#[test]
fn damage_to_any_one_file_is_repaired_or_reported() {
    let subject = Subject::new();
    let cases = Cases::of(&subject);
    println!(
        "{} cases, {} bytes in {} files",
        cases.total,
        cases.bytes,
        files(&subject.now.disk).len()
    );
    assert!(cases.bytes <= BYTES_MAX);
    let (seeds, numbers) = numbers(cases.total);
    let (current, started) = (watch(), Instant::now());
    let mut counts = Counts::default();
    for number in numbers {
        current.store(number, Ordering::Relaxed);
        let case = cases.get(number);
        let memtable = number.is_multiple_of(2).then_some(1 << 10);
        let setup = Setup { memtable, ..Setup::default() };
        if let Err(what) = run(&subject, &cases, &case, &setup, &mut counts) {
            panic!("{what}");
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    for ((class, kind), [repaired, reported, alone]) in &counts.by_class {
        println!(
            "{class:<9} {kind:<14} repaired {repaired:>7}  reported {reported:>5}  reported without a state {alone:>7}"
        );
    }
    for (rule, count) in &counts.by_rule {
        println!("reported by {rule}: {count}");
    }
    println!("{:.0} cases a second, three vaults each", counts.cases as f64 / seconds);
    assert_eq!(counts.reported, 0, "damage to one file of a cleanly closed vault is repaired (I6)");
    figures::tell(
        "damage",
        &seeds,
        &[
            ("cases", counts.cases),
            ("cases in all", cases.total),
            ("repaired", counts.repaired),
            ("reported", counts.reported),
            ("repaired without a state", counts.repaired_alone),
            ("repaired beside an older state", counts.repaired_beside_older),
            ("checked and repaired too", counts.looked),
        ],
    );
}
