//! Dates (SEM-DATE).

use super::{DAY, S, created, unchanged};
use crate::env::UnixMillis;
use crate::model::Seq;
use crate::model::api::ListSecretVersionIds;
use crate::semantics::memory::World;
use crate::semantics::{Upkeep, day_of};

fn changed(world: &World) -> UnixMillis {
    world.describe(S).unwrap().last_changed_date
}

fn touch(world: &mut World, seq: u64, day: UnixMillis) {
    let id = world.id(S).unwrap();
    world.run(&Upkeep::Touch { id, seq: Seq(seq), on: id, day }, None).unwrap();
}

fn versions(world: &World) -> Vec<crate::model::api::SecretVersionsListEntry> {
    let request = ListSecretVersionIds { secret_id: S.into(), ..Default::default() };
    world.list_versions(&request).unwrap().versions
}

/// SEM-DATE-1, SEM-DATE-3: what was noted before holds when the clock runs back.
#[test]
fn a_clock_that_runs_back_does_not_turn_a_secret_back() {
    let mut world = created();
    let first = world.wall();
    world.now.wall = first.plus(-10 * DAY);
    // The age clock never runs back.
    world.now.age = first;
    world.put(S, "v2", "two", &[]).unwrap();
    assert_eq!(changed(&world), first);
    assert_eq!(world.delete(S, Some(7), None).unwrap().deletion_date, first.plus(7 * DAY));
    assert_eq!(world.describe(S).unwrap().deleted_date, Some(first));
    assert_eq!(versions(&world)[1].created_date, first);
    world.create("other", "c", None).unwrap();
    let other = world.describe("other").unwrap();
    assert_eq!(other.created_date, world.wall(), "each secret has a time of its own");
}

/// SEM-DATE-7: one operation under a clock of 2106 does not date all later ones.
#[test]
fn a_date_far_ahead_of_both_clocks_heals() {
    let mut world = created();
    let first = world.wall();
    world.now.age = first;
    world.now.wall = UnixMillis(4_294_967_296_000);
    world.put(S, "v2", "two", &[]).unwrap();
    assert_eq!(changed(&world), world.wall());
    world.now.wall = first.plus(1);
    world.put(S, "v3", "three", &[]).unwrap();
    assert_eq!(changed(&world), first.plus(1));
    assert_eq!(versions(&world).last().unwrap().created_date, first.plus(1));
    // A day ahead may be a clock that was set.
    world.now.wall = first.plus(DAY);
    world.put(S, "v4", "four", &[]).unwrap();
    world.now.wall = first.plus(2);
    world.put(S, "v5", "five", &[]).unwrap();
    assert_eq!(changed(&world), first.plus(DAY));
}

/// SEM-DATE-2
#[test]
fn every_change_moves_last_changed_date() {
    type Act = fn(&mut World);
    let acts: [(&str, Act); 8] = [
        ("put", |world| drop(world.put(S, "v2", "two", &["x"]).unwrap())),
        ("update", |world| drop(world.update(S, "v3", None, Some("one")).unwrap())),
        ("description", |world| drop(world.update(S, "u", Some("text"), None).unwrap())),
        ("stage", |world| drop(world.move_stage(S, "x", Some("v2"), None).unwrap())),
        ("tag", |world| drop(world.tag(S, &[("a", "b")]).unwrap())),
        ("untag", |world| drop(world.untag(S, &["a"]).unwrap())),
        ("delete", |world| drop(world.delete(S, None, None).unwrap())),
        ("restore", |world| drop(world.restore(S).unwrap())),
    ];
    let mut world = created();
    let made = world.wall();
    for (what, act) in acts {
        world.pass(1);
        act(&mut world);
        assert_eq!(changed(&world), world.wall(), "{what}");
    }
    assert_eq!(world.describe(S).unwrap().created_date, made);
    world.pass(1);
    unchanged(&mut world, |world| {
        world.put(S, "v2", "two", &["y"]).unwrap();
        world.update(S, "u", None, None).unwrap();
        world.restore(S).unwrap();
        world.untag(S, &["none"]).unwrap();
    });
}

/// SEM-DATE-3
#[test]
fn a_version_is_dated_when_it_is_made() {
    let mut world = created();
    let first = world.wall();
    world.pass(1);
    world.put(S, "v2", "two", &[]).unwrap();
    let dates: Vec<_> = versions(&world).iter().map(|version| version.created_date).collect();
    assert_eq!(dates, [first, first.plus(1)]);
}

/// SEM-DATE-4, SEM-DATE-5
#[test]
fn a_read_is_noted_by_its_day_on_secret_and_version() {
    let mut world = created();
    world.put(S, "v2", "two", &[]).unwrap();
    assert_eq!(world.describe(S).unwrap().last_accessed_date, None);
    let before = changed(&world);
    let now = world.wall();
    let today = Some(UnixMillis(1_704_153_600_000)); // 2024-01-02T00:00:00Z
    assert_eq!(Some(day_of(now)), today);
    world.pass(1);
    touch(&mut world, 1, now);
    let described = world.describe(S).unwrap();
    assert_eq!((described.last_accessed_date, described.last_changed_date), (today, before));
    let dates: Vec<_> = versions(&world).iter().map(|version| version.last_accessed_date).collect();
    assert_eq!(dates, [today, None]);
    unchanged(&mut world, |world| {
        touch(world, 1, now);
        touch(world, 1, now.plus(-DAY));
    });
    let id = world.id(S).unwrap();
    let again = Upkeep::Touch { id, seq: Seq(1), on: id, day: now.plus(-DAY) };
    assert_eq!(world.plan(&again, None).unwrap().effects.len(), 0, "nothing is written for it");
    touch(&mut world, 2, now.plus(-DAY));
    assert_eq!(world.describe(S).unwrap().last_accessed_date, today, "never earlier");
    assert_eq!(versions(&world)[1].last_accessed_date, Some(day_of(now.plus(-DAY))));
    touch(&mut world, 2, now.plus(DAY));
    assert_eq!(world.describe(S).unwrap().last_accessed_date, Some(day_of(now.plus(DAY))));
}

/// SEM-DATE-4: also before 1970 and at the ends of time.
#[test]
fn a_day_starts_at_midnight() {
    for (moment, day) in [(0, 0), (DAY - 1, 0), (DAY, DAY), (-1, -DAY), (i64::MIN, i64::MIN)] {
        assert_eq!(day_of(UnixMillis(moment)), UnixMillis(day));
    }
}

/// SEM-DATE-6
#[test]
fn a_read_of_what_is_gone_is_not_noted() {
    let mut world = created();
    let now = world.wall();
    unchanged(&mut world, |world| touch(world, 9, now));
    let id = world.id(S).unwrap();
    world.delete(S, None, Some(true)).unwrap();
    let mutation = Upkeep::Touch { id, seq: Seq(1), on: id, day: now };
    unchanged(&mut world, |world| world.run(&mutation, None)).unwrap();
}
