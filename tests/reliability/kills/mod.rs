//! `kill -9` at any time: a child process does random work of all kinds on a real folder and reports
//! acknowledgements. It is killed while it opens the vault or 0 to 40 ms later, and the remaining files are
//! opened and judged. `http` does the same with the real server.
//!
//! A kill does not lose the page cache. It therefore detects an acknowledgement before the write, but not
//! one before the sync; `power_cut` and `recorded` detect that.

mod http;

use crate::common::rng::Rng;
use crate::common::world::Fault;
use crate::figures;
use crate::life::{BAD_LIVES, Life};
use crate::place::{self, Place};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Processes that one vault outlives.
const DEATHS: u64 = 8;
const ACTS: usize = 100;

#[derive(Default)]
struct Counts {
    kills: AtomicU64,
    in_opening: AtomicU64,
    in_flight: AtomicU64,
    acknowledged: AtomicU64,
}

/// A vault's whole life; `Err` says what was lost.
fn life(seed: u64, dir: &Path, bad: Option<Fault>, counts: &Counts) -> Result<(), String> {
    let mut rng = Rng::new(seed);
    let place = Place::new(&dir.join(format!("{seed}")));
    place.clear();
    let mut life = Life::new(place, ACTS, bad);
    for death in 0..DEATHS {
        let mut running = life.spawn(rng.next_u64() >> 16);
        let in_opening = rng.chance(35);
        running.until(|said| if in_opening { said.started } else { said.open });
        let micros = if in_opening { 4_000 } else { 40_000 };
        std::thread::sleep(Duration::from_micros(rng.range(0..micros)));
        let (work, said) = running.kill();
        let failure = |why: String| format!("seed {seed}, death {death}, {said:?}: {why}");
        if let Some(error) = &said.error {
            return Err(failure(format!("an operation failed: {error}")));
        }
        if said.other.iter().any(|line| line.contains("panicked") || line.contains("FAILED")) {
            return Err(failure("it panicked".into()));
        }
        life.judge(work, &said, rng.chance(15)).map_err(failure)?;
        let add = |count: &AtomicU64, n: u64| count.fetch_add(n, Ordering::Relaxed);
        add(&counts.kills, u64::from(!said.done));
        add(&counts.in_opening, u64::from(said.started && !said.open));
        add(&counts.in_flight, u64::from(said.handed > said.answered));
        add(&counts.acknowledged, said.answered as u64);
    }
    let _ = std::fs::remove_dir_all(life.place.dir());
    Ok(())
}

#[test]
fn no_kill_of_a_library_at_work_loses_what_was_acknowledged() {
    let seeds = figures::seeds(20, 60);
    let (counts, scratch) = (Counts::default(), place::scratch());
    let next = AtomicU64::new(seeds.start);
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        // Two more than processors: half of a life is waiting.
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) + 2 {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end || !failures.lock().unwrap().is_empty() {
                        return;
                    }
                    if let Err(why) = life(seed, scratch.path(), None, &counts) {
                        failures.lock().unwrap().push(why);
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
    let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
    figures::tell(
        "kill -9 of the library",
        &seeds,
        &[
            ("kills", count(&counts.kills)),
            ("while opening", count(&counts.in_opening)),
            ("with a request in flight", count(&counts.in_flight)),
            ("operations acknowledged", count(&counts.acknowledged)),
        ],
    );
}

#[test]
fn a_build_that_answers_before_it_writes_loses_data_in_a_kill() {
    let scratch = place::scratch();
    let broken = Some(Fault::HoldFramesBack);
    let caught = (1..=BAD_LIVES)
        .find_map(|seed| life(seed, scratch.path(), broken, &Counts::default()).err());
    let why = caught.expect("one of these lives shows the loss");
    assert!(why.contains("acknowledged") || why.contains("does not open"), "{why}");
    println!("caught: {}", why.lines().next().unwrap_or_default());
}
