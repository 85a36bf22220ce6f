//! A script of 300 operations on a simulated machine whose power goes at every write and sync
//! boundary, with unsynced bytes dropped, kept or torn, and again while the vault recovers.
//!
//! What must hold after each: every acknowledged operation is there, an operation that was not
//! acknowledged is there whole or not at all, `check` finds nothing, labels are legal. The oracle is
//! the reference model after each prefix of the script: what is read must equal one of those from
//! the last acknowledged operation on.
//!
//! `STRONGROOM_CRASH_STRIDE=1 STRONGROOM_CRASH_SEEDS=5` is the long tier.
#![allow(clippy::pedantic, clippy::unwrap_used, clippy::indexing_slicing)]
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::result_large_err)]
#![allow(clippy::zombie_processes, clippy::needless_range_loop, clippy::type_complexity)]
#![allow(dead_code, unreachable_pub, missing_docs)]

mod common;

use common::drive;
use common::recorder::Recorder;
use common::reference::{Ans, Chosen, Id, Model, Req, Value};
use common::rng::Rng;
use common::world::{self, Loss, Sabotage, Setup, World};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use strongroom::env::Clock;
use strongroom::env::sim::SimFs;
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

/// What a whole run of the script learned: the model after each mutation that was handed in.
struct Told {
    prefixes: Vec<Model>,
}

/// The disk before one of its changes.
struct Image {
    fs: SimFs,
    wall: i64,
    made: bool,
    /// Mutations handed in, and answered, by then.
    handed: usize,
    answered: usize,
}

/// What the witness of the disk's changes knows of the run.
#[derive(Default)]
struct Progress {
    made: AtomicBool,
    handed: AtomicUsize,
    answered: AtomicUsize,
}

struct Runner {
    world: World,
    setup: Setup,
    progress: Arc<Progress>,
    images: Arc<Mutex<Vec<Image>>>,
    told: Told,
}

impl Runner {
    fn new(seed: u64, setup: &Setup) -> Self {
        let world = World::new(seed);
        let told = Told { prefixes: vec![Model::new(ACCOUNT, world.wall())] };
        let (progress, images) = (Arc::default(), Arc::default());
        Self { world, setup: *setup, progress, images, told }
    }

    /// The simulated disk, which leaves an image of itself before every change.
    fn disk(&self) -> Arc<Recorder> {
        let (progress, images) = (Arc::clone(&self.progress), Arc::clone(&self.images));
        let (fs, clock) = (Arc::clone(&self.world.sim.fs), Arc::clone(&self.world.sim.clock));
        Arc::new(Recorder::new(Arc::clone(&self.world.sim.fs), move || {
            images.lock().unwrap().push(Image {
                fs: fs.fork(),
                wall: clock.wall().0,
                made: progress.made.load(Ordering::SeqCst),
                handed: progress.handed.load(Ordering::SeqCst),
                answered: progress.answered.load(Ordering::SeqCst),
            });
        }))
    }

    fn model(&self) -> Model {
        let mut model = self.told.prefixes.last().unwrap().clone();
        model.wall = self.world.wall();
        model
    }

    fn hand(&self, mutations: usize) {
        self.progress.handed.fetch_add(mutations, Ordering::SeqCst);
    }

    fn answer(&mut self, model: Model) {
        self.told.prefixes.push(model);
        self.progress.answered.fetch_add(1, Ordering::SeqCst);
    }

    /// Runs the whole script with the power on.
    fn run(&mut self, acts: &[Act]) {
        let mut vault = self.world.create_watched(&self.setup, self.disk()).unwrap();
        self.progress.made.store(true, Ordering::SeqCst);
        for act in acts {
            self.world.advance(Duration::from_millis(1_000));
            match act {
                Act::One(request) => {
                    let mut model = self.model();
                    self.hand(1);
                    let seen = drive::run(&vault, &model, REGION, request).unwrap();
                    let (_, expected) = model.apply(REGION, request, &drive::chosen(&seen));
                    assert!(expected.met_by(&seen), "{request:?}: {expected:?} {seen:?}");
                    self.answer(model);
                }
                Act::Batch(requests) => self.batch(&vault, requests),
                Act::Read(request) => {
                    let mut model = self.model();
                    let seen = drive::run(&vault, &model, REGION, request).unwrap();
                    let (_, expected) = model.apply(REGION, request, &Chosen::default());
                    assert!(expected.met_by(&seen), "{request:?}: {expected:?} {seen:?}");
                    *self.told.prefixes.last_mut().unwrap() = model;
                }
                Act::Maintain => vault.maintain().unwrap(),
                Act::Reopen => {
                    vault.close().unwrap();
                    drop(vault);
                    vault = self.world.open_watched(&self.setup, self.disk()).unwrap();
                }
            }
        }
        vault.close().unwrap();
    }

    fn batch(&mut self, vault: &Vault, requests: &[Req]) {
        let scope = Scope::new(ACCOUNT, REGION);
        let answers = Arc::new(Mutex::new(vec![None; requests.len()]));
        let mut planned = self.model();
        let mut writes: Vec<(_, Box<dyn FnOnce(_) + Send>)> = Vec::new();
        self.hand(requests.len());
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
        for (request, seen) in requests.iter().zip(answers) {
            let mut model = self.model();
            let seen = seen.expect("with the power on all is answered");
            let (_, expected) = model.apply(REGION, request, &drive::chosen(&seen));
            assert!(expected.met_by(&seen), "{request:?}: {expected:?} {seen:?}");
            self.answer(model);
        }
    }
}

/// An operation whose answer never came: what the vault chose is learned from what is read later.
fn unknown() -> Chosen {
    Chosen { suffix: Some("??????".into()), version: None }
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
fn judge(world: &World, setup: &Setup, told: &Told, image: &Image) -> Result<(), String> {
    if !image.made && world.open(setup).is_err() {
        // The vault itself was never finished: making it again must work.
        let vault = world.create(setup).map_err(|error| format!("cannot start over: {error}"))?;
        return vault.close().map_err(|error| error.to_string());
    }
    let vault = world.open(setup).map_err(|error| format!("does not open: {error}"))?;
    let mut why = Vec::new();
    let met = (image.answered..=image.handed).rev().any(|prefix| {
        equals(&vault, &told.prefixes[prefix])
            .map_err(|reason| why.push(format!("prefix {prefix}: {reason}")))
            .is_ok()
    });
    if !met {
        return Err(format!("{} acknowledged; {}", image.answered, why.join("\n")));
    }
    // It goes on working, and is whole for a checker.
    let request = Req::Create {
        name: "after-the-crash".into(),
        token: Some("z".repeat(40)),
        value: Some(Value::Text(b"alive".to_vec())),
        description: None,
        kms: None,
        tags: None,
    };
    let model = &told.prefixes[0];
    drive::run(&vault, model, REGION, &request).map_err(|error| format!("no write: {error}"))?;
    vault.close().map_err(|error| format!("no close: {error}"))?;
    let report = world.check().map_err(|error| format!("no check: {error}"))?;
    if report.damage.is_empty() { Ok(()) } else { Err(format!("check: {:?}", report.damage)) }
}

#[derive(Clone, Copy, Debug)]
struct Case {
    /// Which image.
    at: usize,
    loss: Loss,
    /// The power goes again at this call of the recovery.
    again: Option<u64>,
}

fn crash(runner: &Runner, images: &[Image], case: Case) -> Result<(), String> {
    let image = &images[case.at];
    let seed = case.at as u64;
    let world = runner.world.on_image(&image.fs, image.wall, seed);
    world.restart(seed, case.loss);
    if let Some(again) = case.again {
        world.crash_at(world.calls() + again);
        if let Ok(vault) = world.open(&runner.setup) {
            drop(vault);
        }
        world.restart(seed + 1, case.loss);
    }
    judge(&world, &runner.setup, &runner.told, image)
}

fn cases(images: usize, stride: usize) -> Vec<Case> {
    let mut cases = Vec::new();
    for (offset, loss) in [Loss::Dropped, Loss::Torn, Loss::Kept].into_iter().enumerate() {
        for (nth, at) in (offset % stride..images).step_by(stride).enumerate() {
            cases.push(Case { at, loss, again: None });
            // The second crash, at the first calls of the recovery.
            if nth % 4 == offset {
                cases.push(Case { at, loss, again: Some(1 + (nth as u64 / 4) % 14) });
            }
        }
    }
    cases
}

fn run_all(runner: &Runner, cases: &[Case]) -> Vec<(Case, String)> {
    let images = runner.images.lock().unwrap();
    let images: &[Image] = &images;
    let next = AtomicUsize::new(0);
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(case) = cases.get(at) else { return };
                    if let Err(why) = crash(runner, images, *case) {
                        failures.lock().unwrap().push((*case, why));
                    }
                }
            });
        }
    });
    failures.into_inner().unwrap()
}

fn recorded(seed: u64, setup: &Setup) -> Runner {
    let mut runner = Runner::new(seed, setup);
    runner.run(&script(seed));
    runner
}

#[test]
fn no_crash_loses_an_acknowledged_operation_or_leaves_half_of_one() {
    let stride = usize::try_from(common::env_number("STRONGROOM_CRASH_STRIDE", 2).max(1)).unwrap();
    for seed in 1..=common::env_number("STRONGROOM_CRASH_SEEDS", 1) {
        let started = Instant::now();
        let runner = recorded(seed, &Setup::default());
        let images = runner.images.lock().unwrap().len();
        assert!(images > OPERATIONS * 2);
        let cases = cases(images, stride);
        let failures = run_all(&runner, &cases);
        println!(
            "seed {seed}: {OPERATIONS} operations, {images} write and sync boundaries, {} crashes ({} of them twice), {} failures, {:.1?}",
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
    let runner = recorded(1, &setup);
    let images = runner.images.lock().unwrap().len();
    let cases: Vec<Case> =
        (0..images).step_by(3).map(|at| Case { at, loss: Loss::Dropped, again: None }).collect();
    let failures = run_all(&runner, &cases);
    println!("{} of {} crashes show the loss", failures.len(), cases.len());
    assert!(failures.iter().any(|(_, why)| why.contains("acknowledged;")), "{failures:?}");
}
