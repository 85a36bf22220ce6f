use super::{FaultKind, S, created, refused, unchanged};
use crate::model::api::{
    CreateSecret, ListSecrets, RotateSecret, RotationRules, UpdateSecret, VersionResponse,
};
use crate::model::{External, ExternalMetadata};
use crate::secret::PayloadKind;
use crate::semantics::memory::{Mutation, World, token};
use crate::semantics::{Fault, rotation_due};

const PARTNER: &str = "SomePartnerCredential";
const ROLE: &str = "arn:aws:iam::000000000000:role/rotates";
const FUNCTION: &str = "arn:aws:lambda:us-east-1:000000000000:function:rotate";

/// A vault with one managed external secret, whose version `v1` has a value.
fn external() -> World {
    let mut world = World::default();
    let request = CreateSecret {
        client_request_token: Some(token("v1")),
        value: Some(PayloadKind::String),
        partner: Some(PARTNER.into()),
        ..CreateSecret::new(S)
    };
    world.write(&Mutation::CreateSecret(request), Some(World::text("one"))).unwrap();
    world
}

fn set_type(world: &mut World, partner: &str) -> Result<VersionResponse, Fault> {
    let request = UpdateSecret {
        client_request_token: Some(token("u")),
        partner: Some(partner.into()),
        ..UpdateSecret::new(S)
    };
    world.write(&Mutation::UpdateSecret(request), None)
}

fn item(key: &str, value: &str) -> ExternalMetadata {
    ExternalMetadata { key: key.into(), value: value.into() }
}

/// The rotation settings of a partner, to be stored only.
fn settings(by: &str) -> RotateSecret {
    RotateSecret {
        client_request_token: Some(token(by)),
        rotation_rules: Some(RotationRules {
            automatically_after_days: Some(7),
            ..RotationRules::default()
        }),
        rotate_immediately: Some(false),
        external_metadata: Some(vec![item("account", "a"), item("key", "k")]),
        external_role_arn: Some(ROLE.into()),
        ..RotateSecret::new(S)
    }
}

fn rotate(world: &mut World, request: RotateSecret) -> Result<VersionResponse, Fault> {
    world.write(&Mutation::RotateSecret(request), None)
}

fn shown(world: &World) -> Option<External> {
    world.describe(S).unwrap().external
}

/// SEM-EXT-1: the type is kept and shown as it was given, in lists too.
#[test]
fn a_type_is_shown() {
    let mut world = external();
    assert_eq!(shown(&world), Some(External::of(PARTNER)));
    assert_eq!(world.list(&ListSecrets::default()).unwrap().secrets[0].external, shown(&world));
    assert_eq!(world.get(S).unwrap().record.external, shown(&world));
    // An ordinary life otherwise.
    world.put(S, "v2", "two", &[]).unwrap();
    assert_eq!(world.labels(S), "v1{AWSPREVIOUS} v2{AWSCURRENT}");
    assert_eq!(shown(&created()), None);
}

/// SEM-EXT-1: an empty type is none.
#[test]
fn an_empty_type_makes_an_ordinary_secret() {
    let mut world = World::default();
    let request = CreateSecret {
        client_request_token: Some(token("v1")),
        partner: Some(String::new()),
        ..CreateSecret::new(S)
    };
    world.write(&Mutation::CreateSecret(request), None).unwrap();
    assert_eq!(shown(&world), None);
}

/// SEM-EXT-2: `UpdateSecret` sets, replaces and clears it, and that alone makes no version.
#[test]
fn a_type_is_updated() {
    let mut world = created();
    let before = world.describe(S).unwrap();
    world.pass(1);
    assert_eq!(set_type(&mut world, PARTNER).unwrap().version_id, None);
    let after = world.describe(S).unwrap();
    assert_eq!(after.external, Some(External::of(PARTNER)));
    assert_eq!(after.versions_to_stages, before.versions_to_stages);
    assert!(after.last_changed_date > before.last_changed_date);
    set_type(&mut world, "Another").unwrap();
    assert_eq!(shown(&world), Some(External::of("Another")));
    set_type(&mut world, "").unwrap();
    assert_eq!(shown(&world), None);
}

/// SEM-EXT-3: settings of a partner go when the secret goes to another partner, or to none.
#[test]
fn another_partner_forgets_the_settings_of_the_one_before() {
    for (partner, forgets) in [(PARTNER, false), ("Another", true), ("", true)] {
        let mut world = external();
        rotate(&mut world, settings("r")).unwrap();
        set_type(&mut world, partner).unwrap();
        let after = world.describe(S).unwrap();
        assert_eq!(after.rotation.is_none(), forgets, "{partner:?}");
        let kept = after.external.is_some_and(|known| !known.metadata.is_empty());
        assert_eq!(kept, !forgets, "{partner:?}");
    }
}

/// SEM-EXT-3: a function that rotated it before it had a partner stays until the next
/// `RotateSecret`.
#[test]
fn a_function_outlives_a_change_of_type() {
    let mut world = created();
    world.functions.insert(FUNCTION.into());
    let request = RotateSecret {
        client_request_token: Some(token("r")),
        rotation_lambda_arn: Some(FUNCTION.into()),
        rotate_immediately: Some(false),
        rotation_rules: None,
        ..RotateSecret::new(S)
    };
    world.write(&Mutation::RotateSecret(request), None).unwrap();
    set_type(&mut world, PARTNER).unwrap();
    let rotation = world.describe(S).unwrap().rotation.unwrap();
    assert_eq!(rotation.rotation_lambda_arn.as_deref(), Some(FUNCTION));
    set_type(&mut world, "").unwrap();
    assert!(world.describe(S).unwrap().rotation.is_some());
}

/// SEM-EXT-4, SEM-EXT-5: settings are stored and shown, no version is made, and the answer names
/// the token.
#[test]
fn settings_are_stored_without_a_rotation() {
    let mut world = external();
    let answer = rotate(&mut world, settings("r")).unwrap();
    assert_eq!(answer.version_id.unwrap().as_str(), token("r"));
    let after = world.describe(S).unwrap();
    let known = after.external.unwrap();
    assert_eq!(known.metadata, settings("r").external_metadata.unwrap());
    assert_eq!(known.role.as_deref(), Some(ROLE));
    let rotation = after.rotation.unwrap();
    assert!(rotation.rotation_enabled && rotation.rotation_lambda_arn.is_none());
    assert_eq!(rotation.rotation_rules, settings("r").rotation_rules);
    assert!(rotation.next_rotation_date.is_some() && rotation.last_rotated_date.is_none());
    assert_eq!(world.labels(S), "v1{AWSCURRENT}");
    // The same request again changes nothing.
    unchanged(&mut world, |world| rotate(world, settings("r")).unwrap());
    // What is left out stays.
    let bare = RotateSecret {
        client_request_token: Some(token("again")),
        rotate_immediately: Some(false),
        ..RotateSecret::new(S)
    };
    rotate(&mut world, bare.clone()).unwrap();
    assert_eq!(shown(&world), Some(known.clone()));
    let cleared = RotateSecret {
        client_request_token: Some(token("clear")),
        external_metadata: Some(vec![]),
        ..bare
    };
    rotate(&mut world, cleared).unwrap();
    assert_eq!(shown(&world), Some(External { metadata: vec![], ..known }));
}

/// SEM-EXT-5: what would call the partner at once is refused, and nothing of it is stored.
#[test]
fn a_rotation_that_would_call_the_partner_is_refused() {
    for immediately in [None, Some(true)] {
        let mut world = external();
        unchanged(&mut world, |world| {
            let request = RotateSecret { rotate_immediately: immediately, ..settings("r") };
            refused(
                rotate(world, request),
                FaultKind::InvalidRequest,
                "You can't rotate this secret because there is no integration with the partner \
                 SomePartnerCredential. To store its rotation settings, set RotateImmediately to \
                 false.",
            );
        });
    }
}

/// SEM-EXT-6: the schedule of a partner begins nothing, and can be cancelled.
#[test]
fn nobody_waits_for_the_window_of_a_partner() {
    let mut world = external();
    rotate(&mut world, settings("r")).unwrap();
    let record = world.view.secrets.values().next().unwrap().clone();
    assert_eq!(rotation_due(&record, world.now), None);
    world.pass(40 * super::DAY);
    assert_eq!(world.labels(S), "v1{AWSCURRENT}");
    let request = crate::model::api::CancelRotateSecret::new(S);
    world.run(&Mutation::CancelRotateSecret(request), None).unwrap();
    assert!(!world.describe(S).unwrap().rotation.unwrap().rotation_enabled);
}

/// SEM-EXT-4: what is only for one kind of secret is refused on the other.
#[test]
fn members_of_the_other_kind_are_refused() {
    let mut world = external();
    let request = RotateSecret { rotation_lambda_arn: Some(FUNCTION.into()), ..settings("r") };
    refused(
        rotate(&mut world, request),
        FaultKind::InvalidParameter,
        "You can't use RotationLambdaARN because the secret is a managed external secret.",
    );
    let mut world = created();
    for (request, member) in [
        (settings("r"), "ExternalSecretRotationMetadata"),
        (
            RotateSecret { external_metadata: None, ..settings("r") },
            "ExternalSecretRotationRoleArn",
        ),
    ] {
        let text =
            format!("You can't use {member} because the secret isn't a managed external secret.");
        refused(rotate(&mut world, request), FaultKind::InvalidParameter, &text);
    }
}

/// SEM-EXT-7: limits of the model, of the row, and what can be no role.
#[test]
fn settings_have_limits() {
    let check = |change: &dyn Fn(&mut RotateSecret)| {
        let mut request = settings("r");
        change(&mut request);
        rotate(&mut external(), request).map(drop)
    };
    let wide = |count: usize| "\u{10FFFF}".repeat(count);
    let metadata = |items: Vec<ExternalMetadata>| {
        check(&move |request| request.external_metadata = Some(items.clone()))
    };
    metadata(vec![item(&wide(256), &wide(2048))]).unwrap();
    metadata(vec![item("k", "v"); 50]).unwrap();
    for items in [vec![item("k", "v"); 51], vec![item("k", &"v".repeat(2048)); 6]] {
        let error = metadata(items).unwrap_err();
        assert_eq!(error.kind, FaultKind::InvalidParameter, "{error:?}");
        assert!(error.message.contains("at most 50 items with at most 12288 bytes"), "{error:?}");
    }
    for (bad, path) in [
        (item("", "v"), "key"),
        (item("k", ""), "value"),
        (item(&"k".repeat(257), "v"), "key"),
        (item("k", &"v".repeat(2049)), "value"),
    ] {
        let error = metadata(vec![item("k", "v"), bad]).unwrap_err();
        let place = format!("'externalSecretRotationMetadata.2.member.{path}'");
        assert_eq!(error.kind, FaultKind::Validation);
        assert!(error.message.contains(&place), "{error:?}");
    }
    let role = |arn: String| check(&move |request| request.external_role_arn = Some(arn.clone()));
    role(format!("{ROLE}{}", "r".repeat(2048 - ROLE.len()))).unwrap();
    for long in [String::new(), "r".repeat(19), "r".repeat(2049)] {
        assert_eq!(role(long).unwrap_err().kind, FaultKind::Validation);
    }
    for odd in [
        "a".repeat(20),
        FUNCTION.to_owned(),
        "arn:aws:iam::000000000000:role/".to_owned(),
        "arn:aws:iam::000000000000:user/somebody".to_owned(),
        format!("{ROLE}\u{e9}"),
        format!("{ROLE} x"),
    ] {
        let text = "Invalid ExternalSecretRotationRoleArn. Must be the ARN of a role.";
        refused(role(odd), FaultKind::InvalidParameter, text);
    }
    let mut world = created();
    set_type(&mut world, &wide(256)).unwrap();
    let error = set_type(&mut world, &"p".repeat(257)).unwrap_err();
    assert!(error.message.contains("at 'type' failed"), "{error:?}");
}

/// SEM-EXT-8: a replica shows the partner; a promoted one keeps it, without the settings.
#[test]
fn a_promoted_replica_keeps_its_partner() {
    let mut world = external();
    rotate(&mut world, settings("r")).unwrap();
    world.replicate(S, &[("eu-west-1", None)], false).unwrap();
    let home = shown(&world);
    world.go_to("eu-west-1");
    assert_eq!(shown(&world), home);
    world.promote(S).unwrap();
    assert_eq!(shown(&world), Some(External::of(PARTNER)));
    assert_eq!(world.describe(S).unwrap().rotation, None);
}

/// SEM-EXT-8: a purge forgets it with everything else.
#[test]
fn a_purge_forgets_the_partner() {
    let mut world = external();
    rotate(&mut world, settings("r")).unwrap();
    world.delete(S, None, None).unwrap();
    world.restore(S).unwrap();
    assert!(shown(&world).is_some_and(|known| !known.metadata.is_empty()));
    world.delete(S, None, Some(true)).unwrap();
    assert!(world.view.secrets.values().all(|record| record.dead && record.external.is_none()));
}
