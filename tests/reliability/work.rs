//! Random work of all kinds, deterministic by seed, for a process that is killed meanwhile, and what the
//! vault must hold afterwards. `worker` executes it.
//!
//! Requests in one region have an oracle: the reference model after each of them. Features that the model
//! lacks (rotation, replicas, policies) are used in another region and judged by general rules.

use crate::common::reference::{Chosen, Id, Model, Req, Value};
use crate::common::rng::Rng;

pub const REGION: &str = "us-east-1";
/// Where things happen that the model does not know.
pub const ASIDE: [&str; 2] = ["eu-west-1", "ap-south-1"];
pub const ACCOUNT: &str = "000000000000";
pub const START: i64 = 1_750_000_000_000;
const HOUR: i64 = 3_600_000;
const NAMES: [&str; 6] = ["a", "b/long/name", "c", "d-secret", "e", "f"];
/// Gets plain versions only, so that pruning it early or late comes to the same.
const MANY: &str = "many";

#[derive(Clone, Debug)]
pub enum Act {
    /// Handed in together.
    Ask(Vec<Req>),
    Aside(u64),
    Maintain,
    Shred,
    Rekey,
    /// Milliseconds pass.
    Pass(i64),
    Reopen,
}

/// What a process does, from a vault that holds `base`; `walls` has the time of each act.
pub struct Script {
    pub base: Model,
    pub acts: Vec<Act>,
    pub walls: Vec<i64>,
}

/// One process's share of a vault's life: its seed, and how many of its requests came to pass.
#[derive(Clone, Copy, Debug)]
pub struct Share {
    pub seed: u64,
    pub acts: usize,
    pub landed: usize,
    /// What time it was when the vault was looked at afterwards.
    pub wall: i64,
}

pub fn empty_model() -> Model {
    Model::new(ACCOUNT, START)
}

/// The model after all shares of a vault's life.
pub fn after(shares: &[Share]) -> Model {
    let mut model = empty_model();
    for share in shares {
        let script = Script::new(&model, share.seed, share.acts);
        model = script.model(share.landed);
        let_pass(&mut model, share.wall);
    }
    model
}

/// What maintenance does by `wall`.
pub fn let_pass(model: &mut Model, wall: i64) {
    (model.wall, model.age) = (wall, wall);
    model.maintain();
}

struct Writer {
    rng: Rng,
    seed: u64,
    serial: u64,
    wall: i64,
    script: Script,
    model: Model,
    tokens: Vec<String>,
}

fn apply(model: &mut Model, request: &Req, wall: i64) {
    (model.wall, model.age) = (wall, wall);
    let unknown = Chosen { suffix: Some("??????".into()), version: None };
    model.apply(REGION, request, &unknown);
}

impl Script {
    pub fn new(base: &Model, seed: u64, acts: usize) -> Self {
        let script = Self { base: base.clone(), acts: Vec::new(), walls: Vec::new() };
        let mut writer = Writer {
            rng: Rng::new(seed ^ 0x000F_F1CE),
            seed,
            serial: 0,
            wall: base.wall,
            script,
            model: base.clone(),
            tokens: Vec::new(),
        };
        while writer.script.acts.len() < acts {
            writer.act();
        }
        writer.script
    }

    pub fn requests(&self) -> impl Iterator<Item = (&Req, i64)> {
        self.acts.iter().zip(&self.walls).flat_map(|(act, wall)| {
            let requests = if let Act::Ask(requests) = act { requests.as_slice() } else { &[] };
            requests.iter().map(|request| (request, *wall))
        })
    }

    /// What a vault holds after so many requests.
    pub fn model(&self, landed: usize) -> Model {
        let mut model = self.base.clone();
        for (request, wall) in self.requests().take(landed) {
            apply(&mut model, request, wall);
        }
        model
    }

    /// The same after each of the requests; the first one is before any.
    pub fn models(&self) -> Vec<Model> {
        let mut models = vec![self.base.clone()];
        for (request, wall) in self.requests() {
            let mut model = models.last().unwrap().clone();
            apply(&mut model, request, wall);
            models.push(model);
        }
        models
    }

    /// The time when request number `handed` was handed in, or when the script ended.
    pub fn wall_after(&self, handed: usize) -> i64 {
        let mut sum = 0;
        for (act, wall) in self.acts.iter().zip(&self.walls) {
            if let Act::Ask(requests) = act {
                sum += requests.len();
            }
            if sum >= handed {
                return *wall;
            }
        }
        self.walls.last().copied().unwrap_or(START)
    }
}

impl Writer {
    fn push(&mut self, act: Act) {
        self.wall += 1_000;
        if let Act::Pass(millis) = act {
            self.wall += millis;
        }
        if let Act::Ask(requests) = &act {
            for request in requests {
                apply(&mut self.model, request, self.wall);
            }
        }
        self.script.acts.push(act);
        self.script.walls.push(self.wall);
    }

    fn token(&mut self) -> String {
        self.serial += 1;
        format!("t{:x}n{:0>30}", self.seed, self.serial)
    }

    fn value(&mut self) -> Value {
        let len = [3, 40, 300, 5_000, 20_000][usize::min(self.rng.below(12), 4)];
        let len = if len > 300 && self.rng.chance(70) { 60 } else { len };
        if self.rng.chance(50) {
            Value::Text(self.rng.word(len).into_bytes())
        } else {
            Value::Binary(self.rng.bytes(len))
        }
    }

    fn create(&mut self, name: &str) -> Req {
        Req::Create {
            name: name.into(),
            token: Some(self.token()),
            value: self.rng.chance(85).then(|| self.value()),
            description: Some("made".into()),
            kms: None,
            tags: Some(vec![("k".into(), "v".into())]),
        }
    }

    fn act(&mut self) {
        let missing =
            NAMES.iter().find(|name| !self.model.names(REGION).contains(&(**name).into()));
        if let Some(name) = missing.filter(|_| self.rng.clone().chance(60)) {
            let create = self.create(name);
            return self.push(Act::Ask(vec![create]));
        }
        match self.rng.below(100) {
            0..3 => self.push(Act::Maintain),
            3 => self.push(Act::Shred),
            4 => self.push(Act::Rekey),
            5..7 => self.push(Act::Reopen),
            7..12 => {
                let seed = self.rng.next_u64();
                self.push(Act::Aside(seed));
            }
            12..15 => self.pass(),
            15..18 => self.burst(),
            18..30 => {
                let len = 2 + self.rng.below(7);
                let requests = (0..len).map(|_| self.request()).collect();
                self.push(Act::Ask(requests));
            }
            _ => {
                let request = self.request();
                self.push(Act::Ask(vec![request]));
            }
        }
    }

    /// Most of a day. What is scheduled for deletion is taken back before, so that nothing but the
    /// time of the pruner depends on when maintenance runs.
    fn pass(&mut self) {
        for name in NAMES {
            if self.model.names(REGION).contains(&name.into())
                && self.model.is_scheduled(REGION, name)
            {
                self.push(Act::Ask(vec![Req::Restore { id: Id::Name(name.into()) }]));
            }
        }
        let hours = 1 + self.rng.below(20) as i64;
        self.push(Act::Pass(hours * HOUR));
        // So that the next process knows that time passed.
        let (token, value) = (self.token(), self.value());
        let id = Id::Name(MANY.into());
        self.push(Act::Ask(vec![Req::Put {
            id,
            token: Some(token),
            value: Some(value),
            stages: None,
        }]));
        self.push(Act::Maintain);
    }

    fn burst(&mut self) {
        if !self.model.names(REGION).contains(&MANY.into()) {
            let create = self.create(MANY);
            self.push(Act::Ask(vec![create]));
        }
        let len = 20 + self.rng.below(40);
        let put = |writer: &mut Self| Req::Put {
            id: Id::Name(MANY.into()),
            token: Some(writer.token()),
            value: Some(Value::Text(writer.rng.word(12).into_bytes())),
            stages: None,
        };
        let requests = (0..len).map(|_| put(self)).collect();
        self.push(Act::Ask(requests));
    }

    fn request(&mut self) -> Req {
        let name = *self.rng.pick(&NAMES);
        let id = Id::Name(name.into());
        // Far from the number of versions above which some are pruned.
        if self.model.version_ids(REGION, name).len() > 60 {
            return Req::Delete { id, window: None, force: Some(true) };
        }
        match self.rng.below(100) {
            0..50 => {
                let stages = match self.rng.below(4) {
                    0 => Some(vec!["AWSPENDING".into(), "blue".into()]),
                    1 => Some(vec!["green".into()]),
                    _ => None,
                };
                let token = self.token();
                self.tokens.push(token.clone());
                Req::Put { id, token: Some(token), value: Some(self.value()), stages }
            }
            50..60 => Req::Update {
                id,
                token: Some(self.token()),
                value: self.rng.chance(50).then(|| Value::Text(self.rng.word(9).into_bytes())),
                description: Some(self.rng.word(12)),
                kms: None,
            },
            60..72 => {
                let rng = &mut self.rng;
                let from = self.tokens.last().filter(|_| rng.chance(50)).cloned();
                let to = (!self.tokens.is_empty()).then(|| rng.pick(&self.tokens).clone());
                Req::Stage { id, stage: (*rng.pick(&["blue", "green", "red"])).into(), from, to }
            }
            72..80 => Req::Tag { id, tags: vec![(self.rng.word(2), self.rng.word(5))] },
            80..84 => Req::Untag { id, keys: vec!["k".into()] },
            84..88 => Req::Delete { id, window: Some(7), force: None },
            88..93 => Req::Restore { id },
            93..96 => Req::Delete { id, window: None, force: Some(true) },
            _ => self.create(name),
        }
    }
}
