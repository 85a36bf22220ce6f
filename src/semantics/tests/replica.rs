use super::{DAY, FaultKind, S, created, refused, unchanged};
use crate::model::api::{
    CreateSecret, DescribeSecretResponse, Filter, ListSecretVersionIds, ListSecrets, ReplicaRegion,
    ReplicationStatus,
};
use crate::model::{ReplicaStatus, SecretRecord};
use crate::secret::PayloadKind;
use crate::semantics::memory::{Mutation, World, token};
use crate::semantics::{Upkeep, day_of};

pub(super) const HOME: &str = "us-east-1";
pub(super) const AWAY: &str = "eu-west-1";
pub(super) const FAR: &str = "ap-southeast-2";
const ON_REPLICA: &str =
    "Operation not permitted on a replica secret. Call must be made in primary secret's region.";
pub(super) const NO_SECRET: &str = "Secrets Manager can't find the specified secret.";

/// A secret with tags and two versions, replicated to one region. The caller is at home.
pub(super) fn replicated() -> World {
    let mut world = created();
    world.put(S, "v2", "two", &[]).unwrap();
    world.tag(S, &[("team", "a")]).unwrap();
    world.update(S, "u", Some("prose"), None).unwrap();
    world.replicate(S, &[(AWAY, None)], false).unwrap();
    world
}

pub(super) fn in_sync(region: &str, key: &str) -> ReplicationStatus {
    ReplicationStatus {
        region: region.into(),
        kms_key_id: key.into(),
        status: ReplicaStatus::InSync,
        status_message: Some("Replication succeeded".into()),
        last_accessed_date: None,
    }
}

fn failed(region: &str) -> ReplicationStatus {
    ReplicationStatus {
        status: ReplicaStatus::Failed,
        status_message: Some("Secret with this name already exists in this region".into()),
        ..in_sync(region, "alias/aws/secretsmanager")
    }
}

pub(super) fn listed(world: &World, request: &ListSecrets) -> Vec<DescribeSecretResponse> {
    world.list(request).unwrap().secrets
}

fn by_primary_region(region: &str) -> ListSecrets {
    let filter =
        Filter { key: Some("primary-region".into()), values: Some(vec![region.to_owned()]) };
    ListSecrets { filters: Some(vec![filter]), ..ListSecrets::default() }
}

/// SEM-REPL-1, SEM-REPL-4: the replica is there at once, its ARN differs by the region alone.
#[test]
fn a_replica_is_in_sync_when_the_operation_is_over() {
    let mut world = created();
    let home_arn = world.describe(S).unwrap().arn;
    let answer = world.replicate(S, &[(AWAY, None), (FAR, Some("alias/mine"))], false).unwrap();
    assert_eq!(answer.arn, home_arn);
    let expected = [in_sync(AWAY, "alias/aws/secretsmanager"), in_sync(FAR, "alias/mine")];
    assert_eq!(answer.replication_status, expected);
    world.go_to(AWAY);
    let away_arn = world.describe(S).unwrap().arn;
    assert_eq!(away_arn, home_arn.replace(HOME, AWAY));
    for id in [S, &away_arn, &away_arn[..away_arn.len() - 7]] {
        assert_eq!(world.get(id).unwrap().record.arn().to_string(), away_arn, "{id}");
    }
    refused(world.get(&home_arn), FaultKind::ResourceNotFound, NO_SECRET);
}

/// What a region with a replica under AWS's own key shows of what is shown at home. The replica has its own
/// date of making.
fn seen_away(
    home: &DescribeSecretResponse,
    away: &DescribeSecretResponse,
) -> DescribeSecretResponse {
    assert!(away.created_date >= home.created_date);
    DescribeSecretResponse {
        arn: home.arn.replace(HOME, AWAY),
        kms_key_id: Some("alias/aws/secretsmanager".into()),
        created_date: away.created_date,
        ..home.clone()
    }
}

/// SEM-REPL-2: values, labels, versions, tags and description are the primary's, also later ones.
#[test]
fn reading_a_replica_reads_the_primary() {
    let mut world = replicated();
    let home = world.describe(S).unwrap();
    let away = world.go_to(AWAY).describe(S).unwrap();
    assert_eq!(
        away,
        DescribeSecretResponse { replication_status: None, ..seen_away(&home, &away) }
    );
    assert_eq!(away.primary_region.as_deref(), Some(HOME));
    assert_eq!(world.labels(S), "v1{AWSPREVIOUS} v2{AWSCURRENT}");

    world.go_to(HOME).put(S, "v3", "three", &[]).unwrap();
    world.go_to(AWAY);
    assert_eq!(world.labels(S), "v2{AWSPREVIOUS} v3{AWSCURRENT}");
    let found = world.get(S).unwrap();
    assert_eq!(world.view.values[&(found.version.id, found.version.seq)].1, b"three");
    let all = ListSecretVersionIds {
        secret_id: S.into(),
        include_deprecated: Some(true),
        ..ListSecretVersionIds::default()
    };
    let page = world.list_versions(&all).unwrap();
    assert_eq!((page.arn, page.versions.len()), (away.arn, 3));
    assert_eq!(world.policy(S), Ok(None));
}

/// SEM-REPL-2: the key name is the replica's own.
#[test]
fn a_replica_shows_its_own_key() {
    let mut world = created();
    world.replicate(S, &[(AWAY, Some("alias/mine"))], false).unwrap();
    assert_eq!(world.describe(S).unwrap().kms_key_id, None);
    world.go_to(AWAY);
    assert_eq!(world.describe(S).unwrap().kms_key_id.as_deref(), Some("alias/mine"));
    let request = ListSecretVersionIds { secret_id: S.into(), ..ListSecretVersionIds::default() };
    assert_eq!(world.list_versions(&request).unwrap().versions[0].kms_key_ids, ["alias/mine"]);
}

/// SEM-REPL-2: a replica has its own day of access, which its entry at the primary shows.
#[test]
fn a_read_of_a_replica_is_its_own() {
    let mut world = replicated();
    let stored = |world: &World| {
        let is_away = |record: &&SecretRecord| &*record.scope.region == AWAY;
        world.view.secrets.values().find(is_away).unwrap().id
    };
    let found = world.go_to(AWAY).get(S).unwrap();
    let (id, seq, on, day) = (found.record.id, found.version.seq, stored(&world), world.wall());
    world.run(&Upkeep::Touch { id, seq, on, day }, None).unwrap();
    let away = world.describe(S).unwrap().last_accessed_date;
    assert_eq!(away, Some(day_of(day)));
    let home = world.go_to(HOME).describe(S).unwrap();
    assert_eq!(home.last_accessed_date, None);
    assert_eq!(home.replication_status.unwrap()[0].last_accessed_date, away);
    world.pass(DAY);
    let later = world.wall();
    world.run(&Upkeep::Touch { id, seq, on: id, day: later }, None).unwrap();
    let home = world.describe(S).unwrap();
    assert_eq!(home.last_accessed_date, Some(day_of(later)));
    assert_eq!(home.replication_status.unwrap()[0].last_accessed_date, away);
    assert_eq!(world.go_to(AWAY).describe(S).unwrap().last_accessed_date, away);
}

/// SEM-REPL-2, SEM-REPL-4: only the primary shows its replicas; no tag left is none there.
#[test]
fn a_replica_leaves_out_what_aws_leaves_out() {
    let mut world = replicated();
    world.untag(S, &["team"]).unwrap();
    let home = world.describe(S).unwrap();
    assert_eq!(home.tags.as_deref(), Some(&[][..]));
    let away = world.go_to(AWAY).describe(S).unwrap();
    assert_eq!((away.tags, away.replication_status), (None, None));
    assert_eq!(away.last_changed_date, home.last_changed_date);
    let versions = ListSecretVersionIds { secret_id: S.into(), ..Default::default() };
    let versions = world.list_versions(&versions).unwrap().versions;
    assert_eq!(versions[0].kms_key_ids, ["DefaultEncryptionKey"]);
}

/// SEM-REPL-3: each region lists its own, the replica with what the primary has.
#[test]
fn a_region_lists_its_replicas() {
    let mut world = replicated();
    world.create("plain", "p1", None).unwrap();
    let home = listed(&world, &ListSecrets::default());
    assert_eq!(home.iter().map(|d| d.name.as_str()).collect::<Vec<_>>(), [S, "plain"]);
    assert_eq!(home[0].primary_region.as_deref(), Some(HOME));
    assert_eq!((&home[1].primary_region, &home[1].replication_status), (&None, &None));
    let away = listed(world.go_to(AWAY), &ListSecrets::default());
    assert_eq!(away.len(), 1);
    assert_eq!(away[0], seen_away(&home[0], &away[0]));
    assert_eq!(away[0].replication_status, None, "only DescribeSecret shows it");
    assert_eq!(away[0].description.as_deref(), Some("prose"));
    assert!(listed(world.go_to(FAR), &ListSecrets::default()).is_empty());
}

/// SEM-REPL-3: pages and orders of a region with replicas are whole.
#[test]
fn replicas_are_paged_in_the_order_in_which_they_were_made() {
    let mut world = World::default();
    for name in ["a", "b", "c"] {
        world.create(name, name, None).unwrap();
    }
    for name in ["c", "a", "b"] {
        world.replicate(name, &[(AWAY, None)], false).unwrap();
    }
    world.go_to(AWAY).create("own", "o", None).unwrap();
    let names = |sort_by: Option<&str>| {
        let (mut names, mut next_token) = (Vec::new(), None);
        loop {
            let request = ListSecrets {
                max_results: Some(1),
                next_token,
                sort_by: sort_by.map(str::to_owned),
                ..ListSecrets::default()
            };
            let page = world.list(&request).unwrap();
            names.extend(page.secrets.into_iter().map(|entry| entry.name));
            next_token = page.next_token;
            assert!(names.len() < 100, "the list never comes to an end");
            if next_token.is_none() {
                return names;
            }
        }
    };
    assert_eq!(names(None), ["c", "a", "b", "own"]);
    assert_eq!(names(Some("name")), ["a", "b", "c", "own"]);
}

/// SEM-REPL-3, SEM-LIST-11: the filter finds primaries and replicas by the primary's region.
#[test]
fn the_primary_region_can_be_searched_for() {
    let mut world = replicated();
    world.create("plain", "p1", None).unwrap();
    for region in [HOME, AWAY] {
        world.go_to(region);
        for (text, count) in [("us-", 1), (HOME, 1), (AWAY, 0)] {
            let found = listed(&world, &by_primary_region(text));
            assert_eq!(found.len(), count, "{text} in {region}");
        }
    }
    let others = listed(world.go_to(HOME), &by_primary_region("!us-"));
    assert_eq!(others.len(), 1, "the one without a primary region");
}

/// SEM-REPL-4: `CreateSecret` with replicas, and its replay.
#[test]
fn a_secret_can_be_made_with_replicas() {
    let mut world = World::default();
    let request = |regions: Option<&[&str]>| {
        Mutation::CreateSecret(CreateSecret {
            client_request_token: Some(token("v1")),
            value: Some(PayloadKind::String),
            add_replica_regions: regions
                .map(|regions| regions.iter().map(|region| ReplicaRegion::new(*region)).collect()),
            ..CreateSecret::new(S)
        })
    };
    let value = || Some(World::text("one"));
    let made = world.write(&request(Some(&[AWAY, FAR])), value()).unwrap();
    let expected = [AWAY, FAR].map(|region| in_sync(region, "alias/aws/secretsmanager")).to_vec();
    assert_eq!(made.replication_status, Some(expected));
    let again = unchanged(&mut world, |world| world.write(&request(Some(&[AWAY])), value()));
    assert_eq!(again, Ok(made), "answered as the first time");
    for region in [AWAY, FAR] {
        assert_eq!(world.go_to(region).labels(S), "v1{AWSCURRENT}");
    }
    let mut plain = World::default();
    let made = plain.write(&request(None), value()).unwrap();
    assert_eq!(made.replication_status, None);
    assert_eq!(plain.describe(S).unwrap().replication_status, None);
}

/// SEM-REPL-5: whatever changes a secret is refused on a replica (E28).
#[test]
fn a_replica_cannot_be_changed() {
    let mut world = replicated();
    let kind = FaultKind::InvalidParameter;
    unchanged(world.go_to(AWAY), |world| {
        refused(world.put(S, "v3", "three", &[]), kind, ON_REPLICA);
        refused(world.update(S, "v3", Some("d"), None), kind, ON_REPLICA);
        refused(world.update(S, "v3", None, Some("three")), kind, ON_REPLICA);
        refused(world.move_stage(S, "X", None, Some("v1")), kind, ON_REPLICA);
        refused(world.delete(S, None, None), kind, ON_REPLICA);
        refused(world.delete(S, None, Some(true)), kind, ON_REPLICA);
        refused(world.restore(S), kind, ON_REPLICA);
        refused(world.tag(S, &[("a", "b")]), kind, ON_REPLICA);
        refused(world.untag(S, &["team"]), kind, ON_REPLICA);
        refused(world.replicate(S, &[(FAR, None)], false), kind, ON_REPLICA);
        refused(world.remove_replicas(S, &[AWAY]), kind, ON_REPLICA);
    });
    let taken = "The operation failed because the secret app/db already exists.";
    refused(world.create(S, "v1", Some("one")), FaultKind::ResourceExists, taken);
}

/// SEM-REPL-6: a region that is replicated already changes nothing, or gets another key.
#[test]
fn replicating_again_changes_nothing_but_the_key() {
    let mut world = created();
    let regions = [(AWAY, Some("alias/mine"))];
    let first = world.replicate(S, &regions, false).unwrap();
    for regions in [&regions[..], &[(AWAY, None)]] {
        let again = unchanged(&mut world, |world| world.replicate(S, regions, true));
        assert_eq!(again.as_ref(), Ok(&first));
    }
    let other = world.replicate(S, &[(AWAY, Some("alias/other"))], false).unwrap();
    assert_eq!(other.replication_status, [in_sync(AWAY, "alias/other")]);
    assert_eq!(world.go_to(AWAY).describe(S).unwrap().kms_key_id.as_deref(), Some("alias/other"));
    let back = world.go_to(HOME).replicate(S, &[(AWAY, Some("alias/aws/secretsmanager"))], false);
    let expected = [in_sync(AWAY, "alias/aws/secretsmanager")];
    assert_eq!(back.unwrap().replication_status, expected);
    let shown = world.go_to(AWAY).describe(S).unwrap().kms_key_id;
    assert_eq!(shown.as_deref(), Some("alias/aws/secretsmanager"));
}

/// SEM-REPL-7: another secret of that name stays, and the replica is `Failed`; asked for again once
/// the name is free, it is made.
#[test]
fn a_taken_name_fails_the_replica() {
    let mut world = created();
    world.go_to(AWAY).create(S, "other", Some("its own")).unwrap();
    let answer = world.go_to(HOME).replicate(S, &[(AWAY, None), (FAR, None)], false).unwrap();
    let expected = [failed(AWAY), in_sync(FAR, "alias/aws/secretsmanager")];
    assert_eq!(answer.replication_status, expected);
    assert_eq!(world.describe(S).unwrap().replication_status, Some(expected.to_vec()));
    assert_eq!(world.go_to(AWAY).labels(S), "other{AWSCURRENT}");
    assert_eq!(world.describe(S).unwrap().primary_region, None);

    world.delete(S, None, Some(true)).unwrap();
    world.go_to(HOME).replicate(S, &[(AWAY, None)], false).unwrap();
    assert_eq!(world.go_to(AWAY).labels(S), "v1{AWSCURRENT}");
}

/// SEM-REPL-8: `ForceOverwriteReplicaSecret` purges what stands in the way, scheduled or not.
#[test]
fn a_taken_name_can_be_overwritten() {
    for is_scheduled in [false, true] {
        let mut world = created();
        world.go_to(AWAY).create(S, "other", Some("its own")).unwrap();
        let old_arn = world.describe(S).unwrap().arn;
        if is_scheduled {
            world.delete(S, None, None).unwrap();
        }
        let answer = world.go_to(HOME).replicate(S, &[(AWAY, None)], true).unwrap();
        let expected = [in_sync(AWAY, "alias/aws/secretsmanager")];
        assert_eq!(answer.replication_status, expected);
        assert_eq!(world.go_to(AWAY).labels(S), "v1{AWSCURRENT}");
        refused(world.get(&old_arn), FaultKind::ResourceNotFound, NO_SECRET);
        assert_eq!(world.view.purges.len(), 1, "the purge is noted");
        let dead: Vec<_> = world.view.secrets.values().filter(|r| r.dead).map(|r| r.id).collect();
        for id in dead {
            world.drain(&Upkeep::Sweep(id)).unwrap();
        }
        assert_eq!((world.view.secrets.len(), world.view.values.len()), (2, 1));
    }
}

/// SEM-REPL-8: what a forced deletion would refuse is not overwritten.
#[test]
fn a_replicated_secret_is_not_overwritten() {
    let mut world = created();
    world.go_to(AWAY).create(S, "other", Some("its own")).unwrap();
    world.replicate(S, &[(FAR, None)], false).unwrap();
    let answer = world.go_to(HOME).replicate(S, &[(AWAY, None), (FAR, None)], true).unwrap();
    assert_eq!(answer.replication_status, [failed(AWAY), failed(FAR)]);
    for region in [AWAY, FAR] {
        assert_eq!(world.go_to(region).labels(S), "other{AWSCURRENT}");
    }
}

/// SEM-REPL-9: regions are checked: the shape by the model, the primary's own by E30.
#[test]
fn a_region_must_be_another_one_and_look_like_one() {
    let mut world = created();
    let (parameter, validation) = (FaultKind::InvalidParameter, FaultKind::Validation);
    unchanged(&mut world, |world| {
        for region in [HOME, "cn-north-1"] {
            let answer = world.replicate(S, &[(AWAY, None), (region, None)], false);
            refused(answer, parameter, "Invalid replica region.");
        }
        let twice = world.replicate(S, &[(AWAY, None), (AWAY, None)], false);
        refused(twice, parameter, "Duplicate replica region: eu-west-1");
        let message = "1 validation error detected: Value 'Europe' at \
            'addReplicaRegions.1.member.region' failed to satisfy constraint: Member must satisfy \
            regular expression pattern: ^([a-z]+-)+\\d+$";
        refused(world.replicate(S, &[("Europe", None)], false), validation, message);
        let message = "1 validation error detected: Value 'x' at 'removeReplicaRegions.1.member' \
            failed to satisfy constraint: Member must satisfy regular expression pattern: \
            ^([a-z]+-)+\\d+$";
        refused(world.remove_replicas(S, &["x"]), validation, message);
        let message = "1 validation error detected: Value '[]' at 'addReplicaRegions' failed to \
            satisfy constraint: Member must have length greater than or equal to 1";
        refused(world.replicate(S, &[], false), validation, message);
        let long = format!("{}-1", "a".repeat(127));
        let message = format!(
            "1 validation error detected: Value '{long}' at 'removeReplicaRegions.1.member' failed \
             to satisfy constraint: Member must have length less than or equal to 128"
        );
        refused(world.remove_replicas(S, &[&long]), validation, &message);
    });
}

/// SEM-REPL-9: a secret with replicas is bounded, and the largest still fits one operation.
#[test]
fn a_secret_has_at_most_64_replicas() {
    let regions: Vec<String> = (1..=65).map(|number| format!("eu-west-{number}")).collect();
    let mut world = World::default();
    for region in &regions {
        world.go_to(region).create(S, "other", Some("its own")).unwrap();
    }
    let request = |count: usize, key: Option<String>| {
        let region =
            |region: &String| ReplicaRegion { region: region.clone(), kms_key_id: key.clone() };
        Mutation::CreateSecret(CreateSecret {
            client_request_token: Some(token("v1")),
            value: Some(PayloadKind::String),
            add_replica_regions: Some(regions[..count].iter().map(region).collect()),
            force_overwrite_replica_secret: Some(true),
            ..CreateSecret::new(S)
        })
    };
    let value = || Some(World::text("one"));
    let message =
        "A secret can have at most 64 replicas, whose KmsKeyId have at most 8192 bytes together.";
    world.go_to(HOME);
    for (count, key) in [(65, None), (5, Some("k".repeat(2000)))] {
        let answer = world.write(&request(count, key), value());
        refused(answer, FaultKind::InvalidParameter, message);
    }
    let full = request(4, Some("k".repeat(2048)));
    let made = world.clone().write(&full, value()).unwrap();
    assert_eq!(made.replication_status.unwrap().len(), 4);
    let made = world.write(&request(64, None), value()).unwrap();
    assert_eq!(made.replication_status.unwrap().len(), 64);
}
