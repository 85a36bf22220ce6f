use super::replica::{AWAY, FAR, HOME, NO_SECRET, in_sync, listed, replicated};
use super::{DAY, FaultKind, S, created, refused, unchanged};
use crate::model::api::{DescribeSecretResponse, ListSecrets};
use crate::model::{RecordId, SecretName, Seq};
use crate::semantics::memory::World;
use crate::semantics::{Effect, Upkeep, may_be_due};

/// SEM-REPL-10: a primary is not deleted before its replicas (E29), whether forced or not.
#[test]
fn a_primary_with_replicas_cannot_be_deleted() {
    let mut world = replicated();
    world.replicate(S, &[(FAR, None)], false).unwrap();
    let arn = world.describe(S).unwrap().arn;
    for (id, force) in [(S, None), (&*arn, Some(true))] {
        let message = format!(
            "You can't delete secret {id} that still has replica regions [eu-west-1, ap-southeast-2]."
        );
        refused(world.delete(id, None, force), FaultKind::InvalidParameter, &message);
    }
    world.remove_replicas(S, &[AWAY, FAR]).unwrap();
    world.delete(S, None, None).unwrap();
    let scheduled = "You can't perform this operation on the secret because it was marked for \
        deletion.";
    let kind = FaultKind::InvalidRequest;
    refused(world.replicate(S, &[(AWAY, None)], false), kind, scheduled);
    refused(world.remove_replicas(S, &[AWAY]), kind, scheduled);
}

/// SEM-REPL-11: the answer lists the remaining regions, even if there are none; removing a region without
/// a replica succeeds.
#[test]
fn removed_replicas_are_gone() {
    let mut world = replicated();
    world.replicate(S, &[(FAR, None)], false).unwrap();
    let left = world.remove_replicas(S, &[AWAY]).unwrap();
    assert_eq!(left.replication_status, [in_sync(FAR, "alias/aws/secretsmanager")]);
    refused(world.go_to(AWAY).get(S), FaultKind::ResourceNotFound, NO_SECRET);
    assert!(listed(&world, &ListSecrets::default()).is_empty());
    world.create(S, "own", Some("own")).unwrap();
    world.go_to(HOME);
    let same = unchanged(&mut world, |world| world.remove_replicas(S, &[AWAY, "us-west-2"]));
    assert_eq!(same, Ok(left));
    let left = world.remove_replicas(S, &[FAR]).unwrap();
    assert!(left.replication_status.is_empty());
    let home = world.describe(S).unwrap();
    assert_eq!((home.primary_region, home.replication_status), (None, None));
    assert_eq!(world.go_to(AWAY).labels(S), "own{AWSCURRENT}", "never touched");
}

/// SEM-REPL-11: removing a failed replica leaves the secret that is in its way.
#[test]
fn a_failed_replica_can_be_removed() {
    let mut world = created();
    world.go_to(AWAY).create(S, "other", Some("its own")).unwrap();
    world.go_to(HOME).replicate(S, &[(AWAY, None)], false).unwrap();
    assert!(world.remove_replicas(S, &[AWAY]).unwrap().replication_status.is_empty());
    assert_eq!(world.go_to(AWAY).labels(S), "other{AWSCURRENT}");
}

/// SEM-REPL-12: the promoted secret has all that was shown, under the same ARN, and goes its own way.
#[test]
fn a_promoted_replica_is_a_secret_of_its_own() {
    let mut world = replicated();
    world.put(S, "v3", "three", &["custom"]).unwrap();
    let shown = world.go_to(AWAY).describe(S).unwrap();
    world.pass(DAY);
    let answer = world.promote(S).unwrap();
    assert_eq!((&answer.arn, answer.name.as_str()), (&shown.arn, S));
    let own = world.describe(S).unwrap();
    assert_eq!(own.last_changed_date, world.wall());
    assert_eq!(
        own,
        DescribeSecretResponse {
            primary_region: None,
            replication_status: None,
            last_changed_date: own.last_changed_date,
            // AWS's own key is shown on replicas only.
            kms_key_id: None,
            ..shown
        }
    );
    assert_eq!(world.labels(S), "v1{AWSPREVIOUS} v2{AWSCURRENT} v3{custom}");
    for (version, value) in [("v1", "one"), ("v2", "two"), ("v3", "three")] {
        let found = world.get_at(S, Some(version), None).unwrap();
        let at = (found.version.id, found.version.seq);
        assert_eq!(world.view.values[&at].1, value.as_bytes(), "{version}");
        assert_eq!(found.record.id, at.0);
    }
    let home = world.go_to(HOME).describe(S).unwrap();
    assert_eq!((home.primary_region, home.replication_status), (None, None));

    world.put(S, "v4", "four", &[]).unwrap();
    world.delete(S, None, Some(true)).unwrap();
    world.go_to(AWAY);
    assert_eq!(world.labels(S), "v1{AWSPREVIOUS} v2{AWSCURRENT} v3{custom}");
    world.put(S, "v5", "five", &[]).unwrap();
    world.replicate(S, &[(FAR, None)], false).unwrap();
    assert_eq!(world.go_to(FAR).labels(S), "v2{AWSPREVIOUS} v3{custom} v5{AWSCURRENT}");
}

/// SEM-REPL-12: a secret without a value, and one with a placeholder, can be promoted too.
#[test]
fn a_promotion_copies_what_is_there() {
    let mut world = World::default();
    world.create("empty", "e", None).unwrap();
    world.replicate("empty", &[(AWAY, None)], false).unwrap();
    world.go_to(AWAY).promote("empty").unwrap();
    assert_eq!(world.labels("empty"), "");
    world.put("empty", "v1", "one", &[]).unwrap();
    assert_eq!(world.labels("empty"), "v1{AWSCURRENT}");

    let mut world = replicated();
    world.go_to(HOME);
    let id = world.view.names[&(world.scope.clone(), name())];
    let mut version = world.view.versions[&(id, Seq(1))].clone();
    (version.kind, version.payload) = (None, None);
    world.view.apply(Effect::PutVersion(version));
    world.view.values.remove(&(id, Seq(1)));
    world.go_to(AWAY).promote(S).unwrap();
    assert_eq!(world.labels(S), "v1{AWSPREVIOUS} v2{AWSCURRENT}");
    let own = world.view.names[&(world.scope.clone(), name())];
    assert_eq!(world.view.versions[&(own, Seq(1))].kind, None);
    assert!(!world.view.values.contains_key(&(own, Seq(1))));
}

fn name() -> SecretName {
    SecretName::parse(S).unwrap()
}

/// SEM-REPL-13: only a replica can be promoted, and only where it is.
#[test]
fn only_a_replica_can_be_promoted() {
    let mut world = replicated();
    world.create("plain", "p", None).unwrap();
    let message = "Operation only permitted on a replica secret. Call must be made in replica \
        secret's region.";
    unchanged(&mut world, |world| {
        for id in [S, "plain"] {
            refused(world.promote(id), FaultKind::InvalidParameter, message);
        }
        refused(world.promote("nobody"), FaultKind::ResourceNotFound, NO_SECRET);
    });
}

/// SEM-REPL-14: a promotion is one operation, so labelled versions that do not fit are refused.
#[test]
fn a_promotion_that_is_too_large_is_refused() {
    let mut world = World { chunks: 17, ..World::default() };
    world.create(S, "v1", Some("one")).unwrap();
    let count = 12; // 2 rows of metadata, 1 + 17 of the value and 1 label for each version.
    for number in 2..=count {
        world.put(S, &format!("v{number}"), "x", &[&format!("label{number}")]).unwrap();
    }
    world.replicate(S, &[(AWAY, None), (FAR, None)], false).unwrap();
    world.go_to(AWAY).promote(S).unwrap();
    world.go_to(HOME).put(S, "v13", "x", &["one more"]).unwrap();
    let message = "You can't stop replication because the versions with staging labels are too \
        large to copy at once. Remove staging labels that you don't need in the primary region \
        first.";
    unchanged(world.go_to(FAR), |world| {
        refused(world.promote(S), FaultKind::InvalidRequest, message);
    });
    world.go_to(HOME).move_stage(S, "one more", Some("v13"), None).unwrap();
    world.go_to(FAR).promote(S).unwrap();
}

/// SEM-REPL-15: what works in the background leaves replicas alone.
#[test]
fn a_replica_is_never_pruned_or_purged() {
    let mut world = replicated();
    world.pass(400 * DAY);
    let ids: Vec<RecordId> = world.view.secrets.keys().copied().collect();
    assert_eq!(ids.len(), 2);
    unchanged(&mut world, |world| {
        for id in ids {
            assert!(!may_be_due(&world.view.secrets[&id]));
            for mutation in [Upkeep::Prune(id), Upkeep::Purge(id), Upkeep::Sweep(id)] {
                assert_eq!(world.drain(&mutation), Ok(0));
            }
        }
    });
}
