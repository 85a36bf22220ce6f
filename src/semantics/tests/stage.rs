//! Staging labels: every row of the tables (SEM-STAGE).

use super::{S, created, refused, unchanged};
use crate::semantics::FaultKind::{InvalidParameter, LimitExceeded, ResourceNotFound};
use crate::semantics::memory::{World, token};

/// v1 has AWSPREVIOUS and `old`, v2 has AWSCURRENT, v3 has AWSPENDING, v4 has no label.
fn four() -> World {
    let mut world = created();
    world.put(S, "v2", "two", &[]).unwrap();
    world.put(S, "v4", "four", &["x"]).unwrap();
    world.put(S, "v3", "three", &["AWSPENDING", "x"]).unwrap();
    world.move_stage(S, "x", Some("v3"), None).unwrap();
    world.move_stage(S, "old", None, Some("v1")).unwrap();
    assert_eq!(world.labels(S), "v1{AWSPREVIOUS,old} v2{AWSCURRENT} v3{AWSPENDING}");
    world
}

/// SEM-STAGE-24, SEM-STAGE-7
#[test]
fn create_and_update_label_their_version_current() {
    let mut world = created();
    assert_eq!(world.labels(S), "v1{AWSCURRENT}");
    world.update(S, "v2", None, Some("two")).unwrap();
    assert_eq!(world.labels(S), "v1{AWSPREVIOUS} v2{AWSCURRENT}");
    world.put(S, "v3", "three", &["AWSPENDING"]).unwrap();
    world.update(S, "v4", None, Some("four")).unwrap();
    assert_eq!(world.labels(S), "v2{AWSPREVIOUS} v4{AWSCURRENT}", "an update strips AWSPENDING");
}

/// SEM-STAGE-8: explicit stages leave AWSPENDING alone, AWSCURRENT among them or not.
#[test]
fn explicit_stages_do_not_strip_pending() {
    let mut world = created();
    world.put(S, "v2", "two", &["AWSPENDING"]).unwrap();
    world.put(S, "v3", "three", &["AWSCURRENT"]).unwrap();
    assert_eq!(world.labels(S), "v1{AWSPREVIOUS} v2{AWSPENDING} v3{AWSCURRENT}");
    world.put(S, "v4", "four", &["x"]).unwrap();
    assert_eq!(world.labels(S), "v1{AWSPREVIOUS} v2{AWSPENDING} v3{AWSCURRENT} v4{x}");
}

/// SEM-STAGE-23: a put takes only AWSCURRENT from the version that was current.
#[test]
fn a_put_leaves_custom_labels_on_the_former_current_version() {
    let mut world = created();
    world.move_stage(S, "mine", None, Some("v1")).unwrap();
    world.put(S, "v2", "two", &[]).unwrap();
    assert_eq!(world.labels(S), "v1{AWSPREVIOUS,mine} v2{AWSCURRENT}");
}

/// SEM-STAGE-11
#[test]
fn the_first_version_is_current_whatever_it_is_asked_to_be() {
    for (stages, expected) in [
        (&[][..], "v1{AWSCURRENT}"),
        (&["X"], "v1{AWSCURRENT,X}"),
        (&["AWSPENDING"], "v1{AWSCURRENT,AWSPENDING}"),
        (&["AWSPREVIOUS"], "v1{AWSCURRENT}"),
    ] {
        let mut world = World::default();
        world.create(S, "empty", None).unwrap();
        world.put(S, "v1", "one", stages).unwrap();
        assert_eq!(world.labels(S), expected);
    }
}

/// SEM-STAGE-12
#[test]
fn stages_are_a_set_and_aws_prefixes_are_nothing_special() {
    let mut world = created();
    let answer = world.put(S, "v2", "two", &["b", "AWSSOMETHING", "b", "a"]).unwrap();
    assert_eq!(answer.version_stages, ["a", "b", "AWSSOMETHING"]);
    world.put(S, "v3", "three", &["AWSPREVIOUS"]).unwrap();
    assert_eq!(world.labels(S), "v1{AWSCURRENT} v2{AWSSOMETHING,a,b} v3{AWSPREVIOUS}");
    world.put(S, "v4", "four", &["AWSPREVIOUS", "AWSCURRENT"]).unwrap();
    assert_eq!(world.labels(S), "v1{AWSPREVIOUS} v2{AWSSOMETHING,a,b} v4{AWSCURRENT}");
}

/// SEM-STAGE-6: the order of lists that AWS was seen to answer, and of a table that has grown.
#[test]
fn labels_are_answered_as_aws_orders_them() {
    for (put, answered) in [
        (&["AWSCURRENT", "one"][..], &["one", "AWSCURRENT"][..]),
        (&["two", "AWSCURRENT"], &["AWSCURRENT", "two"]),
        (&["two", "one", "AWSCURRENT"], &["one", "AWSCURRENT", "two"]),
        (&["AWSCURRENT", "USEME"], &["USEME", "AWSCURRENT"]),
        (&["WTFTESTING", "AWSPREVIOUS"], &["AWSPREVIOUS", "WTFTESTING"]),
        (&["AWSPENDING", "AWSCURRENT"], &["AWSCURRENT", "AWSPENDING"]),
    ] {
        let mut world = created();
        let answer = world.put(S, "v2", "two", put).unwrap();
        assert_eq!(answer.version_stages, answered);
        let shown = world.describe(S).unwrap().versions_to_stages;
        assert!(shown.iter().any(|(_, stages)| stages == answered), "{shown:?}");
    }
    let mut world = created();
    let labels: Vec<String> = (0..13).map(|number| format!("L{number}")).collect();
    let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
    let answer = world.put(S, "v2", "two", &labels).unwrap();
    let large = ["L0", "L1", "L2", "L3", "L4", "L5", "L10", "L6", "L7", "L12", "L8", "L11", "L9"];
    assert_eq!(answer.version_stages, large);
}

/// SEM-STAGE-5: 20 labels are legal, 21 are not, by whichever operation; AWSPREVIOUS counts.
#[test]
fn a_secret_has_at_most_twenty_labels() {
    let text = "A secret can have at most 20 staging labels on all its versions.";
    let labels: Vec<String> = (0..19).map(|number| format!("L{number}")).collect();
    let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
    let mut world = created();
    world.put(S, "v2", "two", &labels).unwrap();
    unchanged(&mut world, |world| {
        refused(world.put(S, "v3", "three", &["one more"]), LimitExceeded, text);
        refused(world.put(S, "v3", "three", &[]), LimitExceeded, text);
        refused(world.update(S, "v3", None, Some("three")), LimitExceeded, text);
        refused(world.move_stage(S, "more", None, Some("v1")), LimitExceeded, text);
    });
    world.put(S, "v3", "three", &labels).unwrap();
    world.move_stage(S, "L0", Some("v3"), None).unwrap();
    world.put(S, "v4", "four", &[]).unwrap();
}

/// SEM-STAGE-13
#[test]
fn a_move_from_nowhere_to_nowhere_is_refused() {
    let text = "You must provide MoveToVersionId, RemoveFromVersionId, or both.";
    refused(created().move_stage(S, "x", None, None), InvalidParameter, text);
}

/// SEM-STAGE-14: a free label is attached; one that is already there is a success.
#[test]
fn a_label_without_a_holder_needs_no_remove_from() {
    let mut world = four();
    world.move_stage(S, "x", None, Some("v4")).unwrap();
    assert_eq!(world.labels(S), "v1{AWSPREVIOUS,old} v2{AWSCURRENT} v4{x} v3{AWSPENDING}");
    for (stage, holder) in [("x", "v4"), ("AWSCURRENT", "v2"), ("AWSPREVIOUS", "v1")] {
        unchanged(&mut world, |world| world.move_stage(S, stage, None, Some(holder))).unwrap();
    }
}

/// SEM-STAGE-15: E13, for each kind of label.
#[test]
fn a_label_with_another_holder_must_be_taken_from_it_by_name() {
    for (stage, holder) in
        [("AWSCURRENT", "v2"), ("AWSPREVIOUS", "v1"), ("AWSPENDING", "v3"), ("old", "v1")]
    {
        let holder = token(holder);
        let text = format!(
            "The parameter RemoveFromVersionId can't be empty. Staging label {stage} is currently \
             attached to version {holder}, so you must explicitly reference that version in \
             RemoveFromVersionId."
        );
        refused(four().move_stage(S, stage, None, Some("v4")), InvalidParameter, &text);
    }
}

/// SEM-STAGE-16, SEM-STAGE-23: only AWSCURRENT takes AWSPREVIOUS along.
#[test]
fn a_label_moves_from_its_holder() {
    let mut world = four();
    world.move_stage(S, "AWSPENDING", Some("v3"), Some("v4")).unwrap();
    assert_eq!(world.labels(S), "v1{AWSPREVIOUS,old} v2{AWSCURRENT} v4{AWSPENDING}");
    world.move_stage(S, "AWSCURRENT", Some("v2"), Some("v4")).unwrap();
    assert_eq!(world.labels(S), "v1{old} v2{AWSPREVIOUS} v4{AWSCURRENT,AWSPENDING}");
    world.move_stage(S, "AWSPREVIOUS", Some("v2"), Some("v3")).unwrap();
    assert_eq!(world.labels(S), "v1{old} v4{AWSCURRENT,AWSPENDING} v3{AWSPREVIOUS}");
}

/// SEM-STAGE-4: a rollback swaps the two labels.
#[test]
fn rolling_back_swaps_current_and_previous() {
    let mut world = created();
    world.put(S, "v2", "two", &[]).unwrap();
    world.move_stage(S, "AWSCURRENT", Some("v2"), Some("v1")).unwrap();
    assert_eq!(world.labels(S), "v1{AWSCURRENT} v2{AWSPREVIOUS}");
}

/// SEM-STAGE-17
#[test]
fn a_label_does_not_move_from_a_version_that_lacks_it() {
    for (stage, from) in [("AWSCURRENT", "v1"), ("old", "v2"), ("nobody's", "v2")] {
        let text = format!(
            "When you move staging label {stage}, if you specify RemoveFromVersionId, it must be \
             set to the version that currently has the staging label {stage}."
        );
        refused(four().move_stage(S, stage, Some(from), Some("v4")), InvalidParameter, &text);
    }
}

/// SEM-STAGE-18
#[test]
fn moving_a_label_to_where_it_is_changes_nothing() {
    let mut world = four();
    unchanged(&mut world, |world| {
        world.move_stage(S, "AWSCURRENT", Some("v2"), Some("v2")).unwrap();
        world.move_stage(S, "old", Some("v1"), Some("v1")).unwrap();
    });
}

/// SEM-STAGE-19, SEM-STAGE-2: what loses its last label stays readable by its id.
#[test]
fn labels_can_be_removed() {
    let mut world = four();
    for (stage, from) in [("old", "v1"), ("AWSPREVIOUS", "v1"), ("AWSPENDING", "v3")] {
        world.move_stage(S, stage, Some(from), None).unwrap();
    }
    assert_eq!(world.labels(S), "v2{AWSCURRENT}");
    let found = world.get_at(S, Some("v1"), None).unwrap();
    assert!(found.stages.is_empty());
}

/// SEM-STAGE-20: E14, whichever version is named.
#[test]
fn current_is_never_removed() {
    let text = "You can only move staging label AWSCURRENT to a different secret version. \
                It can\u{2019}t be completely removed.";
    for from in ["v2", "v1", "unknown"] {
        refused(four().move_stage(S, "AWSCURRENT", Some(from), None), InvalidParameter, text);
    }
}

/// SEM-STAGE-21
#[test]
fn an_unknown_version_is_not_found() {
    let text = format!(
        "Secrets Manager can't find the specified secret value for VersionId: {}",
        token("none")
    );
    let mut world = four();
    for (from, to) in [
        (None, Some("none")),
        (Some("none"), None),
        (Some("none"), Some("v1")),
        (Some("v1"), Some("none")),
    ] {
        refused(world.move_stage(S, "old", from, to), ResourceNotFound, &text);
    }
}

/// SEM-STAGE-22
#[test]
fn a_label_is_not_removed_from_a_version_that_lacks_it() {
    let text = format!("Version stage old not found in version {}", token("v2"));
    refused(four().move_stage(S, "old", Some("v2"), None), InvalidParameter, &text);
}

/// SEM-STAGE-25: rotation makes versions without a value; nothing refuses to promote one.
#[test]
fn a_placeholder_can_be_promoted() {
    let mut world = created();
    super::token::add_placeholder(&mut world, "v2");
    world.move_stage(S, "AWSCURRENT", Some("v1"), Some("v2")).unwrap();
    assert_eq!(world.labels(S), "v1{AWSPREVIOUS} v2{AWSCURRENT,AWSPENDING}");
}

/// SEM-STAGE-4: where nothing was current, AWSPREVIOUS leaves the version that becomes it, and no other.
#[test]
fn a_first_current_version_takes_previous_from_itself_alone() {
    for (to, labels) in [
        ("v1", "v1{AWSCURRENT} v2{AWSPENDING}"),
        ("v2", "v1{AWSPREVIOUS} v2{AWSCURRENT,AWSPENDING}"),
    ] {
        let mut world = World::default();
        world.create(S, "c", None).unwrap();
        super::token::add_placeholder(&mut world, "v1");
        world.move_stage(S, "AWSPREVIOUS", None, Some("v1")).unwrap();
        world.move_stage(S, "AWSPENDING", Some("v1"), None).unwrap();
        super::token::add_placeholder(&mut world, "v2");
        world.move_stage(S, "AWSCURRENT", None, Some(to)).unwrap();
        assert_eq!(world.labels(S), labels);
    }
}

/// SEM-STAGE-11: its value is not the first version, so nothing is current after it unless it is asked to be.
#[test]
fn a_placeholder_is_filled_with_the_labels_asked_for() {
    let mut world = World::default();
    world.create(S, "c", None).unwrap();
    super::token::add_placeholder(&mut world, "v1");
    world.put(S, "v1", "one", &["AWSPENDING", "AWSPREVIOUS"]).unwrap();
    assert_eq!(world.labels(S), "v1{AWSPENDING,AWSPREVIOUS}");
}
