//! Builds that deliberately break a promise. The same cases must catch them.

use super::cases::{Cases, Kind};
use super::memory::{Counts, Seen, look, run};
use super::subject::Subject;
use crate::common::world::{self, Fault, Setup};

/// The first violation among every `step`-th case of a class.
fn first_violation(fault: Fault, class: &str, step: usize) -> Option<String> {
    let subject = Subject::new();
    let cases = Cases::of(&subject);
    let setup = Setup { fault: Some(fault), ..Setup::default() };
    let mut counts = Counts::default();
    let some = (1..=cases.total).map(|number| cases.get(number));
    let flips = some.filter(|case| case.class == class && matches!(case.kind, Kind::Flip { .. }));
    flips.step_by(step).find_map(|case| run(&subject, &cases, &case, &setup, &mut counts).err())
}

#[test]
fn a_build_that_accepts_damaged_frames_is_caught() {
    let caught = first_violation(Fault::SkipFrameMac, "segment", 5);
    println!("{caught:?}");
    assert!(caught.is_some());
}

#[test]
fn a_build_that_repairs_from_a_lagging_state_is_caught() {
    let caught = first_violation(Fault::RepairFromLagging, "segment", 5);
    println!("{caught:?}");
    assert!(caught.is_some_and(|what| what.contains("an older state: other answers")));
}

/// Opens the undamaged vault beside states of the right LSN in which one row is missing, or is the
/// one of an earlier moment: what a store that lost a write looks like.
fn wrong_beside_a_wrong_row(setup: &Setup) -> (usize, Vec<String>) {
    let subject = Subject::new();
    let (mut opened, mut wrong) = (0, Vec::new());
    for older in [None, Some(&*subject.older[1].state)] {
        for n in 0.. {
            let Some(state) = world::with_one_row_wrong(&subject.now.state, n, older) else {
                break;
            };
            opened += 1;
            match look(&subject.copy(Some(&state)), &subject.now.answers, setup) {
                Seen::Right => {}
                other => wrong.push(format!("row {n}: {other:?}")),
            }
        }
    }
    (opened, wrong)
}

#[test]
fn a_state_with_any_one_row_wrong_changes_no_answer() {
    let (opened, wrong) = wrong_beside_a_wrong_row(&Setup::default());
    println!("{opened} states with one row wrong");
    assert!(opened > 35);
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn a_build_that_believes_the_state_is_caught() {
    let setup = Setup { fault: Some(Fault::BelieveState), ..Setup::default() };
    let (opened, wrong) = wrong_beside_a_wrong_row(&setup);
    println!("{} of {opened} states are believed: {:?}", wrong.len(), wrong.first());
    assert!(wrong.iter().any(|what| what.contains("other answers")));
}
