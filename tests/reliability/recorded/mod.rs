//! An independent recorder: strace records every file call of a process on a real folder, and its
//! acknowledgements in between. From the recording, the possible disks after a power cut at each call are
//! built, opened and judged.
//!
//! The recorder is verified first: replaying all calls gives the real files, byte for byte.

mod disk;
mod server;
mod trace;

use crate::common;
use crate::common::reference::Model;
use crate::common::rng::Rng;
use crate::common::world::{Fault, Setup};
use crate::figures;
use crate::judge;
use crate::place::{self, Place};
use crate::work::{self, Script};
use crate::worker;
use disk::{Disk, Image, Loss};
use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use strongroom::__internals::vault::StoreChoice;
use trace::{Call, Event};

const ACTS: usize = 40;

fn setup(fault: bool) -> Setup {
    Setup {
        background: true,
        segment_bytes: (8 << 10, 16 << 10),
        fault: fault.then_some(Fault::AckBeforeSync),
        ..Setup::default()
    }
}

fn strace_works() -> bool {
    let works = Command::new("strace")
        .args(["-f", "-o", "/dev/null", "true"])
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !works {
        println!("SKIP strace does not run here");
    }
    works
}

/// The process that is recorded.
#[test]
fn child() {
    let Some(task) = common::child_task() else { return };
    let words: Vec<&str> = task.split(' ').collect();
    let script = Script::new(&work::empty_model(), words[1].parse().unwrap(), ACTS);
    worker::run(&Place::new(Path::new(words[0])), &script, &setup(words[2] == "bad"), true);
}

/// What a disk may hold, and what had been said by then.
struct Case {
    image: Image,
    loss: Loss,
    at: usize,
    made: bool,
    answered: usize,
    handed: usize,
    wall: i64,
    store: StoreChoice,
}

#[derive(Default)]
struct Counts {
    calls: AtomicU64,
    images: AtomicU64,
    distinct: AtomicU64,
    with_state: AtomicU64,
}

impl Counts {
    fn tell(&self, harness: &str, seeds: &std::ops::Range<u64>) {
        let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
        figures::tell(
            harness,
            seeds,
            &[
                ("calls recorded", count(&self.calls)),
                ("images built", count(&self.images)),
                ("distinct ones, opened and judged", count(&self.distinct)),
                ("with sled's files", count(&self.with_state)),
            ],
        );
    }
}

/// Runs `command` under strace to its end; its file calls below `root`, which held nothing.
fn record(command: &Command, root: &Path, trace: &Path) -> Vec<Event> {
    let mut strace = Command::new("strace");
    strace.args(trace::options()).arg("-o").arg(trace);
    strace.arg(command.get_program()).args(command.get_args());
    strace.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = strace.stdout(Stdio::piped()).stderr(Stdio::piped()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && said.contains("@done"), "{said}\n{errors}");
    let text = std::fs::read_to_string(trace).unwrap();
    std::fs::remove_file(trace).unwrap();
    trace::parse(&text, root)
}

/// All calls give what is really there.
fn prove(events: &[Event], root: &Path) {
    let mut disk = Disk::new(root);
    for event in events {
        disk.take(event);
    }
    let differences = disk.image(Loss::None).differences(&Image::of(root));
    assert!(differences.is_empty(), "the recorder is wrong: {differences:#?}");
}

/// What is lost, by chance: the plain losses often, each pending write alone sometimes.
fn losses(rng: &mut Rng, pending_writes: usize) -> Vec<Loss> {
    let mut losses = vec![Loss::Random(rng.next_u64()), Loss::Random(rng.next_u64())];
    losses.push(match rng.below(10) {
        0..4 => Loss::All,
        4 => Loss::None,
        5 => Loss::Names,
        6 => Loss::Content,
        7 => Loss::Zeros,
        8 if pending_writes > 0 => Loss::One(rng.below(pending_writes)),
        _ => Loss::Random(rng.next_u64()),
    });
    losses
}

/// Hands every image of a recording to `give`, with what had been said.
fn images(
    events: &[Event],
    root: &Path,
    state: &Path,
    seed: u64,
    mut wall_of: impl FnMut(usize) -> i64,
    give: &mut dyn FnMut(Case),
) {
    let mut disk = Disk::new(root);
    let mut rng = Rng::new(seed);
    let (mut made, mut answered, mut handed, mut wall) = (false, 0, 0, 0);
    for (at, event) in events.iter().enumerate() {
        if let Call::Said(text) = &event.call {
            match text.split_once(' ') {
                Some(("@h", n)) => handed = n.parse().unwrap(),
                Some(("@a", n)) => answered = n.parse().unwrap(),
                Some(("@t", n)) => wall = n.parse().unwrap(),
                Some(("HTTP/1.1", "200 OK")) => {
                    answered += 1;
                    handed = answered + 1;
                }
                _ => made |= text == "@open",
            }
            made |= answered > 0;
        }
        // What was said between two calls makes another case of the same disk.
        if !disk.take(event) && !matches!(&event.call, Call::Said(text) if !text.starts_with("@h"))
        {
            continue;
        }
        for loss in losses(&mut rng, disk.pending_writes()) {
            let mut image = disk.image(loss);
            let store = if rng.chance(12) { StoreChoice::Auto } else { StoreChoice::Memory };
            if store == StoreChoice::Memory {
                image = image.without(state);
            }
            let wall = wall.max(wall_of(handed));
            give(Case { image, loss, at, made, answered, handed, wall, store });
        }
    }
}

/// Judges all cases on all processors; the failures.
fn judge_all(
    counts: &Counts,
    produce: impl FnOnce(&mut dyn FnMut(Case)),
    judge: impl Fn(&Path, &Case) -> Result<(), String> + Sync,
) -> Vec<String> {
    let scratch = place::scratch();
    let failures = Mutex::new(Vec::new());
    let stop = AtomicBool::new(false);
    let (send, receive) = std::sync::mpsc::sync_channel::<Case>(64);
    let receive = Mutex::new(receive);
    std::thread::scope(|scope| {
        for worker in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            let dir = scratch.path().join(format!("{worker}"));
            let (receive, failures, stop, judge) = (&receive, &failures, &stop, &judge);
            scope.spawn(move || {
                loop {
                    let next = receive.lock().unwrap().recv();
                    let Ok(case) = next else { return };
                    if stop.load(Ordering::Relaxed) {
                        continue;
                    }
                    place::make_private_dir(&dir);
                    case.image.write(&dir);
                    if let Err(why) = judge(&dir, &case) {
                        let Case { loss, at, answered, .. } = case;
                        failures
                            .lock()
                            .unwrap()
                            .push(format!("call {at}, {loss:?}, {answered} acknowledged: {why}"));
                        stop.store(failures.lock().unwrap().len() >= 20, Ordering::Relaxed);
                    }
                    let _ = std::fs::remove_dir_all(&dir);
                }
            });
        }
        let hasher = RandomState::new();
        let mut seen = HashSet::new();
        produce(&mut |case| {
            counts.images.fetch_add(1, Ordering::Relaxed);
            if !seen.insert(hasher.hash_one((&case.image, case.answered, case.handed))) {
                return;
            }
            counts.distinct.fetch_add(1, Ordering::Relaxed);
            let with_state = u64::from(case.store == StoreChoice::Auto);
            counts.with_state.fetch_add(with_state, Ordering::Relaxed);
            send.send(case).unwrap();
        });
        drop(send);
    });
    failures.into_inner().unwrap()
}

fn judge_model(dir: &Path, case: &Case, prefixes: &[Model]) -> Result<(), String> {
    let place = Place::new(dir);
    let plain = Setup { background: false, ..setup(false) };
    let (options, _) = Place::options(&plain, case.wall, case.store);
    let vault = match place.open(&options) {
        Err(_) if !case.made => {
            // The vault was never finished: making it again must work.
            let vault = place.create(&options).map_err(|error| format!("no new one: {error}"))?;
            return vault.close().map_err(|error| format!("no close: {error}"));
        }
        opened => opened.map_err(|error| format!("does not open: {error}"))?,
    };
    judge::landed(&vault, |n| prefixes[n].clone(), case.answered, case.handed, case.wall)?;
    vault.close().map_err(|error| format!("no close: {error}"))?;
    let vault = place.open(&options).map_err(|error| format!("not a second time: {error}"))?;
    vault.close().map_err(|error| format!("no second close: {error}"))
}

fn library(seed: u64, bad: bool, counts: &Counts) -> Vec<String> {
    let scratch = place::scratch();
    let root = scratch.path().join("root");
    place::make_private_dir(&root);
    let task = format!("{} {seed} {}", root.display(), if bad { "bad" } else { "good" });
    let events =
        record(&common::child("recorded::child", &task), &root, &scratch.path().join("trace"));
    prove(&events, &root);
    counts.calls.fetch_add(events.len() as u64, Ordering::Relaxed);
    let script = Script::new(&work::empty_model(), seed, ACTS);
    let prefixes = script.models();
    judge_all(
        counts,
        |give| {
            let wall = |handed| script.wall_after(handed);
            images(&events, &root, Path::new("vault/state"), seed, wall, give);
        },
        |dir, case| judge_model(dir, case, &prefixes),
    )
}

#[test]
fn no_power_cut_of_a_recorded_library_loses_what_was_acknowledged() {
    if !strace_works() {
        return;
    }
    let (seeds, counts) = (figures::seeds(1, 3), Counts::default());
    for seed in seeds.clone() {
        let failures = library(seed, false, &counts);
        assert!(failures.is_empty(), "seed {seed}: {}", failures.join("\n\n"));
    }
    counts.tell("recorded calls, library", &seeds);
}

#[test]
fn a_recorded_library_that_answers_before_the_sync_is_caught() {
    if !strace_works() {
        return;
    }
    let failures = library(1, true, &Counts::default());
    assert!(failures.iter().any(|why| why.contains("acknowledged")), "{failures:?}");
    println!("{} images show the loss; the first: {}", failures.len(), failures[0]);
}
