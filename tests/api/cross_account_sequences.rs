//! Random histories of a primary and of a replica in another account: whatever is associated,
//! detached, stopped, written and deleted, both accounts see what they should. That both sides know
//! each other, and that no plan is too large or speaks twice of a row, is checked by `World` at
//! every step.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use strongroom::__internals::model::api::{CreateSecret, DescribeSecretResponse, UpdateSecret};
use strongroom::__internals::model::{CrossAccountStatus, RecordId, Scope};
use strongroom::__internals::secret::PayloadKind;
use strongroom::__internals::semantics::Upkeep;
use strongroom_fuzz_bodies::world::memory::{Mutation, World, token};

/// Both accounts use one name, so that only the account tells them apart.
const S: &str = "app/db";
const ACCOUNTS: [&str; 2] = [Scope::DEFAULT_ACCOUNT, "111122223333"];

/// One step, taken by one of the accounts.
#[derive(Clone, Debug)]
enum Step {
    Create(bool),
    MakeReplica,
    Associate,
    Disassociate,
    Stop,
    Put(u8, bool),
    Describe(u8),
    Partner(bool),
    Tag(u8),
    Delete(bool),
    Restore,
    Replicate,
    Background,
    Pass(i64),
}

fn history() -> impl Strategy<Value = Vec<(usize, Step)>> {
    let step = prop_oneof![
        6 => any::<bool>().prop_map(Step::Create),
        8 => Just(Step::MakeReplica),
        12 => Just(Step::Associate),
        8 => Just(Step::Disassociate),
        3 => Just(Step::Stop),
        6 => (0..9_u8, any::<bool>()).prop_map(|(token, labels)| Step::Put(token, labels)),
        1 => (0..3_u8).prop_map(Step::Describe),
        1 => any::<bool>().prop_map(Step::Partner),
        1 => (0..3_u8).prop_map(Step::Tag),
        1 => any::<bool>().prop_map(Step::Delete),
        1 => Just(Step::Restore),
        1 => Just(Step::Replicate),
        1 => Just(Step::Background),
        1 => (-2..40_i64).prop_map(|days| Step::Pass(days * 86_400_000)),
    ];
    vec((0..ACCOUNTS.len(), step), 1..80)
}

/// The ARN of the account's secret; of one that was never there, if there is none.
fn arn(world: &World, account: &str) -> String {
    let nobody = format!("arn:aws:secretsmanager:us-east-1:{account}:secret:nobody-AbCdEf");
    world.clone().act_as(account).describe(S).map_or(nobody, |shown| shown.arn)
}

fn take(world: &mut World, at: usize, step: &Step) -> bool {
    let other = arn(world, ACCOUNTS[1 - at]);
    world.act_as(ACCOUNTS[at]);
    match step {
        Step::Create(has_value) => world.create(S, "t0", has_value.then_some("first")).is_ok(),
        Step::MakeReplica => {
            let request = CreateSecret::<PayloadKind> {
                client_request_token: Some(token("r")),
                kms_key_id: Some("alias/theirs".into()),
                cross_account_primary_arn: Some(other),
                ..CreateSecret::new(S)
            };
            world.run(&Mutation::CreateSecret(request), None).is_ok()
        }
        Step::Associate => world.associate(S, &other).is_ok(),
        Step::Disassociate => {
            let known = world.describe(S).ok().and_then(|shown| shown.cross_account_replica);
            world.disassociate(S, &known.map_or(other, |known| known.arn)).is_ok()
        }
        Step::Stop => world.promote(S).is_ok(),
        Step::Put(number, labels) => {
            let label = format!("L{number}");
            let labels: &[&str] = if *labels { &[&label] } else { &[] };
            let (by, value) = (format!("t{number}"), format!("value {number}"));
            world.put(S, &by, &value, labels).is_ok()
        }
        Step::Describe(number) => world.update(S, "u", Some(&number.to_string()), None).is_ok(),
        Step::Partner(has_one) => {
            let request = UpdateSecret::<PayloadKind> {
                client_request_token: Some(token("u")),
                partner: Some(if *has_one { "partner".into() } else { String::new() }),
                ..UpdateSecret::new(S)
            };
            world.run(&Mutation::UpdateSecret(request), None).is_ok()
        }
        Step::Tag(number) => world.tag(S, &[("k", &number.to_string())]).is_ok(),
        Step::Delete(force) => world.delete(S, None, Some(*force)).is_ok(),
        Step::Restore => world.restore(S).is_ok(),
        Step::Replicate => world.replicate(S, &[("eu-west-1", None)], true).is_ok(),
        Step::Background => {
            let ids: Vec<RecordId> = world.view.secrets.keys().copied().collect();
            ids.into_iter().all(|id| {
                let all = [Upkeep::Purge(id), Upkeep::Prune(id), Upkeep::Sweep(id)];
                all.iter().all(|mutation| world.drain(mutation).is_ok())
            })
        }
        Step::Pass(millis) => {
            world.now.wall = world.now.wall.plus(*millis);
            world.now.age = world.now.age.plus((*millis).max(0));
            true
        }
    }
}

/// What comes from a primary: values, labels, description and partner.
type Content = (Vec<(String, Vec<String>, Vec<u8>)>, Option<String>, Option<String>);

/// All that an account shows of its secret.
fn shown(world: &World, at: usize) -> Option<(DescribeSecretResponse, Content)> {
    let mut world = world.clone();
    let described = world.act_as(ACCOUNTS[at]).describe(S).ok()?;
    let versions = described.versions_to_stages.iter().map(|(version, stages)| {
        let found = world.get_at(S, Some(version.as_str().trim_end_matches('-')), None);
        let value = found.map_or_else(
            |_| Vec::new(),
            |found| world.view.values[&(found.version.id, found.version.seq)].1.clone(),
        );
        (version.to_string(), stages.clone(), value)
    });
    let partner = described.external.as_ref().map(|external| external.partner.to_string());
    let content = (versions.collect(), described.description.clone(), partner);
    Some((described, content))
}

fn status(shown: &Option<(DescribeSecretResponse, Content)>) -> Option<CrossAccountStatus> {
    shown.as_ref()?.0.cross_account_primary.as_ref().map(|primary| primary.status)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, rng_seed: RngSeed::Fixed(3), ..ProptestConfig::default() })]

    /// Goal: SEM-XREPL-5, SEM-XREPL-7, SEM-XREPL-8 and SEM-XREPL-9 hold after any history. Method:
    /// compare what a replica shows with its primary while it is in sync, and with itself when it
    /// is detached or stopped.
    #[test]
    fn both_accounts_show_what_they_should(history in history()) {
        let mut world = World::default();
        for (at, step) in &history {
            let before = [0, 1].map(|at| shown(&world, at));
            let is_done = take(&mut world, *at, step);
            let after = [0, 1].map(|at| shown(&world, at));
            if !is_done {
                prop_assert_eq!(&before, &after, "a refusal changes nothing");
            }
            for side in [0, 1] {
                let (own, other) = (&after[side], &after[1 - side]);
                match status(own) {
                    Some(CrossAccountStatus::InSync) => {
                        let (replica, content) = own.as_ref().unwrap();
                        let (primary, primary_content) = other.as_ref().expect("its primary");
                        prop_assert_eq!(content, primary_content);
                        let entry = primary.cross_account_replica.as_ref().expect("its entry");
                        prop_assert_eq!(&entry.arn, &replica.arn);
                        prop_assert_eq!(entry.status, CrossAccountStatus::InSync);
                        prop_assert_eq!(primary.deleted_date, None, "it is never scheduled");
                    }
                    Some(CrossAccountStatus::Detached) => {
                        let before = before[side].as_ref().map(|(_, content)| content);
                        prop_assert_eq!(own.as_ref().map(|(_, content)| content), before);
                    }
                    Some(CrossAccountStatus::Pending) => {
                        prop_assert!(own.as_ref().unwrap().1.0.is_empty(), "it has seen nothing");
                    }
                    None => {}
                }
            }
            if let (Step::Stop, true) = (step, is_done) {
                let content = |side: &Option<(DescribeSecretResponse, Content)>| side.clone().unwrap().1;
                prop_assert_eq!(content(&before[*at]), content(&after[*at]));
                prop_assert!(status(&before[*at]).is_some() && status(&after[*at]).is_none());
            }
        }
    }
}

/// The histories above reach every status, from every other that leads to it.
#[test]
fn the_histories_reach_every_status() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::{Config, TestRunner};
    use std::collections::BTreeMap;
    let config = Config { rng_seed: RngSeed::Fixed(3), ..Config::default() };
    let mut runner = TestRunner::new(config);
    let mut moves = BTreeMap::<String, usize>::new();
    for _ in 0..300 {
        let mut world = World::default();
        for (at, step) in history().new_tree(&mut runner).unwrap().current() {
            let before = [0, 1].map(|at| status(&shown(&world, at)));
            take(&mut world, at, &step);
            let after = [0, 1].map(|at| status(&shown(&world, at)));
            for (before, after) in before.into_iter().zip(after) {
                let name = |status: Option<CrossAccountStatus>| status.map_or("-", |s| s.name());
                if before != after {
                    *moves.entry(format!("{} > {}", name(before), name(after))).or_default() += 1;
                }
            }
        }
    }
    println!("{moves:?}");
    for wanted in [
        "- > Pending",
        "Pending > InSync",
        "InSync > Detached",
        "Detached > InSync",
        "Pending > -",
        "InSync > -",
        "Detached > -",
    ] {
        assert!(moves.get(wanted).is_some_and(|count| *count >= 5), "{wanted}: {moves:?}");
    }
}
