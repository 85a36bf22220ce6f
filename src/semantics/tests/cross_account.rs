use super::{DAY, FaultKind, S, created, refused, unchanged};
use crate::model::api::{
    AssociateCrossAccountReplica, AssociationResponse, CreateSecret, ListSecrets,
    PrimaryDescription, ReplicaDescription, ReplicaRegion, UpdateSecret, VersionResponse,
};
use crate::model::{CrossAccountStatus, Scope, Tag};
use crate::secret::PayloadKind;
use crate::semantics::memory::{Mutation, World, token};
use crate::semantics::{Fault, Upkeep};

pub(super) const HOME: &str = Scope::DEFAULT_ACCOUNT;
pub(super) const OTHER: &str = "111122223333";
pub(super) const THIRD: &str = "444455556666";
pub(super) const R: &str = "copy/of/db";
const NO_SECRET: &str = "Secrets Manager can't find the specified secret.";
const ROLE: &str = "arn:aws:iam::000000000000:role/replicates";

fn request(primary: &str) -> CreateSecret<PayloadKind> {
    CreateSecret {
        client_request_token: Some(token("r")),
        kms_key_id: Some("alias/theirs".into()),
        cross_account_primary_arn: Some(primary.into()),
        ..CreateSecret::new(R)
    }
}

pub(super) fn make_replica(world: &mut World, primary: &str) -> Result<VersionResponse, Fault> {
    world.write(&Mutation::CreateSecret(request(primary)), None)
}

/// A primary with a description and tags, and a replica of it in another account that is not
/// associated yet; their ARNs. The caller is the primary's account.
pub(super) fn pending() -> (World, String, String) {
    let mut world = created();
    world.tag(S, &[("team", "a")]).unwrap();
    let primary = world.update(S, "d", Some("prose"), None).unwrap().arn;
    world.act_as(OTHER);
    let request = CreateSecret { tags: Some(vec![tag("team", "b")]), ..request(&primary) };
    let replica = world.write(&Mutation::CreateSecret(request), None).unwrap().arn;
    world.act_as(HOME);
    (world, primary, replica)
}

pub(super) fn associated() -> (World, String, String) {
    let (mut world, primary, replica) = pending();
    world.associate(S, &replica).unwrap();
    (world, primary, replica)
}

pub(super) fn tag(key: &str, value: &str) -> Tag {
    Tag { key: key.into(), value: value.into() }
}

/// What a description shows on both sides.
pub(super) fn sides(world: &mut World) -> (Option<ReplicaDescription>, Option<PrimaryDescription>) {
    let primary = world.act_as(HOME).describe(S).unwrap().cross_account_replica;
    let replica = world.act_as(OTHER).describe(R).unwrap().cross_account_primary;
    world.act_as(HOME);
    (primary, replica)
}

pub(super) fn of(arn: &str, status: CrossAccountStatus) -> PrimaryDescription {
    PrimaryDescription { arn: arn.into(), status }
}

pub(super) fn entry(arn: &str, status: CrossAccountStatus) -> ReplicaDescription {
    ReplicaDescription { arn: arn.into(), role: None, status }
}

pub(super) fn value(world: &World, id: &str) -> Result<Vec<u8>, Fault> {
    let found = world.get(id)?;
    Ok(world.view.values[&(found.version.id, found.version.seq)].1.clone())
}

/// SEM-XREPL-1: a replica is made without a value, and its primary knows nothing of it.
#[test]
fn a_replica_waits_for_its_primary() {
    let (mut world, primary, replica) = pending();
    assert_eq!(sides(&mut world), (None, Some(of(&primary, CrossAccountStatus::Pending))));
    world.act_as(OTHER);
    refused(
        world.get(R).map(drop),
        FaultKind::ResourceNotFound,
        "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT",
    );
    let shown = world.describe(R).unwrap();
    assert_eq!((shown.arn, shown.description), (replica, None));
    assert_eq!(shown.kms_key_id.as_deref(), Some("alias/theirs"));
    assert_eq!(shown.tags, Some(vec![tag("team", "b")]));
    assert!(shown.versions_to_stages.is_empty());
    // A replay is the same answer; the same name again is not.
    unchanged(&mut world, |world| {
        assert_eq!(make_replica(world, &primary).unwrap().version_id, None);
        let other = CreateSecret { client_request_token: Some(token("x")), ..request(&primary) };
        let error = world.write(&Mutation::CreateSecret(other), None).unwrap_err();
        assert_eq!(error.kind, FaultKind::ResourceExists);
    });
}

/// SEM-XREPL-1: the primary need not be there, so that its account alone tells whether it is.
#[test]
fn a_replica_is_made_of_what_nobody_has_seen() {
    let mut world = World::default();
    world.act_as(OTHER);
    let nobody = "arn:aws:secretsmanager:us-east-1:444455556666:secret:nobody-AbCdEf";
    make_replica(&mut world, nobody).unwrap();
    let shown = world.describe(R).unwrap().cross_account_primary;
    assert_eq!(shown, Some(of(nobody, CrossAccountStatus::Pending)));
}

/// What a case does to a request.
type Change<'a> = &'a dyn Fn(&mut CreateSecret<PayloadKind>);

/// SEM-XREPL-1: what a replica gets from its primary cannot be said; a key of its own must be.
#[test]
fn a_replica_is_made_with_a_key_and_without_a_value() {
    let (mut world, primary, _) = pending();
    world.act_as(THIRD);
    let mut check = |change: &dyn Fn(&mut CreateSecret<PayloadKind>), text: &str| {
        let mut request = request(&primary);
        change(&mut request);
        let value = request.value.map(|_| World::text("x"));
        let result = world.write(&Mutation::CreateSecret(request), value);
        refused(result, FaultKind::InvalidParameter, text);
    };
    let cases: [(Change<'_>, &str); 4] = [
        (&|r| r.value = Some(PayloadKind::String), "SecretString or SecretBinary"),
        (&|r| r.description = Some(String::new()), "Description"),
        (
            &|r| r.add_replica_regions = Some(vec![ReplicaRegion::new("eu-west-1")]),
            "AddReplicaRegions",
        ),
        (&|r| r.partner = Some("p".into()), "Type"),
    ];
    for (change, member) in cases {
        let text = format!("You can't use {member} in conjunction with CrossAccountPrimaryARN.");
        check(change, &text);
    }
    for key in [None, Some(""), Some("alias/aws/secretsmanager")] {
        check(
            &|request| request.kms_key_id = key.map(str::to_owned),
            "You must specify a customer managed KMS key in KmsKeyId to create a cross-account \
             replica secret.",
        );
    }
    for odd in [
        "a".repeat(20),
        primary[..primary.len() - 7].to_owned(),
        primary.replace("us-east-1", "us-east-2"),
        primary.replace("arn:aws:", "arn:aws-cn:"),
        primary.replace(HOME, "the-vaults-own"),
        primary.replace(HOME, THIRD),
    ] {
        check(
            &|request| request.cross_account_primary_arn = Some(odd.clone()),
            "Invalid CrossAccountPrimaryARN. Must be the complete ARN of a secret in another \
             account, in the same Region and partition.",
        );
    }
}

/// SEM-XREPL-2, SEM-XREPL-5: once associated, a replica shows the values of its primary, also
/// later ones, under its own name, key, tags and policy.
#[test]
fn an_associated_replica_shows_its_primary() {
    let (mut world, primary, replica) = pending();
    let answer = world.associate(S, &replica).unwrap();
    let status = Some(CrossAccountStatus::InSync);
    assert_eq!(
        answer,
        AssociationResponse { arn: primary.clone(), replica_arn: replica.clone(), status }
    );
    let in_sync = CrossAccountStatus::InSync;
    assert_eq!(sides(&mut world), (Some(entry(&replica, in_sync)), Some(of(&primary, in_sync))));
    world.act_as(OTHER);
    assert_eq!(value(&world, R).unwrap(), b"one");
    world.act_as(HOME).put(S, "v2", "two", &[]).unwrap();
    world.act_as(OTHER);
    assert_eq!(value(&world, R).unwrap(), b"two");
    assert_eq!(world.labels(R), "v1{AWSPREVIOUS} v2{AWSCURRENT}");
    let found = world.get_at(&replica, Some("v1"), None).unwrap().record;
    assert_eq!((found.name.as_str(), found.arn().to_string()), (R, replica.clone()));
    let shown = world.describe(R).unwrap();
    assert_eq!((shown.name.as_str(), shown.arn.as_str()), (R, replica.as_str()));
    assert_eq!(shown.description.as_deref(), Some("prose"));
    assert_eq!(shown.tags, Some(vec![tag("team", "b")]));
    assert_eq!(shown.kms_key_id.as_deref(), Some("alias/theirs"));
    assert_eq!((shown.primary_region, shown.replication_status), (None, None));
    assert_eq!(shown.cross_account_replica, None);
    let listed = world.list(&ListSecrets::default()).unwrap().secrets;
    assert_eq!((listed.len(), listed[0].arn.as_str()), (1, replica.as_str()));
    assert_eq!(listed[0].versions_to_stages.len(), 2);
    assert_eq!(
        (&listed[0].cross_account_primary, &listed[0].cross_account_replica),
        (&None, &None)
    );
    // The primary's own names are not the other account's.
    refused(world.get(S).map(drop), FaultKind::ResourceNotFound, NO_SECRET);
}

/// SEM-XREPL-5: a read of a replica is noted at the primary, where the version is.
#[test]
fn a_read_of_a_replica_is_a_read_of_the_primary() {
    let (mut world, ..) = associated();
    let found = world.act_as(OTHER).get(R).unwrap();
    world.pass(DAY);
    let (id, seq, day) = (found.record.id, found.version.seq, world.wall());
    world.run(&Upkeep::Touch { id, seq, on: id, day }, None).unwrap();
    let there = world.describe(R).unwrap().last_accessed_date;
    assert!(there.is_some());
    assert_eq!(world.act_as(HOME).describe(S).unwrap().last_accessed_date, there);
}

/// SEM-XREPL-2: the same association again is a success that changes nothing, but for its role.
#[test]
fn an_association_can_be_asked_for_again() {
    let (mut world, _, replica) = associated();
    unchanged(&mut world, |world| world.associate(S, &replica).unwrap());
    let request = AssociateCrossAccountReplica {
        secret_id: S.into(),
        replica_arn: replica.clone(),
        replica_restriction: Some("NoRestriction".into()),
        replication_role_arn: Some(ROLE.into()),
    };
    world.run(&Mutation::AssociateCrossAccountReplica(request), None).unwrap();
    let shown = world.describe(S).unwrap().cross_account_replica.unwrap();
    assert_eq!((shown.arn, shown.role.as_deref()), (replica, Some(ROLE)));
}

/// SEM-XREPL-3: a replica is associated with the primary that it was made for and with no other,
/// and whatever is in the way looks the same to the primary's account.
#[test]
fn a_replica_accepts_its_own_primary_alone() {
    let (mut world, primary, replica) = pending();
    world.create("another", "v1", Some("x")).unwrap();
    let ordinary = world.act_as(OTHER).create("ordinary", "v1", Some("x")).unwrap().arn;
    let deny = format!(
        r#"{{"Statement":[{{"Effect":"Deny","Principal":{{"AWS":"{HOME}"}},
            "Action":"secretsmanager:AcceptCrossAccountReplication","Resource":"*"}}]}}"#
    );
    let not_allowed = |arn: &str| {
        format!(
            "User: arn:aws:iam::{HOME}:root is not authorized to perform: \
             secretsmanager:AcceptCrossAccountReplication on resource: {arn} because no \
             resource-based policy allows the secretsmanager:AcceptCrossAccountReplication action"
        )
    };
    let nobody = format!("{}xxxxxx", &replica[..replica.len() - 6]);
    let missing = replica.replace(R, "missing");
    world.act_as(HOME);
    unchanged(&mut world, |world| {
        for (id, arn) in [("another", &replica), (S, &ordinary), (S, &nobody), (S, &missing)] {
            let text = not_allowed(arn);
            refused(world.associate(id, arn), FaultKind::AccessDenied, &text);
        }
    });
    world.act_as(OTHER).put_policy(R, &deny).unwrap();
    let result = world.act_as(HOME).associate(S, &replica);
    refused(result, FaultKind::AccessDenied, &not_allowed(&replica));
    world.act_as(OTHER).delete_policy(R).unwrap();
    world.act_as(HOME).associate(S, &replica).unwrap();

    // A new secret of the old name is another primary.
    world.disassociate(S, &replica).unwrap();
    world.delete(S, None, Some(true)).unwrap();
    assert_ne!(world.create(S, "v1", Some("x")).unwrap().arn, primary);
    refused(world.associate(S, &replica), FaultKind::AccessDenied, &not_allowed(&replica));
}

/// SEM-XREPL-4: both operations are the primary's account's, on a primary that is active.
#[test]
fn an_association_is_asked_for_by_the_primarys_account() {
    let (mut world, primary, replica) = associated();
    refused(world.associate("nobody", &replica), FaultKind::ResourceNotFound, NO_SECRET);
    refused(world.disassociate("nobody", &replica), FaultKind::ResourceNotFound, NO_SECRET);
    // Another account, without and with a policy that lets it ask.
    world.act_as(OTHER);
    assert_eq!(world.associate(&primary, &replica).unwrap_err().kind, FaultKind::AccessDenied);
    let allow = r#"{"Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}"#;
    world.act_as(HOME).put_policy(S, allow).unwrap();
    world.act_as(OTHER);
    let text = "You must call this operation from the account that owns the primary secret.";
    refused(world.associate(&primary, &replica), FaultKind::InvalidRequest, text);
    refused(world.disassociate(&primary, &replica), FaultKind::InvalidRequest, text);
    // A replica has no replica.
    let text = "Operation not permitted on a cross-account replica secret. Call must be made in \
                primary secret's account, or after StopReplicationToReplica.";
    refused(world.associate(R, &primary), FaultKind::InvalidParameter, text);

    let deny = r#"{"Statement":[{"Effect":"Deny","Principal":"*",
        "Action":"secretsmanager:GetSecretValue","Resource":"*"}]}"#;
    world.act_as(HOME).put_policy(S, deny).unwrap();
    let error = world.associate(S, &replica).unwrap_err();
    assert_eq!(error.kind, FaultKind::AccessDenied);
    assert!(error.message.contains("secretsmanager:GetSecretValue"), "{error:?}");

    let (mut world, _, replica) = pending();
    world.delete(S, None, None).unwrap();
    for result in [world.associate(S, &replica), world.disassociate(S, &replica)] {
        refused(
            result,
            FaultKind::InvalidRequest,
            "You can't perform this operation on the secret because it was marked for deletion.",
        );
    }
}

/// SEM-XREPL-4: what can be no replica, and no role.
#[test]
fn odd_arns_are_refused() {
    let (mut world, primary, replica) = pending();
    for odd in [
        "a".repeat(20),
        primary,
        replica[..replica.len() - 7].to_owned(),
        replica.replace("us-east-1", "eu-west-1"),
    ] {
        refused(
            world.associate(S, &odd),
            FaultKind::InvalidParameter,
            "Invalid CrossAccountReplicaARN. Must be the complete ARN of a secret in another \
             account, in the same Region and partition.",
        );
    }
    let request = |restriction: Option<&str>, role: Option<&str>| {
        Mutation::AssociateCrossAccountReplica(AssociateCrossAccountReplica {
            secret_id: S.into(),
            replica_arn: replica.clone(),
            replica_restriction: restriction.map(str::to_owned),
            replication_role_arn: role.map(str::to_owned),
        })
    };
    refused(
        world.run(&request(None, Some(&"a".repeat(20))), None),
        FaultKind::InvalidParameter,
        "Invalid ReplicationRoleARN. Must be the ARN of a role.",
    );
    refused(
        world.run(&request(Some("sameorg"), Some("short")), None),
        FaultKind::Validation,
        "2 validation errors detected: Value 'sameorg' at 'replicaRestriction' failed to satisfy \
         constraint: Member must satisfy enum value set: [SameOrg, NoRestriction]; Value 'short' at \
         'replicationRoleARN' failed to satisfy constraint: Member must have length greater than or \
         equal to 20",
    );
    for arn in ["short".to_owned(), "a".repeat(2049)] {
        for result in [world.associate(S, &arn), world.disassociate(S, &arn)] {
            let error = result.unwrap_err();
            assert!(error.message.contains("at 'crossAccountReplicaARN' failed"), "{error:?}");
        }
    }
    world.run(&request(Some("SameOrg"), Some(ROLE)), None).unwrap();
}

/// SEM-XREPL-4: one replica in another account, and as many in other regions as ever.
#[test]
fn a_primary_has_one_replica_in_another_account() {
    let (mut world, primary, replica) = associated();
    let third = make_replica(world.act_as(THIRD), &primary).unwrap().arn;
    world.act_as(HOME);
    refused(
        world.associate(S, &third),
        FaultKind::LimitExceeded,
        "A primary secret can have at most one cross-account replica.",
    );
    world.replicate(S, &[("eu-west-1", None)], false).unwrap();
    let away = world.go_to("eu-west-1").describe(S).unwrap();
    assert_eq!(away.cross_account_replica, None, "that is between the primary and its replica");
    world.promote(S).unwrap();
    assert_eq!(world.describe(S).unwrap().cross_account_replica, None);
    world.go_to("us-east-1").disassociate(S, &replica).unwrap();
    world.associate(S, &third).unwrap();
}

/// SEM-XREPL-6: what its account made it with can be changed on a replica; nothing else.
#[test]
fn a_replica_is_changed_in_what_is_its_own_alone() {
    let text = "Operation not permitted on a cross-account replica secret. Call must be made in \
                primary secret's account, or after StopReplicationToReplica.";
    let (world, ..) = pending();
    let (in_sync, ..) = associated();
    let (mut detached, _, replica) = associated();
    detached.disassociate(S, &replica).unwrap();
    for mut world in [world, in_sync, detached] {
        world.act_as(OTHER);
        unchanged(&mut world, |world| {
            let put = world.put(R, "v9", "x", &[]);
            refused(put.map(drop), FaultKind::InvalidParameter, text);
            let update = UpdateSecret {
                client_request_token: Some(token("u")),
                kms_key_id: Some("alias/new".into()),
                ..UpdateSecret::new(R)
            };
            let update = world.run(&Mutation::UpdateSecret(update), None);
            refused(update.map(drop), FaultKind::InvalidParameter, text);
            let stage = world.move_stage(R, "x", None, Some("v1"));
            refused(stage.map(drop), FaultKind::InvalidParameter, text);
            let regions = world.replicate(R, &[("eu-west-1", None)], false);
            refused(regions.map(drop), FaultKind::InvalidParameter, text);
            for force in [None, Some(true)] {
                let delete = world.delete(R, None, force);
                refused(delete.map(drop), FaultKind::InvalidParameter, text);
            }
        });
        world.tag(R, &[("mine", "1")]).unwrap();
        world.untag(R, &["team"]).unwrap();
        assert_eq!(world.describe(R).unwrap().tags, Some(vec![tag("mine", "1")]));
        let deny = r#"{"Statement":[{"Effect":"Deny","Principal":"*",
            "Action":"secretsmanager:GetSecretValue","Resource":"*"}]}"#;
        world.put_policy(R, deny).unwrap();
        assert!(
            world.policy(R).unwrap().is_some_and(|shown| shown.contains(r#""Effect" : "Deny""#))
        );
        assert_eq!(world.get(R).unwrap_err().kind, FaultKind::AccessDenied);
        world.delete_policy(R).unwrap();
        world.act_as(HOME);
        assert_eq!(world.describe(S).unwrap().tags, Some(vec![tag("team", "a")]));
        assert_eq!(world.policy(S).unwrap(), None);
    }
}

/// SEM-XREPL-5: member by member, what is the replica's own, and all else is the primary's.
#[test]
fn a_shown_replica_has_its_primarys_versions_and_its_own_name() {
    use crate::model::{Lsn, RecordId, SecretRecord, Seq};
    let world = created();
    let replica = world.view.secrets[&world.id(S).unwrap()].clone();
    let primary = SecretRecord {
        id: RecordId([9; 16]),
        name: crate::model::SecretName::parse("primary").unwrap(),
        lsn: Lsn(90),
        next_seq: Seq(91),
        version_count: 92,
        description: Some("d".into()),
        last_changed: replica.last_changed.plus(1),
        last_accessed: Some(replica.last_changed),
        tags: Some(vec![Tag { key: "k".into(), value: "v".into() }]),
        kms_key_id: Some("key".into()),
        ..replica.clone()
    };
    let own = replica.clone();
    let expected = SecretRecord {
        scope: own.scope,
        name: own.name,
        suffix: own.suffix,
        created: own.created,
        creation_token: own.creation_token,
        kms_key_id: own.kms_key_id,
        tags: own.tags,
        policies: own.policies,
        cross_account: own.cross_account,
        ..primary.clone()
    };
    assert_eq!(crate::semantics::access::alias::of_other_account(replica, primary), expected);
}
