//! The staging labels as AWS moves them: recorded sequences, and what holds after any sequence.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use std::collections::BTreeSet;
use strongroom::__internals::model::api::ListSecretVersionIds;
use strongroom::__internals::model::{Seq, Stage};
use strongroom::__internals::semantics::Upkeep;
use strongroom_fuzz_bodies::world::memory::World;

const S: &str = "app/db";

/// The versions that the default `ListSecretVersionIds` shows.
fn listed(world: &World) -> Vec<String> {
    let request = ListSecretVersionIds { secret_id: S.to_owned(), ..Default::default() };
    let page = world.list_versions(&request).unwrap();
    let name = |id: &str| id.trim_end_matches('-').to_owned();
    page.versions.iter().map(|version| name(version.version_id.as_str())).collect()
}

fn created() -> World {
    let mut world = World::default();
    world.create(S, "v1", Some("one")).unwrap();
    world
}

/// SEM-STAGE-3, SEM-STAGE-7, SEM-STAGE-8, SEM-STAGE-23: a default put ends a rotation whose
/// version holds both labels.
#[test]
fn sequence_1_a_default_put_after_a_promotion_strips_pending() {
    let mut world = created();
    world.put(S, "v2", "two", &["AWSPENDING"]).unwrap();
    assert_eq!(world.labels(S), "v1{AWSCURRENT} v2{AWSPENDING}");
    world.move_stage(S, "AWSCURRENT", Some("v1"), Some("v2")).unwrap();
    assert_eq!(world.labels(S), "v1{AWSPREVIOUS} v2{AWSCURRENT,AWSPENDING}");
    let answer = world.put(S, "v3", "three", &[]).unwrap();
    assert_eq!(answer.version_stages, ["AWSCURRENT"]);
    assert_eq!(world.labels(S), "v2{AWSPREVIOUS} v3{AWSCURRENT}");
    assert_eq!(listed(&world), ["v2", "v3"]);
}

/// SEM-STAGE-1, SEM-STAGE-2, SEM-STAGE-16
#[test]
fn sequence_2_two_rotations_leave_the_first_version_deprecated() {
    let mut world = created();
    world.put(S, "v2", "two", &["AWSPENDING"]).unwrap();
    world.move_stage(S, "AWSCURRENT", Some("v1"), Some("v2")).unwrap();
    world.put(S, "v3", "three", &["AWSPENDING"]).unwrap();
    assert_eq!(world.labels(S), "v1{AWSPREVIOUS} v2{AWSCURRENT} v3{AWSPENDING}");
    world.move_stage(S, "AWSCURRENT", Some("v2"), Some("v3")).unwrap();
    assert_eq!(world.labels(S), "v2{AWSPREVIOUS} v3{AWSCURRENT,AWSPENDING}");
    assert_eq!(listed(&world), ["v2", "v3"]);
}

/// SEM-STAGE-10, SEM-STAGE-16, SEM-STAGE-23: custom labels stay where they are while the three of
/// AWS move around them.
#[test]
fn sequence_3_custom_labels_stay_with_their_versions() {
    let mut world = created();
    let answer = world.put(S, "v2", "two", &["AWSCURRENT", "PUT0"]).unwrap();
    assert_eq!(answer.version_stages, ["PUT0", "AWSCURRENT"]);
    assert_eq!(world.labels(S), "v1{AWSPREVIOUS} v2{AWSCURRENT,PUT0}");
    world.put(S, "v3", "three", &["AWSPENDING", "PUT1"]).unwrap();
    world.move_stage(S, "AWSCURRENT", Some("v2"), Some("v3")).unwrap();
    assert_eq!(world.labels(S), "v2{AWSPREVIOUS,PUT0} v3{AWSCURRENT,AWSPENDING,PUT1}");
    world.put(S, "v4", "four", &["AWSPENDING", "PUT2"]).unwrap();
    world.move_stage(S, "AWSCURRENT", Some("v3"), Some("v4")).unwrap();
    let expected = "v2{PUT0} v3{AWSPREVIOUS,PUT1} v4{AWSCURRENT,AWSPENDING,PUT2}";
    assert_eq!(world.labels(S), expected);
}

/// SEM-STAGE-1, SEM-STAGE-9
#[test]
fn sequence_4_a_custom_label_moves_silently_to_the_new_version() {
    let mut world = created();
    world.put(S, "v2", "two", &["one", "two", "three"]).unwrap();
    let mut other = world.clone();
    world.put(S, "v3", "three", &["one", "two", "four"]).unwrap();
    assert_eq!(world.labels(S), "v1{AWSCURRENT} v2{three} v3{four,one,two}");
    assert_eq!(listed(&world), ["v1", "v2", "v3"]);
    other.put(S, "v3", "three", &["one", "two", "three", "four"]).unwrap();
    assert_eq!(other.labels(S), "v1{AWSCURRENT} v3{four,one,three,two}");
    assert_eq!(listed(&other), ["v1", "v3"]);
}

/// SEM-STAGE-19
#[test]
fn sequence_5_a_label_can_be_removed_after_the_promotion() {
    let mut world = created();
    world.put(S, "v2", "two", &["PENDING"]).unwrap();
    world.move_stage(S, "AWSCURRENT", Some("v1"), Some("v2")).unwrap();
    world.move_stage(S, "PENDING", Some("v2"), None).unwrap();
    assert_eq!(world.labels(S), "v1{AWSPREVIOUS} v2{AWSCURRENT}");
}

/// One step of a random history. Tokens, labels and versions come from small pools, so that they
/// collide.
#[derive(Clone, Debug)]
enum Step {
    Create(u8, Option<u8>),
    Put(u8, u8, Vec<u8>),
    Update(u8, Option<u8>, bool),
    Move(u8, Option<u8>, Option<u8>),
    Delete(bool),
    Restore,
    Prune,
    Purge,
    Pass(i64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let token = || 0..10_u8;
    let value = || 0..3_u8;
    let label = || 0..26_u8;
    let step = prop_oneof![
        2 => (token(), proptest::option::of(value())).prop_map(|(t, v)| Step::Create(t, v)),
        8 => (token(), value(), vec(label(), 0..8)).prop_map(|(t, v, l)| Step::Put(t, v, l)),
        3 => (token(), proptest::option::of(value()), any::<bool>())
            .prop_map(|(t, v, d)| Step::Update(t, v, d)),
        8 => (label(), proptest::option::of(token()), proptest::option::of(token()))
            .prop_map(|(l, r, m)| Step::Move(l, r, m)),
        1 => any::<bool>().prop_map(Step::Delete),
        1 => Just(Step::Restore),
        1 => Just(Step::Prune),
        1 => Just(Step::Purge),
        2 => (-2..40_i64).prop_map(|days| Step::Pass(days * 86_400_000)),
    ];
    vec(step, 1..60)
}

/// The first six labels are likelier than chance to be AWS's own.
fn label(number: u8) -> String {
    match number {
        0 | 1 => Stage::CURRENT.to_owned(),
        2 | 3 => Stage::PREVIOUS.to_owned(),
        4 => Stage::PENDING.to_owned(),
        _ => format!("L{number}"),
    }
}

fn name(number: u8) -> String {
    format!("t{number}")
}

fn take(world: &mut World, step: &Step) {
    let value = |number: &u8| format!("value {number}");
    let id = world.id(S);
    // Refusals are legal; what matters is what the vault looks like afterwards.
    let _ = match step {
        Step::Create(token, secret) => {
            let secret = secret.as_ref().map(value);
            world.create(S, &name(*token), secret.as_deref()).map(drop)
        }
        Step::Put(token, secret, labels) => {
            let labels: Vec<String> = labels.iter().map(|number| label(*number)).collect();
            let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
            world.put(S, &name(*token), &value(secret), &labels).map(drop)
        }
        Step::Update(token, secret, describes) => {
            let secret = secret.as_ref().map(value);
            let description = describes.then_some("text");
            world.update(S, &name(*token), description, secret.as_deref()).map(drop)
        }
        Step::Move(stage, from, to) => {
            let (from, to) = (from.map(name), to.map(name));
            world.move_stage(S, &label(*stage), from.as_deref(), to.as_deref()).map(drop)
        }
        Step::Delete(force) => world.delete(S, None, Some(*force)).map(drop),
        Step::Restore => world.restore(S).map(drop),
        Step::Prune => id.map_or(Ok(()), |id| world.drain(&Upkeep::Prune(id)).map(drop)),
        Step::Purge => id.map_or(Ok(()), |id| world.drain(&Upkeep::Purge(id)).map(drop)),
        Step::Pass(millis) => {
            world.now.wall = world.now.wall.plus(*millis);
            world.now.age = world.now.age.plus((*millis).max(0));
            Ok(())
        }
    };
}

fn holder(world: &World, stage: &str) -> Option<Seq> {
    let stage = Stage::parse(stage).unwrap();
    world.view.stages.get(&(world.id(S)?, stage)).copied()
}

fn has_value(world: &World) -> bool {
    let id = world.id(S);
    world.view.values.keys().any(|(secret, _)| Some(*secret) == id)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default() })]

    /// Goal: SEM-STAGE-1, SEM-STAGE-3, SEM-STAGE-4, SEM-STAGE-5 and SEM-STAGE-11 hold after any
    /// history. Method: compare the labels before and after each step. That no plan is too large,
    /// speaks twice of a row, miscounts versions or labels a missing one is checked by `World`.
    #[test]
    fn labels_stay_legal(history in steps()) {
        let mut world = World::default();
        world.now.age = world.now.wall;
        for step in &history {
            let (id, current) = (world.id(S), holder(&world, Stage::CURRENT));
            let changed = world.describe(S).ok().map(|secret| secret.last_changed_date);
            take(&mut world, step);

            let labels: BTreeSet<_> = world.view.stages.keys().map(|(id, stage)| (*id, stage)).collect();
            let own = labels.iter().filter(|(id, _)| Some(*id) == world.id(S)).count();
            prop_assert!(own <= 20, "{own} labels");
            let now = holder(&world, Stage::CURRENT);
            prop_assert_eq!(now.is_some(), has_value(&world), "a value without AWSCURRENT");
            if id == world.id(S) && id.is_some() {
                if now != current && current.is_some() {
                    prop_assert_eq!(holder(&world, Stage::PREVIOUS), current, "{:?}", step);
                }
                let after = world.describe(S).unwrap().last_changed_date;
                prop_assert!(Some(after) >= changed, "a date ran back");
            }
        }
    }

    /// Goal: SEM-STAGE-3. Method: promote at random; the expected answer is read off the history,
    /// which needs no rule.
    #[test]
    fn previous_is_the_last_other_current(history in vec(0..4_u8, 1..40)) {
        let mut world = World::default();
        world.create(S, "t0", Some("x")).unwrap();
        for token in 1..4 {
            world.put(S, &name(token), "x", &[&format!("keep{token}")]).unwrap();
        }
        let mut currents = vec![0];
        for to in &history {
            let from = name(*currents.last().unwrap());
            world.move_stage(S, Stage::CURRENT, Some(&from), Some(&name(*to))).unwrap();
            currents.push(*to);
        }
        let current = *currents.last().unwrap();
        let previous = currents.iter().rev().find(|token| **token != current);
        let seq = |token: &u8| Seq(u64::from(*token) + 1);
        prop_assert_eq!(holder(&world, Stage::CURRENT), Some(seq(&current)));
        prop_assert_eq!(holder(&world, Stage::PREVIOUS), previous.map(seq));
    }
}
