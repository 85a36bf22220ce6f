//! Tags (SEM-TAG).

use super::{S, created, refused, unchanged};
use crate::model::Tag;
use crate::model::api::{CreateSecret, VersionResponse};
use crate::secret::PayloadKind;
use crate::semantics::Fault;
use crate::semantics::FaultKind::InvalidParameter;
use crate::semantics::memory::{Mutation, World, token};

type Pairs = Option<Vec<(String, String)>>;

fn tags(world: &World) -> Pairs {
    let tags = world.describe(S).unwrap().tags?;
    Some(tags.into_iter().map(|tag| (tag.key, tag.value)).collect())
}

/// As `tags` gives them for a secret that has these.
#[allow(clippy::unnecessary_wraps)]
fn pairs(tags: &[(&str, &str)]) -> Pairs {
    Some(tags.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect())
}

fn create(world: &mut World, tags: &[(&str, &str)]) -> Result<VersionResponse, Fault> {
    let tags = tags.iter().map(|(key, value)| Tag { key: (*key).into(), value: (*value).into() });
    let request = CreateSecret::<PayloadKind> {
        client_request_token: Some(token("c")),
        tags: Some(tags.collect()),
        ..CreateSecret::new(S)
    };
    world.write(&Mutation::CreateSecret(request), None)
}

/// SEM-TAG-1
#[test]
fn tags_are_merged_by_key() {
    let mut world = World::default();
    create(&mut world, &[("a", "1"), ("b", "2")]).unwrap();
    world.tag(S, &[("c", ""), ("a", "3"), ("A", "4")]).unwrap();
    assert_eq!(tags(&world), pairs(&[("a", "3"), ("b", "2"), ("c", ""), ("A", "4")]));
}

/// SEM-TAG-2
#[test]
fn untagging_a_missing_key_succeeds() {
    let mut world = created();
    unchanged(&mut world, |world| world.untag(S, &["none"])).unwrap();
    world.tag(S, &[("a", "1"), ("b", "2")]).unwrap();
    world.untag(S, &["none", "b"]).unwrap();
    assert_eq!(tags(&world), pairs(&[("a", "1")]));
}

/// SEM-TAG-3, SEM-TAG-4
#[test]
fn a_secret_remembers_that_it_was_tagged() {
    let mut world = World::default();
    create(&mut world, &[]).unwrap();
    unchanged(&mut world, |world| world.tag(S, &[])).unwrap();
    assert_eq!(tags(&world), None, "never tagged");
    world.tag(S, &[("a", "1")]).unwrap();
    world.untag(S, &["a"]).unwrap();
    assert_eq!(tags(&world), pairs(&[]), "shown as an empty list");
}

/// SEM-TAG-5
#[test]
fn keys_of_aws_are_reserved() {
    for key in ["aws:x", "aws:", "AWS:x"] {
        let text = format!("You can't modify system tags. Tag key: '{key}'.");
        refused(created().tag(S, &[("k", ""), (key, "")]), InvalidParameter, &text);
        refused(create(&mut World::default(), &[(key, "")]), InvalidParameter, &text);
    }
    created().tag(S, &[("aws", ""), ("awsome:", ""), ("\u{e9}\u{e9}\u{e9}", "aws:")]).unwrap();
}

/// SEM-TAG-6
#[test]
fn a_key_comes_once_in_a_request() {
    let text = "Duplicate tag key: k";
    refused(created().tag(S, &[("k", "1"), ("k", "1")]), InvalidParameter, text);
    refused(create(&mut World::default(), &[("k", "1"), ("k", "2")]), InvalidParameter, text);
}

/// SEM-TAG-7
#[test]
fn a_secret_has_at_most_fifty_tags() {
    let text = "A secret can have at most 50 tags.";
    let keys: Vec<String> = (0..51).map(|number| format!("k{number}")).collect();
    let all: Vec<(&str, &str)> = keys.iter().map(|key| (key.as_str(), "")).collect();
    let mut world = World::default();
    refused(create(&mut world, &all), InvalidParameter, text);
    create(&mut world, &all[..50]).unwrap();
    refused(world.tag(S, &all[50..]), InvalidParameter, text);
    world.tag(S, &[("k7", "changed")]).unwrap();
}
