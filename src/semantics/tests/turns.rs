//! The turns of a rotation: from one call of its function to the next, and to its end (SEM-ROT).

use super::rotation::{
    F, MINUTE, NOT_COMPLETE, STEPS, act, ask, cancel, complete, days, due, request, rotatable,
    rotate, step_of, turn,
};
use super::{DAY, S, refused, unchanged};
use crate::env::UnixMillis;
use crate::model::RotationStep;
use crate::model::api::{RotateSecret, RotationTurn};
use crate::semantics::FaultKind::InvalidRequest;
use crate::semantics::memory::{World, token};

/// SEM-ROT-6, SEM-ROT-7, SEM-ROT-8
#[test]
fn the_four_steps_are_called_in_order_and_the_end_clears_the_label() {
    let mut world = rotatable();
    rotate(&mut world, "r").unwrap();
    world.pass(DAY);
    let next = turn(&mut world, None);
    let call = next.call.unwrap();
    assert_eq!(
        (call.arn.as_str(), call.function.as_str()),
        (world.describe(S).unwrap().arn.as_str(), F)
    );
    assert_eq!((call.token.as_str(), call.wants_copy), (token("r").as_str(), false));
    complete(&mut world, "r");
    assert_eq!(world.labels(S), "v1{AWSPREVIOUS} r{AWSCURRENT}");
    let shown = world.describe(S).unwrap().rotation.unwrap();
    assert_eq!(shown.last_rotated_date, Some(world.wall()));
    // 2024-01-03 and seven days.
    assert_eq!(shown.next_rotation_date, Some(UnixMillis(1_704_931_199_000)));
    rotate(&mut world, "again").unwrap();
    assert_eq!(world.labels(S), "v1{AWSPREVIOUS} r{AWSCURRENT} again{AWSPENDING}");
}

/// SEM-ROT-7: the progress of a rotation is no change that anybody sees.
#[test]
fn a_step_moves_no_date() {
    let mut world = rotatable();
    rotate(&mut world, "r").unwrap();
    let before = world.describe(S).unwrap();
    world.pass(MINUTE);
    let next = turn(&mut world, Some(("r", RotationStep::CreateSecret, true)));
    assert_eq!(step_of(&next), Some(RotationStep::SetSecret));
    assert_eq!(world.describe(S).unwrap(), before);
}

/// SEM-ROT-8: "finished" is believed only if AWSCURRENT has moved.
#[test]
fn an_end_without_a_move_is_a_failure() {
    let mut world = rotatable();
    rotate(&mut world, "r").unwrap();
    for step in STEPS {
        turn(&mut world, Some(("r", step, true)));
    }
    assert_eq!(world.labels(S), "v1{AWSCURRENT} r{AWSPENDING}");
    assert_eq!(due(&world), Some(world.wall().plus(MINUTE)));
    assert_eq!(world.describe(S).unwrap().rotation.unwrap().last_rotated_date, None);
}

/// SEM-ROT-8: a function may take AWSPENDING off itself.
#[test]
fn a_function_may_clear_the_label_itself() {
    let mut world = rotatable();
    rotate(&mut world, "r").unwrap();
    for step in STEPS {
        act(&mut world, "r", step);
        if step == RotationStep::FinishSecret {
            world.move_stage(S, "AWSPENDING", Some("r"), None).unwrap();
        }
        turn(&mut world, Some(("r", step, true)));
    }
    assert_eq!(world.labels(S), "v1{AWSPREVIOUS} r{AWSCURRENT}");
    let shown = world.describe(S).unwrap().rotation.unwrap();
    assert_eq!(shown.last_rotated_date, Some(world.wall()));
}

/// SEM-ROT-9
#[test]
fn a_failure_leaves_the_label_and_is_tried_again_from_the_start() {
    let mut world = rotatable();
    rotate(&mut world, "r").unwrap();
    turn(&mut world, Some(("r", RotationStep::CreateSecret, true)));
    for wait in [1, 5, 15] {
        let next = turn(&mut world, Some(("r", RotationStep::SetSecret, true)));
        let step = step_of(&next).unwrap();
        let failed = turn(&mut world, Some(("r", step, false)));
        assert_eq!(failed.call, None);
        assert_eq!(failed.due, Some(world.wall().plus(wait * MINUTE)));
        assert_eq!(world.labels(S), "v1{AWSCURRENT} r{AWSPENDING}");
        refused(rotate(&mut world, "s"), InvalidRequest, NOT_COMPLETE);
        world.pass(wait * MINUTE - 1);
        assert_eq!(step_of(&turn(&mut world, None)), None);
        world.pass(1);
        assert_eq!(step_of(&turn(&mut world, None)), Some(RotationStep::CreateSecret));
        turn(&mut world, Some(("r", RotationStep::CreateSecret, true)));
    }
    // From now on once in every window.
    let failed = turn(&mut world, Some(("r", RotationStep::SetSecret, false)));
    assert_eq!(failed.due, Some(UnixMillis(1_704_758_400_000)), "2024-01-09");
    assert_eq!(due(&world), failed.due);
    world.now.wall = UnixMillis(1_704_758_400_000);
    complete(&mut world, "r");
    assert_eq!(world.labels(S), "v1{AWSPREVIOUS} r{AWSCURRENT}");
}

/// SEM-ROT-9: without a schedule there is no next window.
#[test]
fn without_a_schedule_a_failing_rotation_comes_to_rest() {
    let mut world = rotatable();
    ask(&mut world, request("r", None)).unwrap();
    for _ in 0..4 {
        turn(&mut world, Some(("r", RotationStep::CreateSecret, false)));
    }
    assert_eq!(due(&world), None);
    assert_eq!(turn(&mut world, None), RotationTurn { call: None, due: None });
}

/// SEM-ROT-10
#[test]
fn without_a_report_the_step_that_was_not_noted_is_called_again() {
    let mut world = rotatable();
    rotate(&mut world, "r").unwrap();
    for step in STEPS {
        assert_eq!(step_of(&turn(&mut world, None)), Some(step));
        unchanged(&mut world, |world| {
            assert_eq!(step_of(&turn(world, None)), Some(step));
            // Reports about other calls say nothing about this one.
            let other = if step == STEPS[0] { STEPS[1] } else { STEPS[0] };
            assert_eq!(step_of(&turn(world, Some(("r", other, false)))), Some(step));
            assert_eq!(step_of(&turn(world, Some(("other", step, false)))), Some(step));
        });
        act(&mut world, "r", step);
        turn(&mut world, Some(("r", step, true)));
    }
    assert_eq!(world.labels(S), "v1{AWSPREVIOUS} r{AWSCURRENT}");
}

/// SEM-ROT-11
#[test]
fn taking_the_label_away_ends_the_rotation() {
    let mut world = rotatable();
    rotate(&mut world, "r").unwrap();
    turn(&mut world, Some(("r", RotationStep::CreateSecret, false)));
    world.move_stage(S, "AWSPENDING", Some("r"), None).unwrap();
    assert_eq!(turn(&mut world, None).call, None);
    assert_eq!(due(&world), Some(UnixMillis(1_704_758_400_000)));
    rotate(&mut world, "s").unwrap();

    world.put(S, "manual", "x", &[]).unwrap();
    let late = turn(&mut world, Some(("s", RotationStep::CreateSecret, true)));
    assert_eq!(late.call, None, "a default put ends it too");
    assert_eq!(world.labels(S), "v1{AWSPREVIOUS} manual{AWSCURRENT}");
    rotate(&mut world, "t").unwrap();
}

/// SEM-ROT-12
#[test]
fn without_rotating_at_once_only_the_test_is_called_with_a_copy() {
    for succeeded in [true, false] {
        let mut world = rotatable();
        let later = RotateSecret { rotate_immediately: Some(false), ..request("r", Some(days(7))) };
        assert_eq!(ask(&mut world, later).unwrap().version_id.unwrap().as_str(), token("r"));
        let call = turn(&mut world, None).call.unwrap();
        assert_eq!((call.step, call.wants_copy), (RotationStep::TestSecret, true));
        world.put(S, "r", "one", &["AWSPENDING"]).unwrap();
        assert_eq!(world.labels(S), "v1{AWSCURRENT} r{AWSPENDING}");
        let call = turn(&mut world, None).call.unwrap();
        assert_eq!((call.step, call.wants_copy), (RotationStep::TestSecret, false));
        let last = turn(&mut world, Some(("r", RotationStep::TestSecret, succeeded)));
        assert_eq!(last.call, None);
        assert_eq!(world.labels(S), "v1{AWSCURRENT}");
        let id = world.id(S).unwrap();
        assert_eq!(world.view.secrets[&id].version_count, 1, "the copy is gone");
        let shown = world.describe(S).unwrap().rotation.unwrap();
        assert!(shown.rotation_enabled && shown.last_rotated_date.is_none());
        assert_eq!(due(&world), Some(UnixMillis(1_704_758_400_000)));
    }
    let mut world = World::default();
    world.functions.insert(F.to_owned());
    world.create(S, "c", None).unwrap();
    let later = RotateSecret { rotate_immediately: Some(false), ..request("r", Some(days(7))) };
    ask(&mut world, later).unwrap();
    assert_eq!((world.labels(S).as_str(), turn(&mut world, None).call), ("", None));
}

/// SEM-ROT-16: nobody reports, because who called is gone: the next turn ends it.
#[test]
fn a_cancelled_test_ends_without_a_report() {
    let mut world = rotatable();
    let later = RotateSecret { rotate_immediately: Some(false), ..request("r", Some(days(7))) };
    ask(&mut world, later).unwrap();
    world.put(S, "r", "one", &["AWSPENDING"]).unwrap();
    cancel(&mut world).unwrap();
    assert_eq!(turn(&mut world, None), RotationTurn { call: None, due: None });
    assert_eq!((world.labels(S).as_str(), due(&world)), ("v1{AWSCURRENT}", None));
}

/// SEM-ROT-12, SEM-ROT-16: the copy may come after the cancellation.
#[test]
fn a_test_that_is_cancelled_leaves_nothing_behind() {
    let mut world = rotatable();
    let later = RotateSecret { rotate_immediately: Some(false), ..request("r", Some(days(7))) };
    ask(&mut world, later).unwrap();
    assert!(turn(&mut world, None).call.unwrap().wants_copy);
    assert_eq!(cancel(&mut world).unwrap().version_id, None);
    assert_eq!(due(&world), Some(world.wall()));
    world.put(S, "r", "one", &["AWSPENDING"]).unwrap();
    let last = turn(&mut world, Some(("r", RotationStep::TestSecret, true)));
    assert_eq!(last, RotationTurn { call: None, due: None });
    assert_eq!((world.labels(S).as_str(), due(&world)), ("v1{AWSCURRENT}", None));
    let id = world.id(S).unwrap();
    assert_eq!(world.view.secrets[&id].version_count, 1);
    assert!(!world.describe(S).unwrap().rotation.unwrap().rotation_enabled);
}

/// SEM-ROT-17
#[test]
fn a_deletion_turns_rotation_off_and_a_restore_leaves_it_off() {
    let mut world = rotatable();
    rotate(&mut world, "r").unwrap();
    let before = world.describe(S).unwrap().rotation.unwrap();
    assert!(before.rotation_enabled && before.next_rotation_date.is_some());
    world.delete(S, None, None).unwrap();
    assert_eq!((due(&world), turn(&mut world, None).call), (None, None));
    for restored in [false, true] {
        let shown = world.describe(S).unwrap().rotation.unwrap();
        assert_eq!((shown.rotation_enabled, shown.next_rotation_date), (false, None));
        assert_eq!(shown.rotation_lambda_arn, before.rotation_lambda_arn);
        assert_eq!(shown.rotation_rules, before.rotation_rules);
        assert_eq!(world.labels(S), "v1{AWSCURRENT} r{AWSPENDING}");
        if !restored {
            world.restore(S).unwrap();
        }
    }
    assert_eq!((due(&world), turn(&mut world, None).call), (None, None));
    world.move_stage(S, "AWSPENDING", Some("r"), None).unwrap();
    rotate(&mut world, "again").unwrap();
    assert_eq!(step_of(&turn(&mut world, None)), Some(RotationStep::CreateSecret));
}

/// SEM-ROT-18
#[test]
fn a_function_that_went_away_costs_no_attempt() {
    let mut world = rotatable();
    rotate(&mut world, "r").unwrap();
    world.functions.clear();
    let resting = turn(&mut world, None);
    assert_eq!((resting.call, resting.due), (None, Some(world.wall().plus(60 * MINUTE))));
    world.functions.insert(F.to_owned());
    complete(&mut world, "r");
}

/// SEM-DATE-7: what one rotation under a clock of 2106 counts from does not hold back the later ones.
#[test]
fn a_rotation_under_a_wrong_clock_does_not_put_off_the_next() {
    let mut world = rotatable();
    let right = world.wall();
    world.now.age = right;
    world.now.wall = UnixMillis(4_294_967_296_000);
    rotate(&mut world, "r").unwrap();
    complete(&mut world, "r");
    assert!(due(&world).unwrap() > world.wall());
    world.now.wall = right;
    assert_eq!(due(&world), Some(right), "it is corrected at once");
    let before = world.describe(S).unwrap();
    // 2024-01-09, as after a rotation of now.
    let next = UnixMillis(1_704_758_400_000);
    assert_eq!(turn(&mut world, None), RotationTurn { call: None, due: Some(next) });
    assert_eq!(due(&world), Some(next));
    let after = world.describe(S).unwrap();
    assert_eq!(after.last_changed_date, before.last_changed_date);
    assert!(
        after.rotation.unwrap().next_rotation_date < before.rotation.unwrap().next_rotation_date
    );
    world.pass(next.since(right));
    assert_eq!(step_of(&turn(&mut world, None)), Some(RotationStep::CreateSecret));
}

/// SEM-DATE-7: the same for a rotation that waits for its next attempt.
#[test]
fn an_attempt_under_a_wrong_clock_does_not_put_off_the_next() {
    let mut world = rotatable();
    let right = world.wall();
    world.now.age = right;
    world.now.wall = UnixMillis(4_294_967_296_000);
    rotate(&mut world, "r").unwrap();
    turn(&mut world, Some(("r", RotationStep::CreateSecret, false)));
    world.now.wall = right;
    assert_eq!(due(&world), Some(right));
    assert_eq!(turn(&mut world, None), RotationTurn { call: None, due: Some(right) });
    assert_eq!(step_of(&turn(&mut world, None)), Some(RotationStep::CreateSecret));
}
