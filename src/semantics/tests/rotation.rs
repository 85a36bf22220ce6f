//! Rotation: what is asked for and what is shown (SEM-ROT). `turns.rs` has how it goes on.

use super::{S, created, refused, scheduled, unchanged};
use crate::env::UnixMillis;
use crate::model::api::{
    AdvanceRotation, CancelRotateSecret, ListSecrets, RotateSecret, RotationReport, RotationRules,
    RotationTurn, VersionResponse,
};
use crate::model::{RotationStep, VersionId};
use crate::semantics::FaultKind::{AccessDenied, InvalidParameter, InvalidRequest, Validation};
use crate::semantics::memory::{Mutation, World, token};
use crate::semantics::{Answer, Fault, Upkeep, rotation_due};

pub(super) const F: &str = "arn:aws:lambda:us-east-1:000000000000:function:rotate";
pub(super) const STEPS: [RotationStep; 4] = [
    RotationStep::CreateSecret,
    RotationStep::SetSecret,
    RotationStep::TestSecret,
    RotationStep::FinishSecret,
];
pub(super) const MINUTE: i64 = 60 * 1000;
pub(super) const NOT_COMPLETE: &str =
    "A previous rotation isn't complete. That rotation will be reattempted.";

pub(super) fn days(days: i64) -> RotationRules {
    RotationRules { automatically_after_days: Some(days), ..RotationRules::default() }
}

pub(super) fn request(by: &str, rules: Option<RotationRules>) -> RotateSecret {
    RotateSecret {
        client_request_token: Some(token(by)),
        rotation_lambda_arn: Some(F.to_owned()),
        rotation_rules: rules,
        ..RotateSecret::new(S)
    }
}

pub(super) fn ask(world: &mut World, request: RotateSecret) -> Result<VersionResponse, Fault> {
    world.write(&Mutation::RotateSecret(request), None)
}

pub(super) fn rotate(world: &mut World, by: &str) -> Result<VersionResponse, Fault> {
    ask(world, request(by, Some(days(7))))
}

pub(super) fn cancel(world: &mut World) -> Result<VersionResponse, Fault> {
    world.write(&Mutation::CancelRotateSecret(CancelRotateSecret::new(S)), None)
}

/// One turn; `fresh` names the version that a schedule would begin.
pub(super) fn turn(world: &mut World, report: Option<(&str, RotationStep, bool)>) -> RotationTurn {
    let id = world.id(S).unwrap();
    let report = report.map(|(by, step, succeeded)| {
        let token = VersionId::parse(&token(by)).unwrap();
        RotationReport { token, step, succeeded }
    });
    let fresh_token = VersionId::parse(&token("fresh")).unwrap();
    let request = AdvanceRotation { id, fresh_token, report };
    match world.run(&Upkeep::AdvanceRotation(request), None).unwrap() {
        Answer::Rotation(turn) => turn,
        other => panic!("{other:?}"),
    }
}

pub(super) fn step_of(turn: &RotationTurn) -> Option<RotationStep> {
    turn.call.as_ref().map(|call| call.step)
}

/// A vault that can call [`F`], with one secret.
pub(super) fn rotatable() -> World {
    let mut world = created();
    world.functions.insert(F.to_owned());
    world
}

/// Does what a good function does in that step.
pub(super) fn act(world: &mut World, by: &str, step: RotationStep) {
    let current = world.get(S).unwrap().version.version_id;
    let current = current.as_str().trim_end_matches('-').to_owned();
    match step {
        RotationStep::CreateSecret => {
            world.put(S, by, &format!("value of {by}"), &["AWSPENDING"]).unwrap();
        }
        RotationStep::FinishSecret => {
            world.move_stage(S, "AWSCURRENT", Some(&current), Some(by)).unwrap();
        }
        RotationStep::SetSecret | RotationStep::TestSecret => {}
    }
}

/// Takes a rotation that has begun to its end.
pub(super) fn complete(world: &mut World, by: &str) {
    let mut next = turn(world, None);
    for step in STEPS {
        assert_eq!(step_of(&next), Some(step));
        act(world, by, step);
        world.pass(1000);
        next = turn(world, Some((by, step, true)));
    }
    assert_eq!(step_of(&next), None);
}

pub(super) fn due(world: &World) -> Option<UnixMillis> {
    rotation_due(&world.view.secrets[&world.id(S).unwrap()], world.now)
}

/// SEM-ROT-1
#[test]
fn the_checks_come_in_their_order_and_a_refusal_stores_nothing() {
    let mut world = created();
    unchanged(&mut world, |world| {
        let nowhere = RotateSecret { secret_id: "nowhere".into(), ..request("r", None) };
        let tokenless = RotateSecret { client_request_token: None, ..nowhere.clone() };
        let text = "You must provide a ClientRequestToken value. We recommend a UUID-type value.";
        refused(ask(world, tokenless.clone()), InvalidParameter, text);
        let text = "Invalid name. Must be a valid name containing alphanumeric characters, or any \
                    of the following: -/_+=.@!";
        let odd = RotateSecret { secret_id: "a b".into(), ..tokenless };
        refused(ask(world, odd), Validation, text);
        let text = "Secrets Manager can't find the specified secret.";
        refused(ask(world, nowhere), crate::semantics::FaultKind::ResourceNotFound, text);
        let text = "No Lambda rotation function ARN is associated with this secret.";
        for arn in [None, Some(String::new())] {
            let none = RotateSecret { rotation_lambda_arn: arn, ..request("r", None) };
            refused(ask(world, none), InvalidRequest, text);
        }
        let text = "Secrets Manager cannot invoke the specified Lambda function. Ensure that the \
                    function policy grants access to the principal secretsmanager.amazonaws.com.";
        refused(rotate(world, "r"), AccessDenied, text);
        assert_eq!(world.describe(S).unwrap().rotation, None);
    });
    world.put(S, "p", "x", &["AWSPENDING"]).unwrap();
    // Whether it can be called is looked at before what is pending.
    assert_eq!(rotate(&mut world, "r").unwrap_err().kind, AccessDenied);
    world.functions.insert(F.to_owned());
    unchanged(&mut world, |world| refused(rotate(world, "r"), InvalidRequest, NOT_COMPLETE));
    let mut world = scheduled();
    world.functions.insert(F.to_owned());
    let text = "You can't perform this operation on the secret because it was marked for deletion.";
    refused(rotate(&mut world, "r"), InvalidRequest, text);
    refused(cancel(&mut world), InvalidRequest, text);
}

/// SEM-ROT-2
#[test]
fn constraints_of_the_model_are_reported_together() {
    let mut world = rotatable();
    let rules = RotationRules {
        automatically_after_days: Some(1001),
        duration: Some("111h".into()),
        schedule_expression: Some("rate[1]".into()),
    };
    let long = RotateSecret {
        rotation_lambda_arn: Some("a".repeat(2049)),
        client_request_token: Some("short".into()),
        ..request("r", Some(rules))
    };
    let fault = ask(&mut world, long).unwrap_err();
    assert_eq!(fault.kind, Validation);
    assert!(fault.message.starts_with("5 validation errors detected: Value 'short'"), "{fault:?}");
    for path in ["rotationLambdaARN", "automaticallyAfterDays", "duration", "scheduleExpression"] {
        assert!(fault.message.contains(path), "{path}");
    }
}

/// SEM-ROT-3, SEM-ROT-14
#[test]
fn a_rotation_that_is_asked_for_is_configured_and_begun() {
    let mut world = rotatable();
    let answer = rotate(&mut world, "r").unwrap();
    assert_eq!(answer.version_id.unwrap().as_str(), token("r"));
    assert_eq!((answer.name.as_str(), answer.version_stages.len()), (S, 0));
    assert_eq!(world.labels(S), "v1{AWSCURRENT} r{AWSPENDING}");
    let shown = world.describe(S).unwrap().rotation.unwrap();
    assert!(shown.rotation_enabled);
    assert_eq!(shown.rotation_lambda_arn.as_deref(), Some(F));
    assert_eq!(shown.rotation_rules, Some(days(7)));
    assert_eq!(shown.last_rotated_date, None);
    // The end of the seventh day: 2024-01-09T23:59:59Z.
    assert_eq!(shown.next_rotation_date, Some(UnixMillis(1_704_844_799_000)));
    assert_eq!(due(&world), Some(world.wall()));
    let listed = world.list(&ListSecrets::default()).unwrap();
    assert_eq!(listed.secrets[0].rotation, world.describe(S).unwrap().rotation);
}

/// SEM-ROT-4
#[test]
fn the_new_version_has_no_value_until_its_token_fills_it() {
    let mut world = rotatable();
    rotate(&mut world, "r").unwrap();
    for stage in [None, Some("AWSPENDING")] {
        let kind = crate::semantics::FaultKind::ResourceNotFound;
        assert_eq!(world.get_at(S, Some("r"), stage).unwrap_err().kind, kind);
    }
    world.put(S, "r", "new", &["AWSPENDING"]).unwrap();
    assert_eq!(world.labels(S), "v1{AWSCURRENT} r{AWSPENDING}");
    assert!(world.get_at(S, Some("r"), Some("AWSPENDING")).is_ok());

    let mut world = rotatable();
    rotate(&mut world, "r").unwrap();
    world.update(S, "r", None, Some("new")).unwrap();
    assert_eq!(world.labels(S), "v1{AWSPREVIOUS} r{AWSCURRENT}");
}

/// SEM-ROT-5
#[test]
fn a_token_can_be_sent_again_and_is_nobody_elses() {
    let mut world = rotatable();
    let first = rotate(&mut world, "r").unwrap();
    unchanged(&mut world, |world| {
        assert_eq!(rotate(world, "r").unwrap(), first);
        refused(rotate(world, "s"), InvalidRequest, NOT_COMPLETE);
    });
    complete(&mut world, "r");
    unchanged(&mut world, |world| {
        assert_eq!(rotate(world, "r").unwrap(), first);
        let fault = rotate(world, "v1").unwrap_err();
        assert_eq!(fault.kind, InvalidRequest);
        assert!(fault.message.contains(&token("v1")));
    });
}

/// SEM-ROT-13
#[test]
fn a_secret_without_value_can_be_rotated() {
    let mut world = World::default();
    world.functions.insert(F.to_owned());
    world.create(S, "c", None).unwrap();
    rotate(&mut world, "r").unwrap();
    assert_eq!(world.labels(S), "r{AWSPENDING}");
    refused(rotate(&mut world, "s"), InvalidRequest, NOT_COMPLETE);
    world.put(S, "r", "first", &["AWSPENDING"]).unwrap();
    assert_eq!(world.labels(S), "r{AWSPENDING}");
    world.move_stage(S, "AWSCURRENT", None, Some("r")).unwrap();
    for step in STEPS {
        turn(&mut world, Some(("r", step, true)));
    }
    assert_eq!(world.labels(S), "r{AWSCURRENT}");
}

/// SEM-ROT-15
#[test]
fn a_second_request_uses_what_is_stored() {
    let mut world = rotatable();
    rotate(&mut world, "r").unwrap();
    complete(&mut world, "r");
    let bare = RotateSecret { client_request_token: Some(token("s")), ..RotateSecret::new(S) };
    ask(&mut world, bare).unwrap();
    let shown = world.describe(S).unwrap().rotation.unwrap();
    assert_eq!(shown.rotation_lambda_arn.as_deref(), Some(F));
    assert_eq!(shown.rotation_rules, Some(days(7)));
    assert!(shown.last_rotated_date.is_some(), "the last one is not forgotten");
    complete(&mut world, "s");
    ask(&mut world, request("t", Some(days(30)))).unwrap();
    let shown = world.describe(S).unwrap().rotation.unwrap();
    assert_eq!(shown.rotation_rules, Some(days(30)));
}

/// SEM-ROT-16, SEM-ROT-14
#[test]
fn cancelling_keeps_the_configuration_and_the_label() {
    let mut world = rotatable();
    let fault = cancel(&mut world).unwrap_err();
    assert_eq!(fault.kind, InvalidRequest, "never configured");
    rotate(&mut world, "r").unwrap();
    turn(&mut world, Some(("r", RotationStep::CreateSecret, true)));
    assert_eq!(cancel(&mut world).unwrap().version_id.unwrap().as_str(), token("r"));
    assert_eq!(world.labels(S), "v1{AWSCURRENT} r{AWSPENDING}");
    let shown = world.describe(S).unwrap().rotation.unwrap();
    assert!(!shown.rotation_enabled);
    assert_eq!(shown.rotation_lambda_arn.as_deref(), Some(F));
    assert_eq!(shown.rotation_rules, Some(days(7)));
    assert_eq!(shown.next_rotation_date, None);
    unchanged(&mut world, |world| {
        assert_eq!(cancel(world).unwrap().version_id, None);
        let late = turn(world, Some(("r", RotationStep::SetSecret, true)));
        assert_eq!(late, RotationTurn { call: None, due: None });
        refused(rotate(world, "s"), InvalidRequest, NOT_COMPLETE);
    });
    assert_eq!(due(&world), None);
    world.put(S, "manual", "x", &[]).unwrap();
    rotate(&mut world, "t").unwrap();
    assert!(world.describe(S).unwrap().rotation.unwrap().rotation_enabled);
}
