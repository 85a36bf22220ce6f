//! Deterministic simulation: scripts of every operation run on a simulated machine. An image of the disk is
//! taken before each change, and each image is opened with every kind of loss of unsynced changes.
//!
//! After each crash, everything that was shown to a reader or acknowledged is there, interrupted operations
//! are there completely or not at all, `check` finds nothing, labels are legal, and the vault accepts writes.
//! The oracle is a dump of the vault after each frame while the power was on. The reference model shows that
//! these dumps are right (`tests/api/model.rs`).

use crate::common::rng::Rng;
use crate::figures;
use std::collections::HashSet;
use std::ops::Range;
use strongroom::__internals::env::faults::Faults;
pub use strongroom_fuzz_bodies::dump;

#[path = "simulation/acts.rs"]
pub mod acts;
#[path = "simulation/bad_builds.rs"]
mod bad_builds;
#[path = "simulation/crash.rs"]
pub mod crash;
#[path = "simulation/machine.rs"]
pub mod machine;
#[path = "simulation/runner.rs"]
pub mod runner;
#[path = "simulation/state.rs"]
mod state;

use crash::{Counts, Depth, Judge, crashes};
use runner::{Run, Runner};
use state::States;

/// Operations of a script: every kind comes up in each.
const OPERATIONS: usize = 44;
/// Operations of a long one.
const LONG: usize = 300;
/// Images of a script that are opened with the real store.
const STATES: usize = 6;

/// What all runs came to.
#[derive(Default)]
struct Total {
    counts: Counts,
    images: HashSet<u64>,
    states: u64,
}

fn place(run: &Run, at: usize) -> String {
    let act = run.images[at].act;
    let (seed, images) = (run.seed, run.images.len());
    format!("seed {seed} image {at} of {images} in act {act} ({:?})", run.script.get(act))
}

/// Crashes every `stride`th image of a run. The first violation ends it.
fn crash_all(run: &Run, depth: Depth, stride: usize, total: &mut Total) {
    let mut judge = Judge::new(run);
    let mut states = States::new(run);
    let mut rng = Rng::new(run.seed);
    let offset = run.seed as usize % stride;
    for (at, image) in run.images.iter().enumerate().skip(offset).step_by(stride) {
        for crash in crashes(image, &mut rng, depth) {
            let seed = rng.next_u64();
            if let Err(why) = judge.crash(image, &crash, seed) {
                panic!("{} {crash:?}\n{why}", place(run, at));
            }
        }
        if rng.below(run.images.len()) < STATES {
            states.crash(image, &mut rng).unwrap_or_else(|why| panic!("{} {why}", place(run, at)));
        }
    }
    total.images.extend(judge.opened);
    total.states += states.opened;
    let (sum, more) = (&mut total.counts, judge.counts);
    sum.crashes += more.crashes;
    sum.second_crashes += more.second_crashes;
    sum.rotten += more.rotten;
    sum.kills += more.kills;
    sum.kept += more.kept;
    sum.caught_up += more.caught_up;
    sum.rotten_snapshots += more.rotten_snapshots;
    sum.opens += more.opens;
    sum.slow_opens += more.slow_opens;
    sum.slowest_micros = sum.slowest_micros.max(more.slowest_micros);
}

fn tell(name: &str, seeds: &Range<u64>, boundaries: u64, total: &Total) {
    let Total { counts, images, states } = total;
    println!("slowest open: {} µs", counts.slowest_micros);
    let counts = [
        ("boundaries", boundaries),
        ("crashes", counts.crashes),
        ("distinct images opened", images.len() as u64),
        ("second crashes in recovery", counts.second_crashes),
        ("rotten twins", counts.rotten),
        ("kills and then cuts", counts.kills),
        ("opens with a lagging state", counts.kept),
        ("of these caught up", counts.caught_up),
        ("rotten snapshots", counts.rotten_snapshots),
        ("images with a sled state", *states),
        ("opens", counts.opens),
        ("opens over 2 s", counts.slow_opens),
    ];
    figures::tell(name, seeds, &counts);
}

#[test]
fn no_crash_loses_what_was_shown_or_leaves_half_of_an_operation() {
    let seeds = figures::seeds(1, 3);
    let stride = if figures::is_short() { 4 } else { 1 };
    let (mut total, mut boundaries) = (Total::default(), 0);
    for seed in seeds.clone() {
        let _seed = figures::Seed(seed);
        let run = Runner::new(seed, Faults::none()).run(OPERATIONS);
        boundaries += run.images.len() as u64;
        crash_all(&run, Depth::Full, stride, &mut total);
    }
    tell("simulation", &seeds, boundaries, &total);
}

/// A long script, in which files grow, segments are taken over again and again, and versions pile
/// up: each write and sync boundary of it, with one loss each.
#[test]
fn no_boundary_of_a_long_script_is_a_bad_place_for_a_crash() {
    let seeds = figures::seeds(1, 2);
    let stride = if figures::is_short() { 4 } else { 1 };
    let (mut total, mut boundaries) = (Total::default(), 0);
    for seed in seeds.clone() {
        let _seed = figures::Seed(seed);
        let run = Runner::new(seed, Faults::none()).run(LONG);
        assert!(run.images.len() > 4 * LONG);
        boundaries += run.images.len() as u64;
        crash_all(&run, Depth::Shallow, stride, &mut total);
    }
    tell("simulation, long scripts", &seeds, boundaries, &total);
}
