//! Tokens: the matrix of operation, token and value (SEM-TOKEN).

use super::{DAY, S, created, refused, unchanged};
use crate::model::api::{CreateSecret, PutSecretValue};
use crate::model::{Seq, Stage, VersionId, VersionRecord};
use crate::secret::{PayloadKind, SecretBytes};
use crate::semantics::FaultKind::{ResourceExists, Validation};
use crate::semantics::Upkeep;
use crate::semantics::memory::{Mutation, World, token};
use crate::semantics::validate::Check;

/// Adds what a rotation makes first: a version with AWSPENDING and no value.
pub(super) fn add_placeholder(world: &mut World, name: &str) {
    let id = world.id(S).unwrap();
    let record = world.view.secrets.get_mut(&id).unwrap();
    let seq = record.next_seq;
    record.next_seq = Seq(seq.0 + 1);
    record.version_count += 1;
    let version = VersionRecord {
        id,
        seq,
        version_id: VersionId::parse(&token(name)).unwrap(),
        kind: None,
        created: world.now.wall,
        created_age: world.now.age,
        last_accessed: None,
        payload: None,
        wrapped: None,
    };
    world.view.versions.insert((id, seq), version);
    world.view.stages.insert((id, Stage::pending()), seq);
}

fn taken(world: &World, by: &str) -> String {
    let (token, arn) = (token(by), world.describe(S).unwrap().arn);
    format!(
        "You can't use ClientRequestToken {token} because that value is already in use for a \
         version of secret {arn}."
    )
}

const EXISTS: &str = "The operation failed because the secret app/db already exists.";

/// SEM-TOKEN-1
#[test]
fn the_token_becomes_the_version_id_of_its_own_secret() {
    let mut world = World::default();
    let first = world.create("a", "same", Some("x")).unwrap();
    let second = world.create("b", "same", Some("y")).unwrap();
    assert_eq!(first.version_id.unwrap().as_str(), token("same"));
    assert_eq!(second.version_id.unwrap().as_str(), token("same"));
    for text in ["x".repeat(32), "\u{e9}".repeat(64), "terraform-202601010000000000000001ab".into()]
    {
        let request = PutSecretValue {
            client_request_token: Some(text.clone()),
            ..PutSecretValue::new("a", PayloadKind::String)
        };
        let answer = world.write(&Mutation::PutSecretValue(request), Some(World::text("z")));
        assert_eq!(answer.unwrap().version_id.unwrap().as_str(), text);
    }
}

/// SEM-TOKEN-2, SEM-TOKEN-10
#[test]
fn create_on_a_taken_name_is_a_replay_or_refused() {
    let mut world = created();
    let first = World::default().create(S, "v1", Some("one")).unwrap();
    world.pass(DAY);
    unchanged(&mut world, |world| {
        assert_eq!(world.create(S, "v1", Some("one")).unwrap(), first);
        let text = taken(world, "v1");
        refused(world.create(S, "v1", Some("other")), ResourceExists, &text);
        refused(world.create(S, "v1", None), ResourceExists, &text);
        refused(world.create(S, "new", Some("one")), ResourceExists, EXISTS);
        refused(world.create(S, "new", None), ResourceExists, EXISTS);
    });
}

/// SEM-TOKEN-7
#[test]
fn a_create_without_value_can_be_replayed() {
    let mut world = World::default();
    let first = world.create(S, "c", None).unwrap();
    assert_eq!(first.version_id, None);
    unchanged(&mut world, |world| {
        assert_eq!(world.create(S, "c", None).unwrap(), first);
        refused(world.create(S, "other", None), ResourceExists, EXISTS);
        refused(world.create(S, "c", Some("now with one")), ResourceExists, EXISTS);
    });
}

/// SEM-TOKEN-3, SEM-TOKEN-10
#[test]
fn a_put_is_replayed_without_moving_labels() {
    let mut world = created();
    unchanged(&mut world, |world| {
        let answer = world.put(S, "v1", "one", &[]).unwrap();
        assert_eq!(answer.version_stages, ["AWSCURRENT"], "right after the creation");
    });
    world.put(S, "v2", "two", &[]).unwrap();
    world.put(S, "v3", "three", &["x"]).unwrap();
    world.pass(DAY);
    unchanged(&mut world, |world| {
        let answer = world.put(S, "v1", "one", &["x"]).unwrap();
        assert_eq!(answer.version_id.unwrap().as_str(), token("v1"));
        assert_eq!(answer.version_stages, ["AWSPREVIOUS"], "the labels of now");
        let text = taken(world, "v1");
        refused(world.put(S, "v1", "other", &[]), ResourceExists, &text);
    });
    world.move_stage(S, "x", Some("v3"), None).unwrap();
    let answer = unchanged(&mut world, |world| world.put(S, "v3", "three", &["x"])).unwrap();
    assert!(answer.version_stages.is_empty());
}

/// SEM-TOKEN-4, SEM-TOKEN-10
#[test]
fn an_update_is_replayed_with_its_version_id() {
    let mut world = created();
    world.update(S, "v2", Some("text"), Some("two")).unwrap();
    unchanged(&mut world, |world| {
        let answer = world.update(S, "v2", Some("other text"), Some("two")).unwrap();
        assert_eq!(answer.version_id.unwrap().as_str(), token("v2"));
        assert!(answer.version_stages.is_empty());
        let text = taken(world, "v2");
        refused(world.update(S, "v2", None, Some("other")), ResourceExists, &text);
        refused(world.update(S, "v1", None, Some("other")), ResourceExists, &taken(world, "v1"));
    });
}

/// SEM-TOKEN-5: the same bytes of another kind are another value.
#[test]
fn text_and_binary_of_the_same_bytes_differ() {
    let mut world = created();
    let text = taken(&world, "v1");
    let request = CreateSecret {
        client_request_token: Some(token("v1")),
        value: Some(PayloadKind::Binary),
        ..CreateSecret::new(S)
    };
    let value = Some((PayloadKind::Binary, b"one".to_vec()));
    refused(world.write(&Mutation::CreateSecret(request), value), ResourceExists, &text);
}

/// SEM-TOKEN-6
#[test]
fn a_placeholder_is_filled_by_its_token() {
    let mut world = created();
    add_placeholder(&mut world, "v2");
    let mut updated = world.clone();
    let answer = world.put(S, "v2", "two", &["AWSPENDING"]).unwrap();
    assert_eq!(answer.version_stages, ["AWSPENDING"]);
    assert_eq!(world.labels(S), "v1{AWSCURRENT} v2{AWSPENDING}");
    assert_eq!(world.get_at(S, Some("v2"), None).unwrap().version.seq, Seq(2));
    unchanged(&mut world, |world| world.put(S, "v2", "two", &["AWSPENDING"])).unwrap();
    updated.update(S, "v2", None, Some("two")).unwrap();
    assert_eq!(updated.labels(S), "v1{AWSPREVIOUS} v2{AWSCURRENT}");
}

/// SEM-TOKEN-6: filling a placeholder that was promoted before moves nothing.
#[test]
fn a_promoted_placeholder_is_filled_where_it_is() {
    let mut world = created();
    add_placeholder(&mut world, "v2");
    world.move_stage(S, "AWSCURRENT", Some("v1"), Some("v2")).unwrap();
    world.put(S, "v2", "two", &[]).unwrap();
    assert_eq!(world.labels(S), "v1{AWSPREVIOUS} v2{AWSCURRENT}");
}

/// SEM-TOKEN-8
#[test]
fn an_update_without_value_ignores_the_token() {
    let mut world = created();
    let answer = world.update(S, "v1", Some("text"), None).unwrap();
    assert_eq!(answer.version_id, None);
    assert_eq!(world.describe(S).unwrap().description.as_deref(), Some("text"));
}

/// SEM-TOKEN-9
#[test]
fn a_token_is_free_again_once_its_version_is_pruned() {
    let mut world = created();
    for number in 2..=102 {
        world.put(S, &format!("v{number}"), "x", &[]).unwrap();
    }
    world.pass(2 * DAY);
    world.drain(&Upkeep::Prune(world.id(S).unwrap())).unwrap();
    let answer = world.put(S, "v1", "another value", &[]).unwrap();
    assert_eq!(answer.version_stages, ["AWSCURRENT"]);
    assert_eq!(world.get(S).unwrap().version.seq, Seq(103), "numbers are never reused");
}

/// SEM-TOKEN-11: and it is never repeated.
#[test]
fn a_rotation_token_is_checked() {
    let check = |text: &str| {
        let request = PutSecretValue {
            client_request_token: Some(token("v2")),
            rotation_token: Some(SecretBytes::from(text.to_owned()).into()),
            ..PutSecretValue::<PayloadKind>::new(S, PayloadKind::String)
        };
        request.check().map(drop)
    };
    for text in ["a".repeat(36), "Z9-".repeat(85), "-".repeat(256)] {
        assert_eq!(check(&text), Ok(()));
    }
    let at = "Value at 'rotationToken' failed to satisfy constraint: Member must";
    let pattern = format!("{at} satisfy regular expression pattern: ^[a-zA-Z0-9\\-]+$");
    for (text, items) in [
        ("a".repeat(35), vec![format!("{at} have length greater than or equal to 36")]),
        ("a".repeat(257), vec![format!("{at} have length less than or equal to 256")]),
        ("a_".repeat(20), vec![pattern.clone()]),
        (
            String::new(),
            vec![format!("{at} have length greater than or equal to 36"), pattern.clone()],
        ),
    ] {
        let plural = if items.len() == 1 { "" } else { "s" };
        let text_of =
            format!("{} validation error{plural} detected: {}", items.len(), items.join("; "));
        refused(check(&text), Validation, &text_of);
    }
}
