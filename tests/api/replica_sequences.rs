//! Random histories of one name in three regions: whatever is replicated, overwritten, removed and
//! promoted, every region shows what it should. That both sides of a replica know each other, and
//! that no plan is too large or speaks twice of a row, is checked by `World` at every step.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use strongroom::__internals::model::api::DescribeSecretResponse;
use strongroom::__internals::model::{RecordId, ReplicaStatus};
use strongroom::__internals::semantics::Upkeep;
use strongroom_fuzz_bodies::world::memory::World;

const S: &str = "app/db";
const REGIONS: [&str; 3] = ["us-east-1", "eu-west-1", "eu-west-2"];

/// One step, asked for in a region.
#[derive(Clone, Debug)]
enum Step {
    Create(bool),
    Put(u8, bool),
    Describe(u8),
    Delete(bool),
    Restore,
    Replicate(usize, Option<u8>, bool),
    Remove(usize),
    Promote,
    Background,
    Pass(i64),
}

fn history() -> impl Strategy<Value = Vec<(usize, Step)>> {
    let region = || 0..REGIONS.len();
    let step = prop_oneof![
        3 => any::<bool>().prop_map(Step::Create),
        5 => (0..9_u8, any::<bool>()).prop_map(|(token, labels)| Step::Put(token, labels)),
        1 => (0..3_u8).prop_map(Step::Describe),
        2 => any::<bool>().prop_map(Step::Delete),
        1 => Just(Step::Restore),
        6 => (region(), proptest::option::of(0..3_u8), any::<bool>())
            .prop_map(|(to, key, force)| Step::Replicate(to, key, force)),
        2 => region().prop_map(Step::Remove),
        2 => Just(Step::Promote),
        1 => Just(Step::Background),
        1 => (-2..40_i64).prop_map(|days| Step::Pass(days * 86_400_000)),
    ];
    vec((region(), step), 1..50)
}

fn take(world: &mut World, step: &Step) -> bool {
    let token = |number: &u8| format!("t{number}");
    match step {
        Step::Create(has_value) => world.create(S, "t0", has_value.then_some("first")).is_ok(),
        Step::Put(number, labels) => {
            let label = format!("L{number}");
            let labels: &[&str] = if *labels { &[&label] } else { &[] };
            world.put(S, &token(number), &format!("value {number}"), labels).is_ok()
        }
        Step::Describe(number) => world.update(S, "u", Some(&format!("{number}")), None).is_ok(),
        Step::Delete(force) => world.delete(S, None, Some(*force)).is_ok(),
        Step::Restore => world.restore(S).is_ok(),
        Step::Replicate(to, key, force) => {
            let key = key.map(|number| format!("alias/{number}"));
            world.replicate(S, &[(REGIONS[*to], key.as_deref())], *force).is_ok()
        }
        Step::Remove(from) => world.remove_replicas(S, &[REGIONS[*from]]).is_ok(),
        Step::Promote => world.promote(S).is_ok(),
        Step::Background => {
            let ids: Vec<RecordId> = world.view.secrets.keys().copied().collect();
            ids.into_iter().all(|id| {
                [Upkeep::Purge(id), Upkeep::Prune(id), Upkeep::Sweep(id)]
                    .iter()
                    .all(|mutation| world.drain(mutation).is_ok())
            })
        }
        Step::Pass(millis) => {
            world.now.wall = world.now.wall.plus(*millis);
            world.now.age = world.now.age.plus((*millis).max(0));
            true
        }
    }
}

/// All that a region shows of the secret: its description, and every labelled value.
fn shown(world: &World, region: &str) -> Option<(DescribeSecretResponse, Vec<Vec<u8>>)> {
    let mut world = world.clone();
    let described = world.go_to(region).describe(S).ok()?;
    let values = described.versions_to_stages.iter().map(|(version, _)| {
        let found = world.get_at(S, Some(version.as_str().trim_end_matches('-')), None);
        found.map_or_else(
            |_| Vec::new(),
            |found| world.view.values[&(found.version.id, found.version.seq)].1.clone(),
        )
    });
    let values = values.collect();
    Some((described, values))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, rng_seed: RngSeed::Fixed(2), ..ProptestConfig::default() })]

    /// Goal: SEM-REPL-2, SEM-REPL-10 and SEM-REPL-12 hold after any history. Method: compare what the
    /// regions show with each other, and a promoted secret with what its region showed before.
    #[test]
    fn every_region_shows_what_it_should(history in history()) {
        let mut world = World::default();
        for (at, step) in &history {
            let region = REGIONS[*at];
            let before = shown(&world, region);
            let is_done = take(world.go_to(region), step);

            if let (Step::Promote, true) = (step, is_done) {
                let (before, values) = before.unwrap();
                let (after, own_values) = shown(&world, region).unwrap();
                let is_own = |key: &String| *key == "alias/aws/secretsmanager";
                let expected = DescribeSecretResponse {
                    primary_region: None,
                    kms_key_id: before.kms_key_id.clone().filter(|key| !is_own(key)),
                    last_changed_date: after.last_changed_date,
                    ..before.clone()
                };
                prop_assert!(after.last_changed_date >= before.last_changed_date);
                prop_assert_eq!((after, own_values), (expected, values));
            }
            for region in REGIONS {
                let Some((away, away_values)) = shown(&world, region) else { continue };
                let Some(primary) = away.primary_region.clone() else { continue };
                let (home, home_values) = shown(&world, &primary).expect("a primary is there");
                prop_assert_eq!(home.deleted_date, None, "a primary is never scheduled");
                if region == primary {
                    continue;
                }
                prop_assert_eq!(away_values, home_values);
                prop_assert_eq!(&away.replication_status, &None);
                let mut entries = home.replication_status.iter().flatten();
                let entry = entries.find(|entry| entry.region == region).expect("its entry");
                prop_assert_eq!(entry.status, ReplicaStatus::InSync);
                let expected = DescribeSecretResponse {
                    arn: home.arn.replace(&*primary, region),
                    kms_key_id: Some(entry.kms_key_id.clone()),
                    created_date: away.created_date,
                    last_accessed_date: entry.last_accessed_date,
                    replication_status: None,
                    ..home.clone()
                };
                prop_assert_eq!(away, expected);
            }
        }
    }
}
