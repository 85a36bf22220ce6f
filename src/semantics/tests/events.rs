//! Which moves of labels are told (SEM-EVENT).

use super::replica::{AWAY, HOME, replicated};
use super::rotation::{complete, rotatable, rotate};
use super::{S, created};
use crate::semantics::memory::World;

/// What was told since the last call: labels, and the tokens of their versions.
fn told(world: &mut World) -> String {
    let moves = std::mem::take(&mut world.told);
    let moves = moves.iter().map(|moved| {
        format!("{}={}", moved.stage, moved.version_id.as_str().trim_end_matches('-'))
    });
    moves.collect::<Vec<_>>().join(" ")
}

/// SEM-EVENT-1
#[test]
fn a_label_that_comes_to_a_version_is_told() {
    let mut world = World::default();
    world.create(S, "v1", Some("one")).unwrap();
    assert_eq!(told(&mut world), "AWSCURRENT=v1");
    world.put(S, "v2", "two", &[]).unwrap();
    assert_eq!(told(&mut world), "AWSCURRENT=v2");
    world.put(S, "v3", "three", &["green", "blue"]).unwrap();
    assert_eq!(told(&mut world), "blue=v3 green=v3");
    world.put(S, "v4", "four", &["AWSCURRENT", "blue"]).unwrap();
    assert_eq!(told(&mut world), "AWSCURRENT=v4 blue=v4");
    world.update(S, "v5", None, Some("five")).unwrap();
    assert_eq!(told(&mut world), "AWSCURRENT=v5");
    world.move_stage(S, "AWSCURRENT", Some("v5"), Some("v4")).unwrap();
    assert_eq!(told(&mut world), "AWSCURRENT=v4");
    world.move_stage(S, "blue", Some("v4"), Some("v5")).unwrap();
    assert_eq!(told(&mut world), "blue=v5");
    world.move_stage(S, "new", None, Some("v5")).unwrap();
    assert_eq!(told(&mut world), "new=v5");
}

/// SEM-EVENT-1
#[test]
fn a_secret_without_a_value_tells_of_its_first_one() {
    let mut world = World::default();
    world.create(S, "v0", None).unwrap();
    assert_eq!(told(&mut world), "");
    world.put(S, "v1", "one", &["blue"]).unwrap();
    assert_eq!(told(&mut world), "AWSCURRENT=v1 blue=v1", "the first version is current");
}

/// SEM-EVENT-1
#[test]
fn what_is_told_names_the_secret_and_the_date_of_the_operation() {
    let mut world = created();
    world.pass(1000);
    world.told.clear();
    world.put(S, "v2", "two", &[]).unwrap();
    let moved = world.told.pop().unwrap();
    assert_eq!(moved.arn.to_string(), world.describe(S).unwrap().arn);
    assert_eq!(moved.at, world.wall());
}

/// SEM-EVENT-2
#[test]
fn what_moves_no_label_to_a_version_is_not_told() {
    let mut world = created();
    world.put(S, "v2", "two", &["blue"]).unwrap();
    told(&mut world);
    world.put(S, "v3", "three", &["AWSPENDING"]).unwrap();
    world.put(S, "v3", "three", &["AWSPENDING"]).unwrap();
    world.put(S, "v2", "two", &["blue"]).unwrap();
    world.move_stage(S, "AWSPREVIOUS", None, Some("v2")).unwrap();
    world.move_stage(S, "blue", None, Some("v2")).unwrap();
    world.move_stage(S, "blue", Some("v2"), None).unwrap();
    world.move_stage(S, "AWSCURRENT", None, Some("v2")).unwrap_err();
    world.update(S, "v4", Some("text"), None).unwrap();
    world.tag(S, &[("k", "v")]).unwrap();
    world.delete(S, None, None).unwrap();
    world.restore(S).unwrap();
    world.delete(S, None, Some(true)).unwrap();
    assert_eq!(told(&mut world), "");
}

/// SEM-EVENT-2
#[test]
fn a_rotation_tells_of_its_end() {
    let mut world = rotatable();
    told(&mut world);
    rotate(&mut world, "r").unwrap();
    assert_eq!(told(&mut world), "");
    complete(&mut world, "r");
    assert_eq!(told(&mut world), "AWSCURRENT=r");
}

/// SEM-EVENT-3
#[test]
fn a_replica_tells_nothing_before_it_goes_its_own_way() {
    let mut world = replicated();
    told(&mut world);
    world.put(S, "v9", "nine", &[]).unwrap();
    assert_eq!(&*world.told.first().unwrap().arn.scope.region, HOME);
    assert_eq!(told(&mut world), "AWSCURRENT=v9");
    world.go_to(AWAY).promote(S).unwrap();
    assert_eq!(told(&mut world), "", "it showed the same labels before");
    world.put(S, "v10", "ten", &[]).unwrap();
    assert_eq!(&*world.told.first().unwrap().arn.scope.region, AWAY);
    assert_eq!(told(&mut world), "AWSCURRENT=v10");
}

/// SEM-EVENT-3
#[test]
fn secrets_of_the_vault_itself_are_not_told() {
    let mut world = World::default();
    world.act_as("strongroom").create("pair", "v1", Some("one")).unwrap();
    assert_eq!(told(&mut world), "");
}
