//! 10,000 random sequences through `Vault`, compared answer by answer with a naive reference model
//! that shares no code with the crate: with pruning, clocks that jump, and reopening.
//!
//! `STRONGROOM_MODEL_SEQUENCES` asks for more, `STRONGROOM_MODEL_SEED` for one of them again.

use crate::common::drive;
use crate::common::quiet::quietly;
use crate::common::reference::{Ans, DAY, Id, Model, Req, Value};
use crate::common::script::{REGIONS, Step, Writer};
use crate::common::world::{Setup, World};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::time::Duration;
use strongroom::__internals::vault::Vault;

type Table = BTreeMap<(String, &'static str), u64>;

const ACCOUNT: &str = "123456789012";

fn operation(request: &Req) -> String {
    let text = format!("{request:?}");
    text.split([' ', '{']).next().unwrap().to_owned()
}

struct Run {
    world: World,
    setup: Setup,
    vault: Option<Vault>,
    model: Model,
    off_days: i64,
    table: Table,
}

impl Run {
    fn new(seed: u64) -> Self {
        let world = World::new(seed);
        let setup = Setup { segment_bytes: (16 << 10, 64 << 10), ..Setup::default() };
        let vault = world.create(&setup).unwrap();
        let model = Model::new(ACCOUNT, world.wall());
        Self { world, setup, vault: Some(vault), model, off_days: 0, table: Table::new() }
    }

    fn count(&mut self, operation: &str, outcome: &'static str) {
        *self.table.entry((operation.to_owned(), outcome)).or_default() += 1;
    }

    fn ask(&mut self, region: &str, request: &Req) {
        self.model.wall = self.world.wall();
        let vault = self.vault.as_ref().unwrap();
        let seen = drive::run(vault, &self.model, region, request).unwrap();
        let (outcome, expected) = self.model.apply(region, request, &drive::chosen(&seen));
        self.count(&operation(request), outcome);
        assert!(
            expected.met_by(&seen),
            "{region} {request:?}\n expected {expected:?}\n      got {seen:?}"
        );
        if let (Req::Create { .. }, "ok" | "ok no value", Ans::Written { arn, .. }) =
            (request, outcome, &seen)
        {
            let end = &arn[arn.len() - 7..];
            assert!(end.starts_with('-') && end[1..].chars().all(|c| c.is_ascii_alphanumeric()));
        }
    }

    /// Everything that can be read, without leaving marks in the table.
    fn compare_all(&mut self) {
        let table = std::mem::take(&mut self.table);
        for (region, request) in drive::everything(&self.model, &REGIONS) {
            self.ask(&region, &request);
        }
        self.table = table;
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Ask(region, request) => {
                self.ask(REGIONS[*region], request);
                let changed = match request {
                    Req::Create { name, .. } => Some(Id::Name(name.clone())),
                    Req::Put { id, .. } | Req::Update { id, .. } | Req::Stage { id, .. } => {
                        Some(id.clone())
                    }
                    Req::Delete { id, .. } | Req::Restore { id } => Some(id.clone()),
                    Req::Tag { id, .. } | Req::Untag { id, .. } => Some(id.clone()),
                    _ => None,
                };
                if let Some(id) = changed {
                    let table = std::mem::take(&mut self.table);
                    self.ask(REGIONS[*region], &Req::Describe { id });
                    self.table = table;
                }
            }
            Step::Burst(region, name, puts) => {
                let table = std::mem::take(&mut self.table);
                for n in 0..*puts {
                    let value = Some(Value::Text(format!("burst {n}").into_bytes()));
                    let id = Id::Name(name.clone());
                    let request = Req::Put { id, token: None, value, stages: None };
                    self.ask(REGIONS[*region], &request);
                }
                self.table = table;
                self.count("Burst", "done");
            }
            Step::Pass(millis) => {
                self.world.advance(Duration::from_millis(*millis));
                self.model.age += i64::try_from(*millis).unwrap();
                self.count("Pass", if *millis < 86_400_000 { "short" } else { "days" });
                // Days never pass without the pruner.
                if *millis >= 86_400_000 {
                    self.maintain();
                }
            }
            Step::Jump(days) => {
                self.world.set_wall(self.world.wall() + (days - self.off_days) * DAY);
                self.off_days = *days;
                self.count("Jump", ["back", "right", "ahead"][(days.signum() + 1) as usize]);
            }
            Step::Maintain => self.maintain(),
            Step::Reopen => {
                self.vault.take().unwrap().close().unwrap();
                self.vault = Some(self.world.open(&self.setup).unwrap());
                self.count("Reopen", "ok");
                self.compare_all();
            }
        }
    }

    fn maintain(&mut self) {
        self.vault.as_ref().unwrap().maintain().unwrap();
        let (pruned, purged) = self.model.maintain();
        if pruned > 0 {
            self.count("Maintain", "versions pruned");
        }
        if purged > 0 {
            self.count("Maintain", "secrets purged");
        }
        if pruned + purged == 0 {
            self.count("Maintain", "nothing due");
        }
    }
}

/// Runs a script; the table, or what went wrong.
fn attempt(seed: u64, script: &[Step]) -> Result<Table, String> {
    // A failing script is shrunk first, then shown.
    let run = AssertUnwindSafe(|| {
        let mut run = Run::new(seed);
        script.iter().for_each(|step| run.step(step));
        run.compare_all();
        run.vault.take().unwrap().close().unwrap();
        run.table
    });
    let run = quietly(|| catch_unwind(run));
    run.map_err(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).into()))
            .unwrap_or_else(|| "a panic without text".into())
    })
}

/// The shortest script that still fails: a prefix first, then one step less at a time.
fn shrink(seed: u64, mut script: Vec<Step>) -> (Vec<Step>, String) {
    let mut why = String::new();
    for len in 1..=script.len() {
        if let Err(reason) = attempt(seed, &script[..len]) {
            (script, why) = (script[..len].to_vec(), reason);
            break;
        }
    }
    let mut at = 0;
    while at < script.len() {
        let mut less = script.clone();
        less.remove(at);
        match attempt(seed, &less) {
            Err(reason) => (script, why) = (less, reason),
            Ok(_) => at += 1,
        }
    }
    (script, why)
}

#[test]
fn random_sequences_agree_with_the_reference_model() {
    let sequences = crate::common::env_number("STRONGROOM_MODEL_SEQUENCES", 10_000);
    let only = std::env::var("STRONGROOM_MODEL_SEED").ok();
    let seeds: Vec<u64> = match only {
        Some(seed) => vec![seed.parse().unwrap()],
        None => (0..sequences).collect(),
    };
    let whole = seeds.len() >= 10_000;
    let work = Mutex::new((seeds.into_iter(), Table::new(), None::<u64>));
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = {
                        let mut work = work.lock().unwrap();
                        match (work.2, work.0.next()) {
                            (None, Some(seed)) => seed,
                            _ => return,
                        }
                    };
                    let result = attempt(seed, &Writer::new(seed).script());
                    let mut work = work.lock().unwrap();
                    match result {
                        Ok(table) => {
                            for (key, n) in table {
                                *work.1.entry(key).or_default() += n;
                            }
                        }
                        Err(_) => work.2 = Some(work.2.map_or(seed, |other| other.min(seed))),
                    }
                }
            });
        }
    });
    let (_, table, failed) = work.into_inner().unwrap();
    if let Some(seed) = failed {
        let (script, why) = shrink(seed, Writer::new(seed).script());
        panic!("STRONGROOM_MODEL_SEED={seed}\nshortest script: {script:#?}\n{why}");
    }
    println!("{:<10} {:<28} {:>9}", "operation", "outcome", "times");
    for ((operation, outcome), times) in &table {
        println!("{operation:<10} {outcome:<28} {times:>9}");
    }
    let rare: Vec<_> = table.iter().filter(|(_, times)| **times < 50).collect();
    assert!(!whole || rare.is_empty(), "met fewer than 50 times: {rare:?}");
}

/// The same through the vault in memory: no reopening, no simulated clock, every answer.
#[test]
fn a_vault_in_memory_answers_as_the_model_does() {
    for seed in 0..20 {
        let vault = Vault::in_memory().unwrap();
        let mut model = Model::new(ACCOUNT, 0);
        for step in Writer::new(1_000_000 + seed).script() {
            let Step::Ask(region, request) = step else { continue };
            let seen = drive::run(&vault, &model, REGIONS[region], &request).unwrap();
            let (_, expected) = model.apply(REGIONS[region], &request, &drive::chosen(&seen));
            // Its clock is the real one, so dates are compared by the other test.
            let bare = |answer: &Ans| {
                let text = format!("{answer:?}");
                let fields = text.split(", ").filter(|field| {
                    !["created", "changed", "accessed", "deleted", "date"]
                        .iter()
                        .any(|name| field.contains(name))
                });
                fields.collect::<Vec<_>>().join(", ")
            };
            match (&expected, &seen) {
                (Ans::Refused { .. }, _) | (Ans::Deleted { arn: None, .. }, _) => {
                    let same_kind =
                        std::mem::discriminant(&expected) == std::mem::discriminant(&seen);
                    assert!(same_kind, "{request:?}: {expected:?} {seen:?}");
                }
                _ => assert_eq!(bare(&expected), bare(&seen), "{request:?}"),
            }
        }
    }
}
