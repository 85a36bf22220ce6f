//! Values and which version a read means (SEM-VAL).

use super::{S, Shape, created, refused, unchanged};
use crate::model::api::{CreateSecret, ListSecretVersionIds, PutSecretValue, UpdateSecret};
use crate::secret::PayloadKind;
use crate::semantics::FaultKind::{InvalidParameter, InvalidRequest, ResourceNotFound, Validation};
use crate::semantics::memory::{Mutation, World, token};
use crate::semantics::messages;
use crate::semantics::validate::Check;

fn lacks(what: &str) -> String {
    format!("Secrets Manager can't find the specified secret value for {what}")
}

/// SEM-VAL-1, SEM-VAL-2, SEM-VAL-6: bytes count, both ends are exact, the value is not repeated.
#[test]
fn a_value_has_1_to_65536_bytes() {
    for (kind, path) in
        [(PayloadKind::String, "secretString"), (PayloadKind::Binary, "secretBinary")]
    {
        for (bytes, must) in [
            (0, Some("greater than or equal to 1")),
            (1, None),
            (65_536, None),
            (65_537, Some("less than or equal to 65536")),
        ] {
            let client_request_token = || Some(token("t"));
            let value = || Some(Shape(kind, bytes));
            let create = CreateSecret {
                client_request_token: client_request_token(),
                value: value(),
                ..CreateSecret::new(S)
            };
            let put = PutSecretValue {
                client_request_token: client_request_token(),
                ..PutSecretValue::<Shape>::new(S, Shape(kind, bytes))
            };
            let update = UpdateSecret {
                client_request_token: client_request_token(),
                value: value(),
                ..UpdateSecret::new(S)
            };
            for result in
                [create.check().map(drop), put.check().map(drop), update.check().map(drop)]
            {
                let Some(must) = must else {
                    result.unwrap();
                    continue;
                };
                let text = format!(
                    "1 validation error detected: Value at '{path}' failed to satisfy constraint: \
                     Member must have length {must}"
                );
                refused(result, Validation, &text);
            }
        }
    }
}

/// SEM-VAL-3: E11; a replay needs its value too.
#[test]
fn a_put_needs_a_value() {
    for by in ["v1", "v2"] {
        let request = PutSecretValue {
            secret_id: S.into(),
            client_request_token: Some(token(by)),
            value: None,
            version_stages: None,
            rotation_token: None,
        };
        let text = "You must provide either SecretString or SecretBinary.";
        let mut world = created();
        refused(world.run(&Mutation::PutSecretValue(request), None), InvalidRequest, text);
    }
}

/// SEM-VAL-4
#[test]
fn a_secret_can_be_made_without_a_value() {
    let mut world = World::default();
    assert_eq!(world.create(S, "c", None).unwrap().version_id, None);
    assert!(world.describe(S).unwrap().versions_to_stages.is_empty());
    let text = lacks("staging label: AWSCURRENT");
    refused(world.get(S), ResourceNotFound, &text);
    let text = lacks(&format!("VersionId: {}", token("c")));
    refused(world.get_at(S, Some("c"), None), ResourceNotFound, &text);
}

/// SEM-VAL-5
#[test]
fn both_kinds_at_once_have_one_refusal() {
    let text = "You can't specify both a binary secret value and a string secret value in the same secret.";
    refused::<()>(Err(messages::two_values()), InvalidParameter, text);
}

/// SEM-VAL-7
#[test]
fn an_empty_text_is_none() {
    let mut world = World::default();
    let request = CreateSecret {
        client_request_token: Some(token("c")),
        description: Some(String::new()),
        kms_key_id: Some(String::new()),
        ..CreateSecret::new(S)
    };
    world.write(&Mutation::CreateSecret(request), None).unwrap();
    let described = world.describe(S).unwrap();
    assert_eq!((described.description, described.kms_key_id), (None, None));
    world.update(S, "u", Some("text"), None).unwrap();
    assert_eq!(world.describe(S).unwrap().description.as_deref(), Some("text"));
    world.update(S, "u", Some(""), None).unwrap();
    assert_eq!(world.describe(S).unwrap().description, None);
}

/// SEM-VAL-8, SEM-LIST-17
#[test]
fn a_key_is_kept_as_given_and_every_name_of_the_own_key_is_the_default() {
    let mut world = created();
    let set = |world: &mut World, key: &str| {
        let request = UpdateSecret {
            client_request_token: Some(token("u")),
            kms_key_id: Some(key.to_owned()),
            ..UpdateSecret::new(S)
        };
        let answer = world.write(&Mutation::UpdateSecret(request), None).unwrap();
        assert_eq!(answer.version_id, None, "a new key makes no version");
        let request = ListSecretVersionIds { secret_id: S.into(), ..Default::default() };
        let keys = world.list_versions(&request).unwrap().versions[0].kms_key_ids.clone();
        (world.describe(S).unwrap().kms_key_id, keys)
    };
    for own in [
        "",
        "aws/secretsmanager",
        "alias/aws/secretsmanager",
        "arn:aws:kms:us-east-1:000000000000:alias/aws/secretsmanager",
    ] {
        let (key, keys) = set(&mut world, "alias/mine");
        assert_eq!((key.as_deref(), keys), (Some("alias/mine"), vec!["alias/mine".to_owned()]));
        let (key, keys) = set(&mut world, own);
        let shown = Some(own).filter(|own| !own.is_empty());
        assert_eq!(key.as_deref(), shown);
        assert_eq!(keys, ["DefaultEncryptionKey"], "{own:?}");
    }
}

/// SEM-VAL-9
#[test]
fn an_update_without_a_value_makes_no_version() {
    let mut world = created();
    let answer = unchanged(&mut world, |world| world.update(S, "u", None, None)).unwrap();
    assert_eq!(answer.version_id, None);
    let answer = world.update(S, "u", Some("text"), None).unwrap();
    assert_eq!((answer.version_id, world.labels(S).as_str()), (None, "v1{AWSCURRENT}"));
    let answer = world.update(S, "v2", Some("more"), Some("two")).unwrap();
    assert_eq!(answer.version_id.unwrap().as_str(), token("v2"));
    assert_eq!(world.describe(S).unwrap().description.as_deref(), Some("more"));
    world.update(S, "v3", None, Some("two")).unwrap();
    assert_eq!(world.labels(S), "v2{AWSPREVIOUS} v3{AWSCURRENT}", "the same value is a version");
}

/// SEM-VAL-10, SEM-VAL-11, SEM-VAL-12, SEM-VAL-14: every way to say which version.
#[test]
fn a_read_finds_its_version() {
    let mut world = created();
    world.put(S, "v2", "two", &["mine"]).unwrap();
    world.put(S, "v3", "three", &["gone"]).unwrap();
    world.move_stage(S, "gone", Some("v3"), None).unwrap();
    for (version, stage, expected) in [
        (None, None, "v1"),
        (None, Some("AWSCURRENT"), "v1"),
        (None, Some("mine"), "v2"),
        (Some("v2"), None, "v2"),
        (Some("v2"), Some("mine"), "v2"),
        (Some("v3"), None, "v3"),
    ] {
        let found = world.get_at(S, version, stage).unwrap();
        assert_eq!(found.version.version_id.as_str(), token(expected), "{version:?} {stage:?}");
    }
    assert!(world.get_at(S, Some("v3"), None).unwrap().stages.is_empty());
}

/// SEM-VAL-11, SEM-VAL-12: E2, E3, E4.
#[test]
fn a_read_says_what_it_does_not_find() {
    let world = created();
    for stage in ["AWSPREVIOUS", "mine"] {
        let text = lacks(&format!("staging label: {stage}"));
        refused(world.get_at(S, None, Some(stage)), ResourceNotFound, &text);
    }
    let text = lacks(&format!("VersionId: {}", token("none")));
    refused(world.get_at(S, Some("none"), None), ResourceNotFound, &text);
    refused(world.get_at(S, Some("none"), Some("AWSCURRENT")), ResourceNotFound, &text);
    let text = "You provided a VersionStage that is not associated to the provided VersionId.";
    for stage in ["AWSPREVIOUS", "mine"] {
        refused(world.get_at(S, Some("v1"), Some(stage)), InvalidRequest, text);
    }
}

/// SEM-LIST-2: a version without a value is described and not listed, and its page is a shorter one.
#[test]
fn a_placeholder_is_not_listed() {
    let mut world = created();
    super::token::add_placeholder(&mut world, "v2");
    world.put(S, "v3", "x", &["custom"]).unwrap();
    assert_eq!(world.describe(S).unwrap().versions_to_stages.len(), 3);
    let page = |include_deprecated, max_results, next_token| {
        let secret_id = S.into();
        let request =
            ListSecretVersionIds { secret_id, max_results, next_token, include_deprecated };
        let page = world.list_versions(&request).unwrap();
        let ids = page.versions.iter().map(|version| version.version_id.to_string());
        (ids.collect::<Vec<_>>(), page.next_token)
    };
    for deprecated in [None, Some(true)] {
        assert_eq!(page(deprecated, None, None), (vec![token("v1"), token("v3")], None));
        let mut next = None;
        for listed in [vec![token("v1")], vec![], vec![token("v3")]] {
            let (ids, after) = page(deprecated, Some(1), next);
            assert_eq!(ids, listed);
            next = after;
        }
        assert_eq!(next, None);
    }
}

/// SEM-VAL-13
#[test]
fn a_placeholder_reads_as_if_it_were_not_there() {
    let mut world = created();
    super::token::add_placeholder(&mut world, "v2");
    let text = lacks("staging label: AWSPENDING");
    refused(world.get_at(S, None, Some("AWSPENDING")), ResourceNotFound, &text);
    let text = lacks(&format!("VersionId: {}", token("v2")));
    refused(world.get_at(S, Some("v2"), None), ResourceNotFound, &text);
    refused(world.get_at(S, Some("v2"), Some("AWSPENDING")), ResourceNotFound, &text);
    assert_eq!(world.labels(S), "v1{AWSCURRENT} v2{AWSPENDING}", "but it is listed");
}

/// SEM-VAL-15
#[test]
fn each_version_remembers_its_own_kind() {
    let mut world = created();
    let request = PutSecretValue {
        client_request_token: Some(token("v2")),
        ..PutSecretValue::<PayloadKind>::new(S, PayloadKind::Binary)
    };
    let value = Some((PayloadKind::Binary, vec![0, 255]));
    world.write(&Mutation::PutSecretValue(request), value).unwrap();
    assert_eq!(world.get(S).unwrap().version.kind, Some(PayloadKind::Binary));
    let found = world.get_at(S, None, Some("AWSPREVIOUS")).unwrap();
    assert_eq!(found.version.kind, Some(PayloadKind::String));
}
