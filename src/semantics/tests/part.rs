//! Replicas in other accounts that go their own way, and primaries that are to be deleted.

use super::cross_account::{
    HOME, OTHER, R, THIRD, associated, entry, make_replica, of, pending, sides, tag, value,
};
use super::{FaultKind, S, refused, unchanged};
use crate::model::api::AssociationResponse;
use crate::model::{CrossAccountStatus, ReplicaStatus};

/// SEM-XREPL-7: a detached replica keeps what it showed, and follows its primary no more.
#[test]
fn a_detached_replica_keeps_what_it_has() {
    let (mut world, primary, replica) = associated();
    world.put(S, "v2", "two", &[]).unwrap();
    let answer = world.disassociate(S, &replica).unwrap();
    assert_eq!(
        answer,
        AssociationResponse { arn: primary.clone(), replica_arn: replica.clone(), status: None }
    );
    assert_eq!(sides(&mut world), (None, Some(of(&primary, CrossAccountStatus::Detached))));
    world.put(S, "v3", "three", &[]).unwrap();
    world.delete(S, None, Some(true)).unwrap();
    world.act_as(OTHER);
    assert_eq!(world.labels(R), "v1{AWSPREVIOUS} v2{AWSCURRENT}");
    assert_eq!(value(&world, R).unwrap(), b"two");
    assert_eq!(world.describe(R).unwrap().description.as_deref(), Some("prose"));
    let promoted = world.promote(R).unwrap();
    assert_eq!((promoted.arn, promoted.name.as_str()), (replica, R));
    assert_eq!(world.describe(R).unwrap().cross_account_primary, None);
    world.put(R, "v4", "own", &[]).unwrap();
    assert_eq!(world.labels(R), "v2{AWSPREVIOUS} v4{AWSCURRENT}");
    world.delete(R, None, Some(true)).unwrap();
}

/// SEM-XREPL-7: what is not linked cannot be unlinked.
#[test]
fn only_what_is_associated_is_disassociated() {
    let (mut world, _, replica) = pending();
    let text = format!("The secret isn't associated with the cross-account replica {replica}.");
    refused(world.disassociate(S, &replica), FaultKind::InvalidRequest, &text);
    world.associate(S, &replica).unwrap();
    let other = format!("{}xxxxxx", &replica[..replica.len() - 6]);
    let other_text = format!("The secret isn't associated with the cross-account replica {other}.");
    refused(world.disassociate(S, &other), FaultKind::InvalidRequest, &other_text);
    world.disassociate(S, &replica).unwrap();
    refused(world.disassociate(S, &replica), FaultKind::InvalidRequest, &text);
}

/// SEM-XREPL-7: associated again it shows its primary, and the copies are gone.
#[test]
fn a_detached_replica_can_be_associated_again() {
    let (mut world, primary, replica) = associated();
    world.disassociate(S, &replica).unwrap();
    world.put(S, "v2", "two", &[]).unwrap();
    for _ in 0..2 {
        world.associate(S, &replica).unwrap();
        assert_eq!(world.act_as(OTHER).labels(R), "v1{AWSPREVIOUS} v2{AWSCURRENT}");
        assert_eq!(value(&world, R).unwrap(), b"two");
        let id = world.id(R).unwrap();
        assert!(world.view.versions.keys().all(|(of, _)| *of != id));
        world.act_as(HOME).disassociate(S, &replica).unwrap();
        assert_eq!(value(world.act_as(OTHER), R).unwrap(), b"two");
        world.act_as(HOME);
    }
    assert_eq!(sides(&mut world), (None, Some(of(&primary, CrossAccountStatus::Detached))));
}

/// SEM-XREPL-8: a replica that ends the replication itself has copies, and the primary shows that
/// it is detached, until it is disassociated or has another.
#[test]
fn a_replica_can_stop_by_itself() {
    let (mut world, primary, replica) = associated();
    let promoted = world.act_as(OTHER).promote(R).unwrap();
    assert_eq!(promoted.arn, replica);
    assert_eq!(sides(&mut world), (Some(entry(&replica, CrossAccountStatus::Detached)), None));
    world.put(S, "v2", "two", &[]).unwrap();
    assert_eq!(value(world.act_as(OTHER), R).unwrap(), b"one");
    assert_eq!(world.describe(R).unwrap().tags, Some(vec![tag("team", "b")]));
    world.put(R, "v3", "own", &[]).unwrap();
    // It is nobody's replica any more.
    let error = world.act_as(HOME).associate(S, &replica).unwrap_err();
    assert_eq!(error.kind, FaultKind::AccessDenied);
    let mut other = world.clone();
    let third = make_replica(other.act_as(THIRD), &primary).unwrap().arn;
    other.act_as(HOME).associate(S, &third).unwrap();
    world.disassociate(S, &replica).unwrap();
    assert_eq!(sides(&mut world), (None, None));
    assert_eq!(value(world.act_as(OTHER), R).unwrap(), b"own");
}

/// SEM-XREPL-8: one that waits becomes a secret without a value.
#[test]
fn a_pending_replica_can_stop() {
    let (mut world, ..) = pending();
    world.act_as(OTHER).promote(R).unwrap();
    assert_eq!(sides(&mut world), (None, None));
    world.act_as(OTHER).put(R, "v1", "x", &[]).unwrap();
    refused(
        world.promote(R).map(drop),
        FaultKind::InvalidParameter,
        "Operation only permitted on a replica secret. Call must be made in replica secret's region.",
    );
}

/// SEM-XREPL-9: a primary goes after the association.
#[test]
fn an_associated_primary_is_not_deleted() {
    let (mut world, _, replica) = associated();
    for force in [None, Some(true)] {
        let text =
            format!("You can't delete secret {S} that still has cross-account replica {replica}");
        refused(world.delete(S, None, force).map(drop), FaultKind::InvalidParameter, &text);
    }
    world.disassociate(S, &replica).unwrap();
    world.delete(S, None, None).unwrap();
}

/// SEM-XREPL-9: the other account has stopped the replication, and the primary has yet to forget it.
#[test]
fn a_primary_with_a_detached_replica_is_not_deleted() {
    let (mut world, _, replica) = associated();
    world.act_as(OTHER).promote(R).unwrap();
    world.act_as(HOME);
    for force in [None, Some(true)] {
        let text =
            format!("You can't delete secret {S} that still has cross-account replica {replica}");
        refused(world.delete(S, None, force).map(drop), FaultKind::InvalidParameter, &text);
    }
    world.disassociate(S, &replica).unwrap();
    world.delete(S, None, Some(true)).unwrap();
}

/// SEM-XREPL-9: nothing of another region overwrites a primary or a replica.
#[test]
fn a_replica_in_another_region_overwrites_neither() {
    let (mut world, ..) = associated();
    world.go_to("eu-west-1").create(S, "v1", Some("away")).unwrap();
    let answer = world.replicate(S, &[("us-east-1", None)], true).unwrap();
    assert_eq!(answer.replication_status[0].status, ReplicaStatus::Failed);
    world.act_as(OTHER).create(R, "v1", Some("away")).unwrap();
    let answer = world.replicate(R, &[("us-east-1", None)], true).unwrap();
    assert_eq!(answer.replication_status[0].status, ReplicaStatus::Failed);
    world.go_to("us-east-1");
    assert_eq!(value(&world, R).unwrap(), b"one");
}

/// SEM-XREPL-10: what one operation cannot copy is refused, and nothing has happened.
#[test]
fn more_than_one_operation_copies_is_refused() {
    let (mut world, _, replica) = associated();
    world.chunks = 17;
    for number in 0..13 {
        let (by, label) = (format!("w{number}"), format!("l{number}"));
        world.put(S, &by, "long", &[&label]).unwrap();
    }
    let text = "You can't stop replication because the versions with staging labels are too large \
                to copy at once. Remove staging labels that you don't need in the primary region \
                first.";
    unchanged(&mut world, |world| {
        refused(world.disassociate(S, &replica), FaultKind::InvalidRequest, text);
        let stopped = world.act_as(OTHER).promote(R).map(drop);
        refused(stopped, FaultKind::InvalidRequest, text);
        world.act_as(HOME);
    });
    world.move_stage(S, "l0", Some("w0"), None).unwrap();
    world.move_stage(S, "l1", Some("w1"), None).unwrap();
    world.disassociate(S, &replica).unwrap();
    world.associate(S, &replica).unwrap();
}
