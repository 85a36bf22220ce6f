//! Deletion and recovery (SEM-DEL).

use super::{DAY, S, created, refused, scheduled, unchanged};
use crate::env::UnixMillis;
use crate::model::api::{ListSecretVersionIds, ListSecrets};
use crate::model::{Tag, VersionId};
use crate::semantics::FaultKind::{InvalidParameter, InvalidRequest, ResourceNotFound, Validation};
use crate::semantics::Upkeep;
use crate::semantics::memory::{World, token};

const GONE: &str = "Secrets Manager can't find the specified secret.";
const MARKED: &str =
    "You can't perform this operation on the secret because it was marked for deletion.";

/// SEM-DEL-1, SEM-DEL-2, SEM-DEL-4
#[test]
fn a_deletion_waits_for_its_window() {
    for (window, force, days) in [
        (None, None, 30),
        (Some(7), None, 7),
        (Some(30), Some(false), 30),
        (Some(8), Some(false), 8),
    ] {
        let mut world = created();
        let answer = world.delete(S, window, force).unwrap();
        assert_eq!(answer.deletion_date, world.wall().plus(days * DAY));
        assert!(world.describe(S).unwrap().deleted_date.is_some());
    }
}

/// SEM-DEL-2: E32.
#[test]
fn a_window_is_seven_to_thirty_days() {
    let text = "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).";
    for days in [6, 31, 0, -7, i64::MAX, i64::MIN, 256 + 7] {
        refused(created().delete(S, Some(days), None), InvalidParameter, text);
    }
}

/// SEM-DEL-4: E33, also for a name that is unknown; E32 before it.
#[test]
fn a_forced_deletion_has_no_window() {
    for (days, text) in [
        (7, "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays."),
        (0, "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive)."),
        (31, "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive)."),
    ] {
        for id in [S, "unknown"] {
            refused(created().delete(id, Some(days), Some(true)), InvalidParameter, text);
        }
    }
}

/// SEM-DEL-3, SEM-DEL-6, SEM-DEL-12
#[test]
fn a_forced_deletion_takes_effect_at_once() {
    for mut world in [created(), scheduled()] {
        let id = world.id(S).unwrap();
        let record = world.view.secrets.get_mut(&id).unwrap();
        record.description = Some("text".into());
        record.tags = Some(vec![Tag { key: "k".into(), value: "v".into() }]);
        let answer = world.delete(S, None, Some(true)).unwrap();
        assert_eq!(answer.deletion_date, world.wall());
        refused(world.describe(S), ResourceNotFound, GONE);
        refused(world.get(S), ResourceNotFound, GONE);
        refused(world.restore(S), ResourceNotFound, GONE);
        refused(world.describe(&answer.arn), ResourceNotFound, GONE);
        assert_eq!(world.view.purges, [world.now.age]);
        let dead = world.view.secrets.values().next().unwrap();
        assert!(dead.dead && dead.tags.is_none() && dead.description.is_none());

        let again = world.create(S, "v1", Some("new")).unwrap();
        assert_ne!(again.arn, answer.arn, "a new creation has an ARN of its own");
        assert_eq!(world.labels(S), "v1{AWSCURRENT}");
        refused(world.describe(&answer.arn), ResourceNotFound, GONE);
    }
}

/// SEM-DEL-5
#[test]
fn an_unknown_secret_cannot_be_scheduled() {
    refused(created().delete("unknown", None, None), ResourceNotFound, GONE);
    refused(created().restore("unknown"), ResourceNotFound, GONE);
}

/// SEM-DEL-6: E31.
#[test]
fn a_scheduled_secret_cannot_be_scheduled_again() {
    let text = "You can't perform this operation on the secret because it was already scheduled \
                for deletion.";
    refused(scheduled().delete(S, Some(7), None), InvalidRequest, text);
}

/// SEM-DEL-7
#[test]
fn a_forced_deletion_of_nothing_succeeds() {
    let mut world = created();
    let region = "arn:aws:secretsmanager:us-east-1:000000000000:secret:";
    unchanged(&mut world, |world| {
        let answer = world.delete("unknown", None, Some(true)).unwrap();
        let suffix = world.context().suffix;
        assert_eq!(answer.arn, format!("{region}unknown-{}", suffix.as_str()));
        assert_eq!((answer.name.as_str(), answer.deletion_date), ("unknown", world.wall()));
        let arn = format!("{region}unknown-Ab1Cd2");
        let answer = world.delete(&arn, None, Some(true)).unwrap();
        assert_eq!((answer.arn.as_str(), answer.name.as_str()), (arn.as_str(), "unknown"));
        world.delete("arn:nonsense", None, Some(true)).unwrap();
        let text = "Invalid name. Must be a valid name containing alphanumeric characters, or any \
                    of the following: -/_+=.@!";
        refused(world.delete("a b", None, Some(true)), Validation, text);
    });
}

/// SEM-DEL-8: E7 wins over every token.
#[test]
fn a_scheduled_name_cannot_be_created() {
    let text = "You can't create this secret because a secret with this name is already scheduled \
                for deletion.";
    refused(scheduled().create(S, "v1", Some("one")), InvalidRequest, text);
    refused(scheduled().create(S, "new", None), InvalidRequest, text);
}

/// SEM-DEL-9
#[test]
fn a_scheduled_secret_refuses_most_operations() {
    let mut world = scheduled();
    unchanged(&mut world, |world| {
        refused(world.get(S), InvalidRequest, MARKED);
        refused(world.get_at(S, Some("none"), None), InvalidRequest, MARKED);
        refused(world.policy(S), InvalidRequest, MARKED);
        refused(world.put(S, "v2", "two", &[]), InvalidRequest, MARKED);
        refused(world.put(S, "v1", "one", &[]), InvalidRequest, MARKED);
        refused(world.update(S, "v2", Some("text"), None), InvalidRequest, MARKED);
        refused(world.update(S, "v2", None, None), InvalidRequest, MARKED);
        refused(world.move_stage(S, "x", None, Some("v1")), InvalidRequest, MARKED);
        refused(world.tag(S, &[("a", "b")]), InvalidRequest, MARKED);
        refused(world.untag(S, &["a"]), InvalidRequest, MARKED);
    });
}

/// SEM-DEL-10, SEM-LIST-9
#[test]
fn a_scheduled_secret_can_be_looked_at() {
    let mut world = scheduled();
    let described = world.describe(S).unwrap();
    assert_eq!(described.versions_to_stages.len(), 1);
    let request = ListSecretVersionIds { secret_id: S.into(), ..Default::default() };
    assert_eq!(world.list_versions(&request).unwrap().versions.len(), 1);
    assert!(world.list(&ListSecrets::default()).unwrap().secrets.is_empty());
    let all = ListSecrets { include_planned_deletion: Some(true), ..Default::default() };
    assert_eq!(world.list(&all).unwrap().secrets, [described]);
    world.restore(S).unwrap();
    assert_eq!(world.list(&ListSecrets::default()).unwrap().secrets.len(), 1);
}

/// SEM-DEL-14
#[test]
fn a_restored_secret_is_as_before() {
    let mut world = created();
    let before = world.describe(S).unwrap();
    unchanged(&mut world, |world| world.restore(S)).unwrap();
    world.pass(DAY);
    world.delete(S, None, None).unwrap();
    let answer = world.restore(S).unwrap();
    assert_eq!((answer.arn, answer.name), (before.arn.clone(), before.name.clone()));
    let after = world.describe(S).unwrap();
    assert_eq!(after.last_changed_date, world.wall());
    assert_eq!(
        crate::model::api::DescribeSecretResponse {
            last_changed_date: before.last_changed_date,
            ..after
        },
        before
    );
    world.get(S).unwrap();
    world.delete(S, Some(7), None).unwrap();
}

/// SEM-DEL-15
#[test]
fn deleted_date_is_the_time_of_the_request() {
    let mut world = created();
    world.pass(1_234);
    world.delete(S, None, None).unwrap();
    assert_eq!(world.describe(S).unwrap().deleted_date, Some(world.wall()));
}

/// SEM-DEL-11: only the age clock counts, and until it is over the secret can come back, purged or not.
#[test]
fn a_purge_waits_until_the_window_is_over_on_the_age_clock() {
    let mut world = created();
    world.delete(S, Some(7), None).unwrap();
    let purge = Upkeep::Purge(world.id(S).unwrap());
    for jump in [400 * DAY, -400 * DAY] {
        let mut world = world.clone();
        world.now.wall = world.now.wall.plus(jump);
        assert_eq!(world.drain(&purge).unwrap(), 0);
    }
    world.pass(7 * DAY - 1);
    assert_eq!(world.drain(&purge).unwrap(), 0);
    world.clone().restore(S).unwrap();
    world.pass(1);
    unchanged(&mut world, |world| refused(world.restore(S), ResourceNotFound, GONE));
    assert_eq!(world.drain(&purge).unwrap(), 1);
    assert_eq!(world.drain(&purge).unwrap(), 0, "once is enough");
    refused(world.describe(S), ResourceNotFound, GONE);
    assert_eq!(world.view.purges, [world.now.age]);
    world.create(S, "v1", Some("again")).unwrap();
}

/// SEM-DEL-11: what is not scheduled is never purged.
#[test]
fn an_active_secret_is_never_purged() {
    let mut world = created();
    world.pass(1000 * DAY);
    let purge = Upkeep::Purge(world.id(S).unwrap());
    assert_eq!(world.drain(&purge).unwrap(), 0);
    let unknown = Upkeep::Purge(crate::model::RecordId([9; 16]));
    assert_eq!(world.drain(&unknown).unwrap(), 0);
}

/// SEM-DEL-13: bounded parts (`World` counts the rows of each), until nothing is left.
#[test]
fn a_sweep_removes_every_row_of_a_dead_secret_in_bounded_parts() {
    for (versions, chunks, parts) in
        [(0, 1, 1), (1, 1, 1), (70, 1, 1), (90, 1, 2), (200, 0, 3), (40, 17, 4)]
    {
        let mut world = World { chunks, ..World::default() };
        world.create(S, "c", None).unwrap();
        for number in 0..versions {
            world.put(S, &format!("v{number}"), "x", &["a", &format!("L{}", number % 9)]).unwrap();
        }
        let sweep = Upkeep::Sweep(world.id(S).unwrap());
        assert_eq!(world.drain(&sweep).unwrap(), 0, "the living are not swept");
        world.delete(S, None, Some(true)).unwrap();
        assert_eq!(world.drain(&sweep).unwrap(), parts, "{versions} versions");
        assert!(world.view.secrets.is_empty() && world.view.versions.is_empty());
        assert!(world.view.stages.is_empty() && world.view.values.is_empty());
        assert_eq!(world.drain(&sweep).unwrap(), 0);
    }
}

/// SEM-DEL-1: a wall clock at the end of time does no harm.
#[test]
fn a_deletion_at_the_end_of_time_does_not_overflow() {
    let mut world = created();
    world.now.wall = UnixMillis(i64::MAX);
    assert_eq!(world.delete(S, None, None).unwrap().deletion_date, UnixMillis(i64::MAX));
}

/// SEM-DEL-13: however labels and versions add up, a part touches no more rows than an operation may.
#[test]
fn a_sweep_uses_its_budget_to_the_last_row_and_no_further() {
    for labels in 1..=9 {
        let mut world = World::default();
        world.create(S, "c", Some("x")).unwrap();
        for number in 0..100 {
            let label = format!("L{}", number % labels);
            world.put(S, &format!("v{number}"), "x", &[&label]).unwrap();
        }
        let sweep = Upkeep::Sweep(world.id(S).unwrap());
        world.delete(S, None, Some(true)).unwrap();
        assert_eq!(world.drain(&sweep).unwrap(), 2);
    }
}

/// SEM-DEL-12: what only a living secret needs leaves the record with the name: two that differ in
/// nothing else are the same when they are dead.
#[test]
fn a_dead_record_keeps_nothing_of_the_living() {
    use crate::semantics::change::dead;
    let mut world = created();
    let bare = world.view.secrets[&world.id(S).unwrap()].clone();
    let full = crate::model::SecretRecord {
        creation_token: VersionId::parse(&token("v1")),
        last_accessed: Some(bare.created),
        description: Some("d".into()),
        kms_key_id: Some("k".into()),
        tags: Some(vec![Tag { key: "a".into(), value: "b".into() }]),
        owning_service: Some("s".into()),
        ..bare.clone()
    };
    assert!(bare.creation_token.is_none() && full.creation_token.is_some());
    world.pass(DAY);
    let now = world.now;
    assert_eq!(dead(&full, now), dead(&bare, now));
    assert_eq!((dead(&bare, now).dead, dead(&bare, now).last_changed), (true, now.wall));
    assert_eq!(dead(&bare, now).version_count, bare.version_count, "what the sweep has to do");
}
