//! Events of label moves and crashes: a script moves labels and delivers events on a simulated machine. The
//! power fails before each call that changes the disk, and within each call of the receiver.
//!
//! Afterwards the vault is opened and its events are delivered. Each move that happened has been told at
//! least once, what did not happen was never told, and each process has told the moves in their order
//! (SEM-EVENT-5, SEM-EVENT-6).

use crate::common::rng::Rng;
use crate::common::world::{Fault, Loss, Setup, World};
use crate::figures;
use std::sync::{Arc, Mutex};
use strongroom::__internals::model::api::{
    CreateSecret, DescribeSecret, PutSecretValue, UpdateSecretVersionStage,
};
use strongroom::__internals::secret::SecretValue;
use strongroom::__internals::vault::{EventError, LabelEvent, OnLabelUpdated, Vault};

const ACTS: usize = 16;
const LOSSES: [Loss; 3] = [Loss::Dropped, Loss::Kept, Loss::Torn];

/// A label that comes to a version: secret, label, version.
type Move = (String, String, String);

#[derive(Clone, Debug)]
enum Act {
    /// A new version with these labels; none: AWSCURRENT.
    Put(String, Vec<String>),
    /// The label of a secret goes back to its first version.
    Back(String, String),
    /// Events are delivered.
    Deliver,
}

fn token(n: usize) -> String {
    format!("{n:0>32}")
}

/// Acts on two secrets. The same seed gives the same.
fn script(seed: u64) -> Vec<Act> {
    let mut rng = Rng::new(seed);
    let acts = (0..ACTS).map(|n| {
        let name = (*rng.pick(&["a", "b"])).to_owned();
        match rng.below(8) {
            0..=2 => Act::Put(name, Vec::new()),
            3 => Act::Put(name, vec!["blue".into(), "green".into()]),
            4 => Act::Put(name, vec!["AWSPENDING".into()]),
            5 => Act::Back(name, "AWSCURRENT".into()),
            _ if n % 2 == 0 => Act::Back(name, "blue".into()),
            _ => Act::Deliver,
        }
    });
    acts.collect()
}

/// The version that a label is on.
fn holder(vault: &Vault, name: &str, label: &str) -> Option<String> {
    let found = vault.describe_secret(DescribeSecret::new(name)).unwrap().versions_to_stages;
    let has = |stages: &Vec<String>| stages.iter().any(|stage| stage == label);
    found.into_iter().find(|(_, stages)| has(stages)).map(|(id, _)| id.to_string())
}

/// The moves that an act makes if it succeeds.
fn moves(vault: &Vault, act: &Act, n: usize) -> Vec<Move> {
    match act {
        Act::Put(name, labels) => {
            let current = vec!["AWSCURRENT".to_owned()];
            let labels = if labels.is_empty() { &current } else { labels };
            let told = labels.iter().filter(|label| *label != "AWSPENDING");
            told.map(|label| (name.clone(), label.clone(), token(n))).collect()
        }
        Act::Back(name, label) => {
            let first = token(1000);
            let is_there = holder(vault, name, label) == Some(first.clone());
            if is_there { Vec::new() } else { vec![(name.clone(), label.clone(), first)] }
        }
        Act::Deliver => Vec::new(),
    }
}

/// Does an act. `false`: the machine is down.
fn perform(vault: &Vault, act: &Act, n: usize) -> bool {
    match act {
        Act::Put(name, labels) => {
            let mut request = PutSecretValue::new(name, SecretValue::text("value"));
            request.client_request_token = Some(token(n));
            request.version_stages = (!labels.is_empty()).then(|| labels.clone());
            vault.put_secret_value(request).is_ok()
        }
        Act::Back(name, label) => {
            let request = UpdateSecretVersionStage {
                secret_id: name.clone(),
                version_stage: label.clone(),
                remove_from_version_id: holder(vault, name, label),
                move_to_version_id: Some(token(1000)),
            };
            vault.update_secret_version_stage(request).is_ok()
        }
        Act::Deliver => vault.maintain().is_ok(),
    }
}

/// When the power fails.
#[derive(Clone, Copy, Debug)]
enum Cut {
    /// Before that call that changes the disk.
    Call(u64),
    /// Within that call of the receiver.
    Receiver(u64),
    Never,
}

/// An event: its id, and the move that it tells of.
type Told = (String, Move);

/// What the receiver of one process has got, and when it loses its power.
struct Inbox {
    world: Arc<World>,
    told: Mutex<Vec<Told>>,
    calls: Mutex<u64>,
    cut: Cut,
}

impl Inbox {
    fn new(world: &Arc<World>, cut: Cut) -> Arc<Self> {
        let (told, calls) = (Mutex::default(), Mutex::default());
        Arc::new(Self { world: Arc::clone(world), told, calls, cut })
    }

    fn receive(&self, event: &LabelEvent) -> Result<(), EventError> {
        let mut calls = self.calls.lock().unwrap();
        *calls += 1;
        if matches!(self.cut, Cut::Receiver(at) if at <= *calls) {
            self.world.crash_at(self.world.calls() + 1);
            return Err(EventError);
        }
        let LabelEvent { id, name, label, version_id, .. } = event.clone();
        self.told.lock().unwrap().push((id, (name, label, version_id)));
        Ok(())
    }

    fn receiver(self: &Arc<Self>) -> OnLabelUpdated {
        let inbox = Arc::clone(self);
        Arc::new(move |event: &LabelEvent| inbox.receive(event))
    }

    fn told(&self) -> Vec<Told> {
        self.told.lock().unwrap().clone()
    }
}

/// A closed vault with two secrets of one version each, which has told of them.
fn image(seed: u64) -> World {
    let world = World::new(seed);
    world.create(&Setup::default()).unwrap().close().unwrap();
    let vault = world.open_told(&Setup::default(), Arc::new(|_: &LabelEvent| Ok(()))).unwrap();
    for name in ["a", "b"] {
        let mut request = CreateSecret::new(name);
        request.client_request_token = Some(token(1000));
        request.value = Some(SecretValue::text("first"));
        vault.create_secret(request).unwrap();
    }
    vault.maintain().unwrap();
    vault.close().unwrap();
    drop(vault);
    world
}

/// Fails unless two processes have told `happened` and nothing else, each of them in order.
fn judge(happened: &[Move], first: &[Told], then: &[Told]) -> Result<(), String> {
    let mut all: Vec<&Told> = Vec::new();
    for told in first.iter().chain(then) {
        if all.iter().all(|(id, _)| *id != told.0) {
            all.push(told);
        }
    }
    let place = |told: &Told| all.iter().position(|known| known.0 == told.0);
    let is_in_order = |told: &[Told]| told.iter().map(place).is_sorted_by(|a, b| a < b);
    let is_whole = all.iter().map(|(_, moved)| moved).eq(happened);
    if is_whole && is_in_order(first) && is_in_order(then) {
        return Ok(());
    }
    Err(format!("happened: {happened:?}\nfirst told: {first:?}\nthen told: {then:?}"))
}

/// How far the first process of a run came.
struct Reached {
    calls: u64,
    receiver: u64,
}

/// Runs the script until the power fails, and then another process.
fn run(
    base: &World,
    seed: u64,
    cut: Cut,
    loss: Loss,
    fault: Option<Fault>,
) -> Result<Reached, String> {
    let setup = Setup { fault, ..Setup::default() };
    let world = Arc::new(base.on_image(&base.sim.fs, base.wall(), seed));
    let inbox = Inbox::new(&world, cut);
    let vault = world.open_told(&setup, inbox.receiver()).map_err(|error| error.to_string())?;
    let start = world.calls();
    if let Cut::Call(call) = cut {
        world.crash_at(start + call);
    }
    let (mut happened, mut open) = (Vec::new(), Vec::new());
    for (n, act) in script(seed).iter().enumerate() {
        let moved = moves(&vault, act, n);
        if !perform(&vault, act, n) {
            open = moved;
            break;
        }
        happened.extend(moved);
    }
    let reached = Reached { calls: world.calls() - start, receiver: *inbox.calls.lock().unwrap() };
    drop(vault);
    let first = inbox.told();
    world.restart(seed, loss);
    let inbox = Inbox::new(&world, Cut::Never);
    let vault = world.open_told(&setup, inbox.receiver()).map_err(|error| error.to_string())?;
    // The act that was under way has happened as a whole or not at all.
    let is_done = |moved: &&Move| holder(&vault, &moved.0, &moved.1).as_ref() == Some(&moved.2);
    match open.iter().filter(is_done).count() {
        0 => {}
        all if all == open.len() => happened.extend(open),
        part => return Err(format!("{part} of the labels have moved: {open:?}")),
    }
    let deliver = || vault.maintain().map_err(|error| error.to_string());
    deliver()?;
    let then = inbox.told();
    judge(&happened, &first, &then)?;
    deliver()?;
    if inbox.told() != then {
        return Err("what was received is told again".to_owned());
    }
    Ok(reached)
}

#[derive(Default)]
struct Counts {
    calls: u64,
    receivers: u64,
}

/// Cuts the power at each place of the script of a seed.
fn attack(seed: u64, fault: Option<Fault>, counts: &mut Counts) -> Result<(), String> {
    let base = image(seed);
    let run = |cut: Cut, loss: Loss| {
        run(&base, seed, cut, loss, fault)
            .map_err(|why| format!("seed {seed} {cut:?} {loss:?}: {why}"))
    };
    let Reached { calls, receiver } = run(Cut::Never, Loss::Kept)?;
    let stride = if figures::is_short() { 3 } else { 1 };
    let calls = (1..=calls).step_by(stride).map(Cut::Call);
    for cut in calls.chain((1..=receiver).map(Cut::Receiver)) {
        for loss in LOSSES {
            run(cut, loss)?;
        }
        *match cut {
            Cut::Call(_) => &mut counts.calls,
            _ => &mut counts.receivers,
        } += 1;
    }
    Ok(())
}

/// SEM-EVENT-5, SEM-EVENT-6
#[test]
fn no_crash_loses_an_event_or_tells_what_did_not_happen() {
    let seeds = figures::seeds(4, 20);
    let mut counts = Counts::default();
    for seed in seeds.clone() {
        let _seed = figures::Seed(seed);
        if let Err(why) = attack(seed, None, &mut counts) {
            panic!("{why}");
        }
    }
    let Counts { calls, receivers } = counts;
    assert!(calls > 10 && receivers > 10, "{calls} {receivers}");
    let places = [("places on the disk", calls), ("places in a receiver", receivers)];
    figures::tell("events of label moves", &seeds, &places);
}

/// A harness that finds nothing proves nothing until it has found a build that breaks the promise.
#[test]
fn a_build_that_removes_events_before_it_delivers_them_is_caught() {
    let broken = Some(Fault::EventsRemovedFirst);
    let found = (1..=10).find_map(|seed| attack(seed, broken, &mut Counts::default()).err());
    let why = found.expect("one of these scripts shows the loss");
    assert!(why.contains("happened: "), "{why}");
}
