//! The target of vault operations on stable: seeded sequences, and the corpus that is committed.
//!
//! `STRONGROOM_SEEDS=FROM..TO` runs one sequence for each seed, on all cores; a run that was cut is
//! taken up again at its seed. A sequence that fails is shrunk and shown as steps and as hex.

use crate::common::figures;
use crate::common::quiet::quietly;
use crate::common::rng::Rng;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::time::Instant;
use strongroom_fuzz_bodies::operations::{self, Report, STEP_BYTES, sequence};

/// The input of a seed: 20 to 40 steps.
fn input(seed: u64) -> Vec<u8> {
    let mut rng = Rng::new(seed);
    let steps = 20 + rng.below(21);
    rng.bytes(1 + steps * STEP_BYTES)
}

fn attempt(bytes: &[u8]) -> Result<Report, String> {
    // A failing sequence is shrunk first, then shown.
    let run = quietly(|| catch_unwind(AssertUnwindSafe(|| operations::attempt(bytes))));
    run.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).into()));
        Err(text.unwrap_or_else(|| "a panic without text".into()))
    })
}

/// The shortest input that still fails: steps are left out, then bytes are made zero.
fn shrink(mut bytes: Vec<u8>) -> (Vec<u8>, String) {
    let mut why = attempt(&bytes).unwrap_err();
    let mut width = bytes.len() / STEP_BYTES / 2 + 1;
    while width > 0 {
        let mut at = 0;
        while 1 + at * STEP_BYTES < bytes.len() {
            let from = 1 + at * STEP_BYTES;
            let to = (from + width * STEP_BYTES).min(bytes.len());
            let less = [&bytes[..from], &bytes[to..]].concat();
            match attempt(&less) {
                Err(reason) => (bytes, why) = (less, reason),
                Ok(_) => at += 1,
            }
        }
        width /= 2;
    }
    for at in 0..bytes.len() {
        let mut simpler = bytes.clone();
        simpler[at] = 0;
        if let Err(reason) = attempt(&simpler) {
            (bytes, why) = (simpler, reason);
        }
    }
    (bytes, why)
}

/// What a person reads of a failing input.
fn shown(bytes: &[u8], why: &str) -> String {
    let sequence = sequence(bytes);
    let mut text = format!("opening {}\n", sequence.opening);
    for (at, step) in sequence.steps.iter().enumerate() {
        text.push_str(&format!("{at:>3} {step:?}\n"));
    }
    format!("{text}{why}\ninput (a file of fuzz/regressions/operations):\n{}", hex::encode(bytes))
}

#[test]
fn sequences_of_all_seeds_hold() {
    let seeds = figures::seeds(400, 3_000);
    let started = Instant::now();
    let work = Mutex::new((seeds.clone(), Report::default(), None::<u64>));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                let mut sum = Report::default();
                loop {
                    let seed = {
                        let mut work = work.lock().unwrap();
                        match (work.2, work.0.next()) {
                            (None, Some(seed)) => seed,
                            _ => break,
                        }
                    };
                    match attempt(&input(seed)) {
                        Ok(report) => sum.add(&report),
                        Err(_) => {
                            let mut work = work.lock().unwrap();
                            work.2 = Some(work.2.map_or(seed, |other| other.min(seed)));
                        }
                    }
                }
                work.lock().unwrap().1.add(&sum);
            });
        }
    });
    let (_, report, failed) = work.into_inner().unwrap();
    if let Some(seed) = failed {
        let (bytes, why) = shrink(input(seed));
        panic!("STRONGROOM_SEEDS={seed}..{}\n{}", seed + 1, shown(&bytes, &why));
    }
    tell(&seeds, &report, started);
}

fn tell(seeds: &std::ops::Range<u64>, report: &Report, started: Instant) {
    let sequences = seeds.end - seeds.start;
    println!("{:<34} {:>10} {:>10}", "operation", "ok", "refused");
    for (operation, answers) in report.all() {
        println!("{operation:<34} {:>10} {:>10}", answers.ok, answers.refused);
    }
    for (what, count) in &report.counts {
        println!("{what:<34} {count:>10}");
    }
    let seconds = started.elapsed().as_secs_f64();
    println!("{sequences} sequences in {seconds:.1} s, {:.0} a second", sequences as f64 / seconds);
    let answered = |of: fn(&operations::Answers) -> u64| report.all().map(|(_, a)| of(&a)).sum();
    let mut counts = vec![
        ("sequences", sequences),
        ("operations answered", answered(|answers| answers.ok)),
        ("operations refused", answered(|answers| answers.refused)),
    ];
    counts.extend(report.counts.iter().map(|(what, count)| (*what, *count)));
    figures::tell("fuzzing, operations", seeds, &counts);
    if sequences < 1000 {
        return;
    }
    for (operation, answers) in report.all() {
        let least = answers.ok.min(answers.refused);
        assert!(least * 1000 >= sequences, "{operation} is met too rarely: {answers:?}");
    }
}

/// The inputs of a folder of `fuzz/`, by file name.
fn inputs(folder: &str) -> Vec<(String, Vec<u8>)> {
    let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(folder);
    let mut files: Vec<_> =
        std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let name = |path: &std::path::Path| path.file_name().unwrap().to_string_lossy().into_owned();
    files.iter().map(|path| (name(path), std::fs::read(path).unwrap())).collect()
}

#[test]
fn the_corpus_holds() {
    let inputs = inputs("corpus/operations");
    assert!(inputs.len() >= 16);
    for (name, bytes) in inputs {
        attempt(&bytes).unwrap_or_else(|why| panic!("{name}: {}", shown(&bytes, &why)));
    }
}

/// Any bytes are a sequence: none, a part of a step, and far too many.
#[test]
fn any_bytes_are_a_sequence() {
    for bytes in
        [Vec::new(), vec![0], vec![255; 5], vec![7; 1 + 3 * STEP_BYTES + 2], vec![9; 5_000]]
    {
        attempt(&bytes).unwrap_or_else(|why| panic!("{}", shown(&bytes, &why)));
    }
    assert_eq!(sequence(&[9; 5_000]).steps.len(), operations::STEPS_MAX);
}

/// The reference model took a creation without a value, with the token of a version, for one of
/// another token (E8); the token is in use for another value (E9, SEM-TOKEN-10).
#[test]
fn a_creation_without_a_value_does_not_replay_a_version() {
    let bytes = std::fs::read(
        std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("fuzz/regressions/operations/create-without-value-by-a-versions-token"),
    )
    .unwrap();
    let steps = sequence(&bytes).steps;
    assert!(format!("{steps:?}").contains("value: None"), "{steps:?}");
    let report = attempt(&bytes).unwrap();
    let (_, answers) = report.all().find(|(name, _)| *name == "CreateSecret").unwrap();
    assert_eq!((answers.ok, answers.refused), (0, 1));
}
