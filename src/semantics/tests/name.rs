//! Names, ARNs, and which secret a `SecretId` means (SEM-NAME, SEM-ARN).

use super::{S, created, refused};
use crate::model::{Scope, SecretName};
use crate::semantics::FaultKind::{ResourceNotFound, Validation};
use crate::semantics::memory::World;

const GONE: &str = "Secrets Manager can't find the specified secret.";
const BAD: &str = "Invalid name. Must be a valid name containing alphanumeric characters, or any \
                   of the following: -/_+=.@!";

/// SEM-NAME-1
#[test]
fn a_name_has_512_of_its_own_characters() {
    let mut world = World::default();
    let longest = "n".repeat(512);
    for name in ["a", "Valid/_+=.@-Name", "rds!cluster", longest.as_str()] {
        world.create(name, "c", None).unwrap();
        assert_eq!(world.describe(name).unwrap().name, name);
    }
    for name in ["a b", "a*", "caf\u{e9}", "a\n", "a:b", "a\0"] {
        refused(world.create(name, "c", None), Validation, BAD);
    }
}

/// SEM-NAME-2
#[test]
fn names_are_unique_within_account_and_region() {
    let mut world = created();
    world.create("App/db", "v1", Some("another case")).unwrap();
    for scope in [Scope::new("000000000000", "eu-west-1"), Scope::new("111122223333", "us-east-1")]
    {
        world.scope = scope;
        refused(world.describe(S), ResourceNotFound, GONE);
        world.create(S, "v1", Some("elsewhere")).unwrap();
    }
    assert_eq!(world.view.names.len(), 4);
}

/// SEM-NAME-3: E12 in every operation that takes a `SecretId`, and before E1.
#[test]
fn a_bad_name_is_refused_before_it_is_looked_up() {
    let mut world = created();
    let bad = "a b";
    refused(world.get(bad), Validation, BAD);
    refused(world.describe(bad), Validation, BAD);
    refused(world.policy(bad), Validation, BAD);
    refused(world.put(bad, "t", "x", &[]), Validation, BAD);
    refused(world.update(bad, "t", None, None), Validation, BAD);
    refused(world.move_stage(bad, "x", None, None), Validation, BAD);
    refused(world.delete(bad, None, None), Validation, BAD);
    refused(world.restore(bad), Validation, BAD);
    refused(world.tag(bad, &[]), Validation, BAD);
    refused(world.untag(bad, &[]), Validation, BAD);
    let request =
        crate::model::api::ListSecretVersionIds { secret_id: bad.into(), ..Default::default() };
    refused(world.list_versions(&request), Validation, BAD);
}

/// SEM-NAME-4: `SecretId` may be longer than any name, which then is nobody's.
#[test]
fn an_id_longer_than_a_name_is_not_found() {
    refused(created().get(&"n".repeat(513)), ResourceNotFound, GONE);
    refused(created().get(&"n".repeat(2048)), ResourceNotFound, GONE);
}

/// SEM-ARN-1, SEM-ARN-2, SEM-ARN-3, SEM-ARN-4: the recorded set of names.
#[test]
fn full_arn_name_and_partial_arn_mean_the_same_secret() {
    for (name, partial_works) in [
        ("s-c64bdc03", true),
        ("Valid/_+=.@-Name", true),
        ("Valid/_+=.@-Name-a1b2", true),
        ("Valid/_+=.@-Name-a1b2c3-", true),
        ("Invalid/_+=.@-Name-a1b2c3", false),
        ("my-secret", false),
    ] {
        let mut world = World::default();
        let arn = world.create(name, "v1", Some("one")).unwrap().arn;
        assert_eq!(world.get(name).unwrap().record.arn().to_string(), arn);
        assert_eq!(world.get(&arn).unwrap().record.name.as_str(), name);
        let partial = &arn[..arn.len() - 7];
        if partial_works {
            assert_eq!(world.describe(partial).unwrap().arn, arn, "answers hold the full ARN");
        } else {
            refused(world.describe(partial), ResourceNotFound, GONE);
        }
        let with_suffix = &arn[arn.len() - name.len() - 7..];
        refused(world.describe(with_suffix), ResourceNotFound, GONE);
    }
}

/// SEM-ARN-1: a wrong end, of whatever kind, is no partial ARN.
#[test]
fn a_wrong_suffix_is_not_found() {
    let world = created();
    let arn = world.describe(S).unwrap().arn;
    let stem = &arn[..arn.len() - 6];
    for end in ["ZZZZZZ", "zzzzz", "zzzzzzz"] {
        refused(world.get(&format!("{stem}{end}")), ResourceNotFound, GONE);
    }
}

/// SEM-ARN-5: another account's is a question of access (SEM-ACCESS-2).
#[test]
fn an_arn_of_another_region_is_not_found() {
    let mut world = created();
    let arn = world.describe(S).unwrap().arn;
    let suffix = world.view.secrets.values().next().unwrap().suffix;
    world.scope = Scope::new("000000000000", "eu-west-1");
    world.create(S, "v1", Some("one")).unwrap();
    // The worst case: there is one whose suffix is the same.
    let id = *world.view.secrets.keys().next_back().unwrap();
    world.view.secrets.get_mut(&id).unwrap().suffix = suffix;
    assert_eq!(world.describe(S).unwrap().arn[arn.len() - 6..], arn[arn.len() - 6..]);
    refused(world.get(&arn), ResourceNotFound, GONE);
    refused(world.get(&arn[..arn.len() - 7]), ResourceNotFound, GONE);
}

/// SEM-ARN-6
#[test]
fn what_starts_as_an_arn_and_is_none_is_not_found() {
    let mut world = created();
    let own = world.describe(S).unwrap().arn;
    for id in [
        "arn:".to_owned(),
        "arn:aws:s3:us-east-1:000000000000:secret:app/db".to_owned(),
        "arn:aws:secretsmanager:us-east-1:000000000000:secret:a b".to_owned(),
        "arn:aws:secretsmanager:us-east-1:000000000000:secret:".to_owned(),
        own.replace("arn:aws:", "arn:aws-cn:"),
    ] {
        refused(world.get(&id), ResourceNotFound, GONE);
    }
    for (region, partition) in [("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")] {
        world.scope = Scope::new("000000000000", region);
        let arn = world.create(S, "v1", Some("one")).unwrap().arn;
        assert!(arn.starts_with(&format!("arn:{partition}:secretsmanager:{region}:")), "{arn}");
        world.get(&arn).unwrap();
    }
}

/// SEM-ARN-4
#[test]
fn an_arn_ends_in_the_suffix_of_its_creation() {
    let mut world = World::default();
    let suffix = world.context().suffix;
    let arn = world.create(S, "v1", None).unwrap().arn;
    let name = SecretName::parse(S).unwrap();
    let region = "arn:aws:secretsmanager:us-east-1:000000000000:secret";
    assert_eq!(arn, format!("{region}:{name}-{}", suffix.as_str()));
}
