//! The target of vault operations: bytes become a sequence of steps over all operations of the API,
//! with crashes, reopenings, jumps of the clock, errors of the disk and several writers in a batch,
//! on a simulated machine (`docs/FUZZING.md`).
//!
//! The reference model judges every answer that it knows. General rules judge the rest: a label is on one
//! version, replicas equal their primaries, a crash loses nothing that was shown and leaves no partial
//! operation, `check` finds nothing, and no error comes without a cause.

mod ask;
mod call;
mod compare;
mod draw;
mod machine;
mod mask;
mod openings;
mod recover;
mod report;
mod run;
mod step;
mod together;

pub use draw::{STEP_BYTES, STEPS_MAX, sequence};
pub use report::{Answers, Report};
pub use step::Step;

use crate::dump::text;
use run::Run;

/// Any bytes are a sequence, and everything holds throughout.
pub(super) fn operations(bytes: &[u8]) {
    if let Err(broken) = attempt(bytes) {
        panic!("{broken}");
    }
}

/// Runs the sequence of `bytes`. Returns what it met, or the broken rule.
pub fn attempt(bytes: &[u8]) -> Result<Report, String> {
    let sequence = sequence(bytes);
    let seed = bytes.iter().fold(7, |seed: u64, byte| seed.wrapping_mul(31) + u64::from(*byte));
    let mut run = openings::start(sequence.opening, seed)?;
    for (at, step) in sequence.steps.iter().enumerate() {
        run.step(step).map_err(|broken| format!("step {at}, {step:?}:\n{broken}"))?;
    }
    end(&mut run, sequence.checks).map_err(|broken| format!("at the end:\n{broken}"))?;
    run.report.counts.insert("steps", sequence.steps.len() as u64);
    Ok(run.report)
}

fn end(run: &mut Run, checks: bool) -> Result<(), String> {
    // Faults that have not happened yet are cleared.
    if run.armed.is_some() {
        run.step(&Step::Kill)?;
    }
    run.holds()?;
    run.vault.take().unwrap().close().map_err(|error| text(&error))?;
    if checks {
        let report = run.machine.check(&run.key).map_err(|error| text(&error))?;
        if !report.damage.is_empty() {
            return Err(format!("check: {:?}", report.damage));
        }
        run.report.count("deep checks");
    }
    Ok(())
}
