//! A script of 300 operations on a simulated machine whose power goes at every write and sync
//! boundary, with unsynced bytes dropped, kept or torn, and again while the vault recovers.
//!
//! What must hold after each: every acknowledged operation is there, an operation that was not
//! acknowledged is there whole or not at all, `check` finds nothing, labels are legal. The oracle is
//! the reference model after each prefix of the script: what is read must equal one of those from
//! the last acknowledged operation on.
//!
//! `STRONGROOM_CRASH_STRIDE=1 STRONGROOM_CRASH_SEEDS=5` is the long tier.
#![allow(dead_code, unreachable_pub, missing_docs, clippy::pedantic, clippy::disallowed_methods)]
#![allow(clippy::disallowed_types)]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stdout, clippy::print_stderr)]

mod common;

use common::drive;
use common::reference::{Ans, Chosen, Id, Model, Req, Value};
use common::rng::Rng;
use common::world::{self, Loss, Sabotage, Setup, World};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use strongroom::model::Scope;
use strongroom::vault::Vault;

const REGION: &str = "us-east-1";
const ACCOUNT: &str = "000000000000";
const OPERATIONS: usize = 300;

/// One happening of the script. `Batch` hands several mutations in before any is answered.
#[derive(Clone)]
enum Act {
    One(Req),
    Batch(Vec<Req>),
    Read(Req),
    Maintain,
    Reopen,
}

fn script(seed: u64) -> Vec<Act> {
    let mut rng = Rng::new(seed);
    let names = ["a", "b/long/name", "c", "d-secret", "e", "f"];
    let id = |rng: &mut Rng| Id::Name((*rng.pick(&names)).into());
    let mut acts: Vec<Act> = Vec::new();
    let (mut operations, mut serial) = (0, 0);
    let mut tokens: Vec<String> = Vec::new();
    let mut mutation = |rng: &mut Rng, forced: Option<usize>| {
        serial += 1;
        let token = format!("t{serial:0>35}");
        // Some values fill several chunks, so that one operation is many rows.
        let len = [3, 40, 300, 5_000, 20_000][usize::min(rng.below(8), 4)];
        let value = Some(Value::Binary(rng.bytes(len)));
        match forced.unwrap_or_else(|| 6 + rng.below(94)) {
            n @ 0..6 => Req::Create {
                name: names[n].into(),
                token: Some(token),
                value: (n != 4).then(|| Value::Text(b"first".to_vec())),
                description: Some("made".into()),
                kms: None,
                tags: Some(vec![("k".into(), "v".into())]),
            },
            6..50 => {
                let stages = match rng.below(4) {
                    0 => Some(vec!["AWSPENDING".into(), "blue".into()]),
                    1 => Some(vec!["green".into()]),
                    _ => None,
                };
                tokens.push(token.clone());
                Req::Put { id: id(rng), token: Some(token), value, stages }
            }
            50..58 => Req::Update {
                id: id(rng),
                token: Some(token),
                value: rng.chance(50).then(|| Value::Text(rng.word(9).into_bytes())),
                description: Some(rng.word(12)),
                kms: None,
            },
            58..68 => {
                let from = tokens.last().filter(|_| rng.chance(50)).cloned();
                let to = (!tokens.is_empty()).then(|| rng.pick(&tokens).clone());
                let stage = (*rng.pick(&["blue", "green", "red"])).into();
                Req::Stage { id: id(rng), stage, from, to }
            }
            68..75 => Req::Tag { id: id(rng), tags: vec![(rng.word(2), rng.word(5))] },
            75..79 => Req::Untag { id: id(rng), keys: vec!["k".into()] },
            79..84 => Req::Delete { id: id(rng), window: Some(7), force: None },
            84..90 => Req::Restore { id: id(rng) },
            90..94 => Req::Delete { id: id(rng), window: None, force: Some(true) },
            _ => Req::Create {
                name: (*rng.pick(&names)).into(),
                token: Some(token),
                value,
                description: None,
                kms: None,
                tags: None,
            },
        }
    };
    for n in 0..6 {
        acts.push(Act::One(mutation(&mut rng, Some(n))));
        operations += 1;
    }
    while operations < OPERATIONS {
        match rng.below(20) {
            0 => acts.push(Act::Maintain),
            1 if rng.chance(50) => acts.push(Act::Reopen),
            1..3 => acts.push(Act::Read(Req::Get { id: id(&mut rng), version: None, stage: None })),
            3..6 => {
                let len = 2 + rng.below(6);
                acts.push(Act::Batch((0..len).map(|_| mutation(&mut rng, None)).collect()));
                operations += len;
            }
            _ => {
                acts.push(Act::One(mutation(&mut rng, None)));
                operations += 1;
            }
        }
    }
    acts
}

/// What a run learned until the power went: the model after each mutation that was handed in, and
/// how many of them were answered.
struct Told {
    prefixes: Vec<Model>,
    acknowledged: usize,
    /// Whether making the vault was answered.
    made: bool,
}

impl Told {
    fn model(&mut self, world: &World) -> Model {
        let mut model = self.prefixes.last().unwrap().clone();
        model.wall = world.wall();
        model
    }
}

/// Runs the script until it ends or the power goes. Refusals of AWS's are answers like any other.
fn run(world: &World, setup: &Setup, acts: &[Act]) -> Told {
    let mut told =
        Told { prefixes: vec![Model::new(ACCOUNT, world.wall())], acknowledged: 0, made: false };
    let Ok(mut vault) = world.create(setup) else { return told };
    told.made = true;
    for act in acts {
        world.advance(Duration::from_millis(1_000));
        match act {
            Act::One(request) => {
                let mut model = told.model(world);
                match drive::run(&vault, &model, REGION, request) {
                    Ok(seen) => {
                        let (_, expected) = model.apply(REGION, request, &drive::chosen(&seen));
                        assert!(expected.met_by(&seen), "{request:?}: {expected:?} {seen:?}");
                        told.prefixes.push(model);
                        told.acknowledged = told.prefixes.len() - 1;
                    }
                    Err(_) => {
                        model.apply(REGION, request, &unknown());
                        told.prefixes.push(model);
                        return told;
                    }
                }
            }
            Act::Batch(requests) => {
                if !batch(world, &vault, &mut told, requests) {
                    return told;
                }
            }
            Act::Read(request) => {
                let mut model = told.model(world);
                let Ok(seen) = drive::run(&vault, &model, REGION, request) else { return told };
                let (_, expected) = model.apply(REGION, request, &Chosen::default());
                assert!(expected.met_by(&seen), "{request:?}: {expected:?} {seen:?}");
                *told.prefixes.last_mut().unwrap() = model;
            }
            Act::Maintain => {
                if vault.maintain().is_err() {
                    return told;
                }
            }
            Act::Reopen => {
                if vault.close().is_err() {
                    return told;
                }
                drop(vault);
                let Ok(again) = world.open(setup) else { return told };
                vault = again;
            }
        }
    }
    let _ = vault.close();
    told
}

/// An operation whose answer never came: what the vault chose is learned from what is read later.
fn unknown() -> Chosen {
    Chosen { suffix: Some("??????".into()), version: None }
}

fn batch(world: &World, vault: &Vault, told: &mut Told, requests: &[Req]) -> bool {
    let scope = Scope::new(ACCOUNT, REGION);
    let answers = Arc::new(Mutex::new(vec![None; requests.len()]));
    let mut planned = told.model(world);
    let mut writes: Vec<(_, Box<dyn FnOnce(_) + Send>)> = Vec::new();
    for (n, request) in requests.iter().enumerate() {
        let write = drive::to_write(&planned, REGION, request).unwrap();
        let answers = Arc::clone(&answers);
        let done = Box::new(move |answer| {
            let seen = match drive::from_answer(answer) {
                Err(error) if error.fault().is_some() => Some(drive::refused(&error)),
                other => other.ok(),
            };
            answers.lock().unwrap()[n] = seen;
        });
        writes.push((write, done));
        // Requests name secrets, never ARNs, so an end that is not known yet does no harm.
        planned.apply(REGION, request, &unknown());
    }
    world::submit_together(vault, &scope, writes);
    let answers: Vec<Option<Ans>> = std::mem::take(&mut *answers.lock().unwrap());
    let mut alive = true;
    for (request, seen) in requests.iter().zip(answers) {
        let mut model = told.model(world);
        match seen {
            Some(seen) => {
                assert!(alive, "{request:?} was answered though one before it was not");
                let (_, expected) = model.apply(REGION, request, &drive::chosen(&seen));
                assert!(expected.met_by(&seen), "{request:?}: {expected:?} {seen:?}");
                told.prefixes.push(model);
                told.acknowledged = told.prefixes.len() - 1;
            }
            None => {
                alive = false;
                model.apply(REGION, request, &unknown());
                told.prefixes.push(model);
            }
        }
    }
    alive
}

/// Whether everything that can be read equals the model's. LastAccessedDate may be lost in a crash,
/// and the end of an ARN is not known if its creation was never answered.
fn equals(vault: &Vault, model: &Model) -> Result<(), String> {
    let mut model = model.clone();
    for (region, request) in drive::everything(&model, &[REGION]) {
        let seen = drive::run(vault, &model, &region, &request)
            .map_err(|error| format!("{request:?}: {error}"))?;
        let (_, expected) = model.apply(&region, &request, &drive::chosen(&seen));
        let (expected, seen) = (blur(&expected), blur(&seen));
        if expected != seen {
            return Err(format!("{request:?}\n expected {expected}\n      got {seen}"));
        }
    }
    Ok(())
}

fn blur(answer: &Ans) -> String {
    let mut answer = answer.clone();
    let end = |arn: &mut String| arn.truncate(arn.len() - 6);
    match &mut answer {
        Ans::Value { arn, .. } => end(arn),
        Ans::Versions { arn, rows, .. } => {
            end(arn);
            rows.iter_mut().for_each(|row| row.accessed = None);
        }
        Ans::Secrets(secrets) => {
            for secret in secrets {
                end(&mut secret.arn);
                secret.accessed = None;
            }
        }
        _ => {}
    }
    format!("{answer:?}")
}

/// Opens after a crash and judges what is there.
fn judge(world: &World, setup: &Setup, told: &Told) -> Result<(), String> {
    if !told.made && world.open(setup).is_err() {
        // The vault itself was never finished: making it again must work.
        let vault = world.create(setup).map_err(|error| format!("cannot start over: {error}"))?;
        return vault.close().map_err(|error| error.to_string());
    }
    let vault = world.open(setup).map_err(|error| format!("does not open: {error}"))?;
    let mut why = Vec::new();
    let met = (told.acknowledged..told.prefixes.len()).rev().any(|prefix| {
        equals(&vault, &told.prefixes[prefix])
            .map_err(|reason| why.push(format!("prefix {prefix}: {reason}")))
            .is_ok()
    });
    if !met {
        let n = told.acknowledged;
        return Err(format!("{n} acknowledged; {}", why.join("\n")));
    }
    // It goes on working, and is whole for a checker.
    let mut model = told.prefixes[0].clone();
    let name = "after the crash".replace(' ', "-");
    let request = Req::Create {
        name,
        token: Some("z".repeat(40)),
        value: Some(Value::Text(b"alive".to_vec())),
        description: None,
        kms: None,
        tags: None,
    };
    model.wall = world.wall();
    drive::run(&vault, &model, REGION, &request).map_err(|error| format!("no write: {error}"))?;
    vault.close().map_err(|error| format!("no close: {error}"))?;
    let report = world.check().map_err(|error| format!("no check: {error}"))?;
    if report.damage.is_empty() { Ok(()) } else { Err(format!("check: {:?}", report.damage)) }
}

#[derive(Clone, Copy, Debug)]
struct Case {
    seed: u64,
    at: u64,
    loss: Loss,
    /// The power goes again at this call of the recovery.
    again: Option<u64>,
}

fn crash(case: Case, setup: &Setup) -> Result<(), String> {
    let acts = script(case.seed);
    let world = World::new(case.seed);
    world.crash_at(case.at);
    let told = run(&world, setup, &acts);
    world.restart(case.at, case.loss);
    if let Some(again) = case.again {
        world.crash_at(world.calls() + again);
        if let Ok(vault) = world.open(setup) {
            drop(vault);
        }
        world.restart(case.at + 1, case.loss);
    }
    judge(&world, setup, &told)
}

/// Mutating calls of the whole script.
fn calls(seed: u64, setup: &Setup) -> u64 {
    let world = World::new(seed);
    let told = run(&world, setup, &script(seed));
    assert_eq!(told.acknowledged, told.prefixes.len() - 1, "without a crash all is answered");
    judge(&world, setup, &told).unwrap();
    world.calls()
}

fn cases(seed: u64, calls: u64, stride: u64) -> Vec<Case> {
    let mut cases = Vec::new();
    for (offset, loss) in [Loss::Dropped, Loss::Torn, Loss::Kept].into_iter().enumerate() {
        let mut at = 1 + offset as u64 % stride;
        while at <= calls {
            cases.push(Case { seed, at, loss, again: None });
            // The second crash: at the first calls of the recovery, and now and then far into it.
            if at % 5 == offset as u64 {
                let again = 1 + (at / 5) % 12;
                cases.push(Case { seed, at, loss, again: Some(again) });
            }
            at += stride;
        }
    }
    cases
}

fn run_all(cases: &[Case], setup: &Setup) -> Vec<(Case, String)> {
    let next = AtomicU64::new(0);
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                loop {
                    let at = usize::try_from(next.fetch_add(1, Ordering::Relaxed)).unwrap();
                    let Some(case) = cases.get(at) else { return };
                    if let Err(why) = crash(*case, setup) {
                        failures.lock().unwrap().push((*case, why));
                    }
                }
            });
        }
    });
    failures.into_inner().unwrap()
}

#[test]
fn no_crash_loses_an_acknowledged_operation_or_leaves_half_of_one() {
    let setup = Setup::default();
    let stride = common::env_number("STRONGROOM_CRASH_STRIDE", 3).max(1);
    for seed in 1..=common::env_number("STRONGROOM_CRASH_SEEDS", 1) {
        let started = Instant::now();
        let calls = calls(seed, &setup);
        let cases = cases(seed, calls, stride);
        let failures = run_all(&cases, &setup);
        println!(
            "seed {seed}: {OPERATIONS} operations, {calls} write and sync boundaries, {} crashes ({} of them twice), {} failures, {:.1?}",
            cases.len(),
            cases.iter().filter(|case| case.again.is_some()).count(),
            failures.len(),
            started.elapsed()
        );
        if let Some((case, why)) = failures.first() {
            panic!("{} crashes failed; the first: {case:?}\n{why}", failures.len());
        }
    }
}

/// A harness that finds nothing proves nothing until it has found a build that breaks the promise.
#[test]
fn a_build_that_answers_before_the_sync_is_caught() {
    let setup = Setup { sabotage: Some(Sabotage::AckBeforeSync), ..Setup::default() };
    let calls = calls(1, &setup);
    let cases: Vec<Case> = (1..=calls)
        .step_by(7)
        .map(|at| Case { seed: 1, at, loss: Loss::Dropped, again: None })
        .collect();
    let failures = run_all(&cases, &setup);
    println!("{} of {} crashes show the loss", failures.len(), cases.len());
    assert!(failures.iter().any(|(_, why)| why.contains("acknowledged;")), "{failures:?}");
}
