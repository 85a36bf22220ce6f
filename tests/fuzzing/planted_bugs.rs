//! Bugs that are planted on purpose, one at a time, and the fuzz target that finds each: seeded
//! sequences, as many as a bound allows. The same sequences find nothing in the sound build.
//!
//! Prints for each bug after how many sequences and seconds it was found, and by which steps.

use crate::common::quiet::quietly;
use crate::common::rng::Rng;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::time::{Duration, Instant};
use strongroom::__internals::env::faults::{Fault, for_thread};
use strongroom_fuzz_bodies::operations::{self, STEP_BYTES};

/// Within so many sequences each bug is found. The bound is a count, so that the verdict does not
/// depend on a machine's speed.
const SEQUENCES: u64 = 1_500;

/// What the sequences can notice.
const PLANTED: [Fault; 15] = [
    Fault::LabelOnTwoVersions,
    Fault::PreviousNotMoved,
    Fault::PrunedTooEarly,
    Fault::TokenReuseAccepted,
    Fault::PurgedAtOnce,
    Fault::RestoreForgetsPolicy,
    Fault::ReplicaShowsNothing,
    Fault::PromotionLosesCurrent,
    Fault::PageOmitsSecret,
    Fault::BatchLosesRow,
    Fault::KeepsStaleRow,
    Fault::AckBeforeSync,
    Fault::SkipFrameMac,
    Fault::WrapWhenSealed,
    Fault::RetryFailedSync,
];

/// The input of a seed: as in `tests/fuzzing/fuzzing_operations.rs`.
fn input(seed: u64) -> Vec<u8> {
    let mut rng = Rng::new(seed);
    let steps = 20 + rng.below(21);
    rng.bytes(1 + steps * STEP_BYTES)
}

/// What a sequence finds.
fn attempt(seed: u64) -> Result<(), String> {
    let bytes = input(seed);
    match quietly(|| catch_unwind(AssertUnwindSafe(|| operations::attempt(&bytes)))) {
        Ok(answer) => answer.map(drop),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            Err(text.unwrap_or_else(|| "a panic".into()))
        }
    }
}

struct Found {
    bug: Fault,
    sequences: u64,
    took: Duration,
    how: String,
}

fn hunt(bug: Fault) -> Option<Found> {
    let started = Instant::now();
    for_thread(Some(bug));
    let found = (1..=SEQUENCES).find_map(|seed| attempt(seed).err().map(|why| (seed, why)));
    for_thread(None);
    let (sequences, why) = found?;
    let how = why.lines().nth(1).unwrap_or(&why).chars().take(70).collect();
    Some(Found { bug, sequences, took: started.elapsed(), how })
}

#[test]
fn each_planted_bug_is_found_and_the_sound_build_has_none() {
    let work = Mutex::new((PLANTED.into_iter(), Vec::new(), Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                loop {
                    let Some(bug) = work.lock().unwrap().0.next() else { break };
                    let found = hunt(bug);
                    let mut work = work.lock().unwrap();
                    match found {
                        Some(found) => work.1.push(found),
                        None => work.2.push(bug),
                    }
                }
            });
        }
    });
    let (_, found, missed) = work.into_inner().unwrap();
    println!("{:<24} {:>9} {:>9}  found by", "planted bug", "sequences", "seconds");
    for Found { bug, sequences, took, how } in &found {
        println!("{:<24} {sequences:>9} {:>9.2}  {how}", format!("{bug:?}"), took.as_secs_f64());
    }
    // The control: what found the bugs finds nothing where there is none.
    let last = found.iter().map(|found| found.sequences).max().unwrap_or(0);
    let sound = (1..=last).find_map(|seed| attempt(seed).err().map(|why| (seed, why)));
    println!("{last} sequences of the sound build");
    assert_eq!(sound, None, "the sound build has none of them");
    assert!(missed.is_empty(), "not found within {SEQUENCES} sequences: {missed:?}");
}
