//! Retention (SEM-KEEP).

use super::{DAY, S, created, refused};
use crate::model::{RecordId, Seq, limits};
use crate::semantics::FaultKind::{LimitExceeded, ResourceNotFound};
use crate::semantics::memory::{World, token};
use crate::semantics::{Answer, Upkeep};

const HOUR: i64 = DAY / 24;

fn puts(world: &mut World, numbers: std::ops::RangeInclusive<u64>) {
    for number in numbers {
        world.put(S, &format!("v{number}"), "x", &[]).unwrap();
    }
}

fn prune(world: &mut World) -> usize {
    let id = world.id(S).unwrap();
    world.drain(&Upkeep::Prune(id)).unwrap();
    world.view.versions.len()
}

/// SEM-KEEP-1, SEM-KEEP-2, SEM-KEEP-3
#[test]
fn of_131_versions_exactly_100_remain_after_a_day() {
    let mut world = created();
    world.put(S, "mine", "x", &["kept"]).unwrap();
    puts(&mut world, 3..=131);
    assert_eq!(prune(&mut world), 131);
    world.pass(23 * HOUR);
    assert_eq!(prune(&mut world), 131);
    world.pass(2 * HOUR);
    assert_eq!(prune(&mut world), 100);
    assert_eq!(world.labels(S), "mine{kept} v130{AWSPREVIOUS} v131{AWSCURRENT}");
    let oldest = world.view.versions.keys().nth(1).unwrap();
    assert_eq!(oldest.1, Seq(33), "the oldest without a label went");
    let changed = world.describe(S).unwrap().last_changed_date;
    assert_eq!(changed, world.describe(S).unwrap().created_date, "pruning is no change");
}

/// SEM-KEEP-5
#[test]
fn a_pruned_version_is_not_found() {
    let mut world = created();
    puts(&mut world, 2..=101);
    world.get_at(S, Some("v1"), None).unwrap();
    world.pass(DAY);
    assert_eq!(prune(&mut world), 100);
    let text = format!(
        "Secrets Manager can't find the specified secret value for VersionId: {}",
        token("v1")
    );
    refused(world.get_at(S, Some("v1"), None), ResourceNotFound, &text);
}

/// SEM-KEEP-3
#[test]
fn a_wall_clock_that_jumps_prunes_nothing() {
    let mut world = created();
    puts(&mut world, 2..=131);
    for jump in [400 * DAY, -400 * DAY] {
        let mut world = world.clone();
        world.now.wall = world.now.wall.plus(jump);
        assert_eq!(prune(&mut world), 131);
    }
}

/// SEM-KEEP-1: the walk ends at the first young version, however many old ones would go.
#[test]
fn only_versions_older_than_a_day_go() {
    let mut world = created();
    puts(&mut world, 2..=10);
    world.pass(DAY - 1);
    puts(&mut world, 11..=150);
    world.pass(1);
    let prune_once = Upkeep::Prune(world.id(S).unwrap());
    let plan = world.plan(&prune_once, None).unwrap();
    assert_eq!((plan.effects.len(), plan.answer), (11, Answer::Done), "ten versions, one record");
    assert_eq!(prune(&mut world), 140);
    world.pass(DAY);
    assert_eq!(prune(&mut world), 100);
}

/// SEM-KEEP-2: labels protect, also where all twenty lie at the front.
#[test]
fn labelled_versions_are_stepped_over() {
    let mut world = created();
    for number in 0..18 {
        world.put(S, &format!("l{number}"), "x", &[&format!("L{number}")]).unwrap();
    }
    puts(&mut world, 20..=500);
    world.pass(DAY);
    assert_eq!(prune(&mut world), 100);
    assert_eq!(world.view.stages.len(), 20);
}

/// SEM-KEEP-4: `World` checks that each part is bounded.
#[test]
fn a_long_prune_is_done_in_bounded_parts() {
    let mut world = World { chunks: 17, ..World::default() };
    world.create(S, "v1", Some("one")).unwrap();
    puts(&mut world, 2..=300);
    world.pass(DAY);
    let id = world.id(S).unwrap();
    let parts = world.drain(&Upkeep::Prune(id)).unwrap();
    assert_eq!((parts, world.view.versions.len()), (16, 100), "thirteen versions fit 255 rows");
    assert_eq!(world.drain(&Upkeep::Prune(id)).unwrap(), 0);
    assert_eq!(world.drain(&Upkeep::Prune(RecordId([7; 16]))).unwrap(), 0);
}

/// SEM-KEEP-6
#[test]
fn a_secret_has_a_largest_number_of_versions() {
    let mut world = created();
    let id = world.id(S).unwrap();
    world.view.secrets.get_mut(&id).unwrap().version_count = limits::VERSIONS_MAX;
    let text = "A secret can have at most 1000000 versions.";
    refused(world.put(S, "v2", "two", &[]), LimitExceeded, text);
    refused(world.update(S, "v2", None, Some("two")), LimitExceeded, text);
}

/// Who prunes in the background looks at these secrets and no others.
#[test]
fn what_may_be_due_is_dead_or_deleted_or_has_many_versions() {
    use crate::semantics::may_be_due;
    let mut world = created();
    let record = |world: &World| world.view.secrets[&world.id(S).unwrap()].clone();
    assert!(!may_be_due(&record(&world)));
    puts(&mut world, 2..=100);
    assert!(!may_be_due(&record(&world)));
    puts(&mut world, 101..=101);
    assert!(may_be_due(&record(&world)));
    let mut world = created();
    let mut dead = record(&world);
    dead.dead = true;
    assert!(may_be_due(&dead));
    world.delete(S, None, None).unwrap();
    assert!(may_be_due(&record(&world)));
}
