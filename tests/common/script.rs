//! Random scripts of requests and events. They contain only names and numbers and nothing that depends on a
//! run, so that a script can still run after parts of it were removed.

use super::reference::{Filter, Id, Req, Value};
use super::rng::Rng;
use std::collections::BTreeMap;

pub const REGIONS: [&str; 2] = ["us-east-1", "eu-west-1"];
/// One is a special case: like an ARN, it ends in a hyphen and six letters.
pub const NAMES: [&str; 5] = ["alpha", "team/beta_1.x@y", "db-secret", "gamma+=!", "delta-a1b2c"];
const HOUR_MILLIS: u64 = 3_600_000;

#[derive(Clone, Debug)]
pub enum Step {
    Ask(usize, Req),
    /// This many consecutive puts without labels, so that versions accumulate.
    Burst(usize, String, usize),
    /// Milliseconds pass.
    Pass(u64),
    /// From now on the wall clock is off by this many days (0: correct again).
    Jump(i64),
    Maintain,
    Reopen,
}

/// Generates scripts. It remembers generated tokens so that later steps can refer to them.
pub struct Writer {
    rng: Rng,
    serial: u64,
    /// Tokens with their values, by region and name.
    issued: BTreeMap<(usize, String), Vec<(String, Value)>>,
    /// The error of the wall clock in days, and the hours that have passed since.
    jumped: Option<u64>,
}

impl Writer {
    pub fn new(seed: u64) -> Self {
        Self { rng: Rng::new(seed), serial: 0, issued: BTreeMap::new(), jumped: None }
    }

    pub fn script(&mut self) -> Vec<Step> {
        let len = 30 + self.rng.below(31);
        // Most steps are about a few secrets, so that these have a history.
        let mut steps: Vec<Step> = (0..4).map(|n| self.first(n)).collect();
        while steps.len() < len {
            let step = self.step();
            steps.push(step);
        }
        if self.rng.chance(4) {
            let at = self.rng.below(steps.len());
            steps.splice(at..at, self.full_of_labels());
        }
        steps
    }

    /// A secret with twenty labels and no AWSPREVIOUS, which accepts no further label. This is too rare to
    /// arise by chance.
    fn full_of_labels(&mut self) -> Vec<Step> {
        let id = Id::Name("full/of-labels".into());
        let (first, second) = (self.fresh_token("t"), self.fresh_token("t"));
        let value = Some(self.value());
        let (description, kms, tags) = (None, None, None);
        let update = Req::Update {
            id: id.clone(),
            token: Some(self.fresh_token("t")),
            value: value.clone(),
            description: Some("not taken either".into()),
            kms: None,
        };
        let (name, token) = ("full/of-labels".into(), Some(first.clone()));
        let put = Req::Put {
            id: id.clone(),
            token: Some(second.clone()),
            value: value.clone(),
            stages: Some((0..19).map(|n| format!("many-{n}")).collect()),
        };
        let stage = |stage: &str, from: Option<&String>| Req::Stage {
            id: id.clone(),
            stage: stage.into(),
            from: from.cloned(),
            to: Some(second.clone()),
        };
        let (attach, promote) = (stage("one more", None), stage("AWSCURRENT", Some(&first)));
        let create = Req::Create { name, token, value, description, kms, tags };
        [create, put, update, attach, promote].map(|request| Step::Ask(0, request)).into()
    }

    fn first(&mut self, n: usize) -> Step {
        let value = (!self.rng.chance(15)).then(|| self.value());
        let create = self.create(0, NAMES[n].into(), value);
        Step::Ask(0, create)
    }

    fn value(&mut self) -> Value {
        let len = 1 + self.rng.below(40);
        match self.rng.below(10) {
            0..7 => Value::Text(self.rng.word(len).into_bytes()),
            _ => Value::Binary(self.rng.bytes(len)),
        }
    }

    fn fresh_token(&mut self, prefix: &str) -> String {
        self.serial += 1;
        let serial = self.serial;
        match self.rng.below(4) {
            0 => format!("{prefix}{serial:0>31}"),
            1 => format!("{prefix}{serial:0>63}"),
            2 => format!("{prefix}terraform-{serial:0>27}"),
            _ => format!("{prefix}\u{e9}/ {serial:0>40}"),
        }
    }

    fn create(&mut self, region: usize, name: String, value: Option<Value>) -> Req {
        let r = &mut self.rng;
        let description =
            r.chance(40).then(|| if r.chance(25) { String::new() } else { r.word(9) });
        let kms = r.chance(10).then(|| if r.chance(25) { String::new() } else { r.word(12) });
        let tags = r.chance(25).then(|| vec![(r.word(4), r.word(5)), ("env".into(), r.word(1))]);
        // Tokens of creations without a value are never used for a version, because the behavior of
        // AWS in this case was never recorded.
        let key = (region, name.clone());
        let token = match &value {
            None => Some(if self.rng.chance(60) {
                format!("n{:0>35}", name.len())
            } else {
                self.fresh_token("n")
            }),
            Some(value) if self.rng.chance(85) => {
                let token = self.fresh_token("t");
                self.issued.entry(key).or_default().push((token.clone(), value.clone()));
                Some(token)
            }
            Some(_) => None,
        };
        Req::Create { name, token, value, description, kms, tags }
    }

    fn name(&mut self) -> String {
        let at = if self.rng.chance(70) { self.rng.below(2) } else { self.rng.below(NAMES.len()) };
        NAMES[at].into()
    }

    fn id(&mut self, name: &str) -> Id {
        let name = name.to_owned();
        match self.rng.below(100) {
            0..63 => Id::Name(name),
            63..78 => Id::Arn(name),
            78..88 => Id::Partial(name),
            88..91 => Id::WrongEnd(name),
            91..93 => Id::NameWithEnd(name),
            93..95 => Id::Elsewhere(name),
            95..97 => Id::Name("bad name*".into()),
            97 => Id::Name("nobody".into()),
            _ => Id::Name(if self.rng.chance(50) { String::new() } else { "x".repeat(2049) }),
        }
    }

    /// A token that was generated before, with its value.
    fn old(&mut self, region: usize, name: &str) -> Option<(String, Value)> {
        let issued = self.issued.get(&(region, name.to_owned()))?;
        // Recent ones are more likely to still have a label.
        let from = if self.rng.chance(70) { issued.len().saturating_sub(4) } else { 0 };
        Some(self.rng.pick(&issued[from..]).clone())
    }

    fn version(&mut self, region: usize, name: &str) -> String {
        match self.old(region, name) {
            Some((token, _)) if !self.rng.chance(6) => token,
            _ if self.rng.chance(25) => "too short".into(),
            _ => format!("u{:0>35}", self.rng.below(3)),
        }
    }

    fn label(&mut self) -> String {
        let pool = ["AWSCURRENT", "AWSPREVIOUS", "AWSPENDING", "blue", "green", "AWSOTHER"];
        match self.rng.below(40) {
            0 => String::new(),
            1 => "l".repeat(257),
            2 => "never used".into(),
            n => pool[n % pool.len()].into(),
        }
    }

    fn stages(&mut self) -> Option<Vec<String>> {
        let r = &mut self.rng;
        let pool = ["AWSPENDING", "AWSCURRENT", "blue", "green", "AWSOTHER", "w\u{f6}rk"];
        match r.below(100) {
            0..55 => None,
            55..75 => Some(vec![(*r.pick(&pool)).into()]),
            75..90 => Some(vec![
                (*r.pick(&pool)).into(),
                (*r.pick(&pool)).into(),
                (*r.pick(&pool)).into(),
            ]),
            // Together with AWSCURRENT. On an older version, the move of AWSCURRENT wins.
            90..93 => Some(vec!["AWSPREVIOUS".into(), "AWSCURRENT".into(), "AWSPENDING".into()]),
            // Twenty, and AWSCURRENT is on the secret already.
            93..96 => Some((0..20).map(|n| format!("many-{n}")).collect()),
            96 => Some((0..21).map(|n| format!("many-{n}")).collect()),
            97 => Some(Vec::new()),
            98 => Some(vec![String::new()]),
            _ => Some((0..18).map(|n| format!("many-{n}")).collect()),
        }
    }

    /// A token and a value: new, or one seen before with the same or another value.
    fn token_and_value(&mut self, region: usize, name: &str) -> (Option<String>, Option<Value>) {
        match self.rng.below(100) {
            0..12 if self.issued.contains_key(&(region, name.to_owned())) => {
                let (token, value) = self.old(region, name).unwrap();
                (Some(token), Some(value))
            }
            12..18 if self.issued.contains_key(&(region, name.to_owned())) => {
                let (token, value) = self.old(region, name).unwrap();
                // The same bytes in the other member are a different value.
                let other = match value {
                    Value::Text(bytes) => Value::Binary(bytes),
                    Value::Binary(_) => self.value(),
                };
                (Some(token), Some(other))
            }
            18 => (Some("short".into()), Some(self.value())),
            19 => (None, Some(Value::Text(Vec::new()))),
            20 if self.rng.chance(20) => (None, Some(Value::Binary(vec![7; 65_537]))),
            20 => (None, Some(Value::Binary(Vec::new()))),
            21..24 => (None, None),
            24..34 => (None, Some(self.value())),
            _ => {
                let (token, value) = (self.fresh_token("t"), self.value());
                let issued = self.issued.entry((region, name.to_owned())).or_default();
                issued.push((token.clone(), value.clone()));
                (Some(token), Some(value))
            }
        }
    }

    fn step(&mut self) -> Step {
        let region = usize::from(self.rng.chance(12));
        let name = self.name();
        let id = self.id(&name);
        let ask = |request| Step::Ask(region, request);
        match self.rng.below(1000) {
            0..90 => {
                let name = match self.rng.below(30) {
                    0 => String::new(),
                    1 => "n".repeat(513),
                    2 => "no spaces".into(),
                    _ => name,
                };
                let value = (!self.rng.chance(25)).then(|| self.value());
                if let (true, Some((token, old))) = (self.rng.chance(35), self.old(region, &name)) {
                    let other = self.value();
                    let value = Some(if self.rng.chance(60) { old } else { other });
                    let (description, kms, tags) = (None, None, None);
                    let token = Some(token);
                    return ask(Req::Create { name, token, value, description, kms, tags });
                }
                ask(self.create(region, name, value))
            }
            90..330 => {
                let (token, value) = self.token_and_value(region, &name);
                let stages = self.stages();
                ask(Req::Put { id, token, value, stages })
            }
            330..420 => {
                let (token, value) = self.token_and_value(region, &name);
                let r = &mut self.rng;
                let description =
                    r.chance(40).then(|| if r.chance(30) { String::new() } else { r.word(8) });
                let kms =
                    r.chance(15).then(|| if r.chance(40) { String::new() } else { r.word(9) });
                let value = if r.chance(35) { None } else { value };
                // Whether a replay applies a new description was never recorded.
                let description = if value.is_some() && token.is_some() && r.chance(90) {
                    None
                } else {
                    description
                };
                ask(Req::Update { id, token, value, description, kms })
            }
            420..560 => {
                let stage = self.label();
                let from = (!self.rng.chance(30)).then(|| self.version(region, &name));
                let to = (!self.rng.chance(20)).then(|| self.version(region, &name));
                ask(Req::Stage { id, stage, from, to })
            }
            560..610 => {
                let window = match self.rng.below(12) {
                    0 => Some(6),
                    1 => Some(31),
                    2..8 => Some(7),
                    8 => Some(30),
                    _ => None,
                };
                let force = match self.rng.below(10) {
                    0..4 => Some(true),
                    4 => Some(false),
                    _ => None,
                };
                let window = if force == Some(true) && self.rng.chance(85) { None } else { window };
                ask(Req::Delete { id, window, force })
            }
            610..640 => ask(Req::Restore { id }),
            640..680 => {
                let r = &mut self.rng;
                let tags = (0..1 + r.below(3)).map(|n| {
                    let key = if r.chance(50) { format!("env{n}") } else { r.word(3 + n) };
                    (key, r.word(3))
                });
                ask(Req::Tag { id, tags: tags.collect() })
            }
            680..710 => {
                let keys = vec!["env".into(), "env0".into(), "env1".into()];
                ask(Req::Untag { id, keys })
            }
            710..800 => {
                let version = self.rng.chance(45).then(|| self.version(region, &name));
                let stage = self.rng.chance(45).then(|| self.label());
                ask(Req::Get { id, version, stage })
            }
            800..825 => ask(Req::Describe { id }),
            825..855 => {
                let deprecated = [None, Some(false), Some(true)][self.rng.below(3)];
                let page = [None, None, Some(1), Some(2), Some(7), Some(100), Some(0), Some(101)]
                    [self.rng.below(8)];
                ask(Req::Versions { id, deprecated, page })
            }
            855..885 => {
                let r = &mut self.rng;
                let planned = [None, Some(false), Some(true)][r.below(3)];
                let page =
                    [None, None, Some(1), Some(2), Some(100), Some(0), Some(101)][r.below(7)];
                let filters = if r.chance(50) {
                    let key = *r.pick(&["name", "tag-key", "tag-value"]);
                    let all = ["a", "team/", "db-", "!alpha", "env", "!env", "Z"];
                    let values = (0..1 + r.below(2)).map(|_| (*r.pick(&all)).to_owned());
                    vec![Filter { key, values: values.collect() }]
                } else {
                    Vec::new()
                };
                let (by_name, descending) = (r.chance(30), r.chance(30));
                ask(Req::List { planned, page, filters, by_name, descending })
            }
            885..900 => ask(Req::Policy { id }),
            900..910 => Step::Burst(region, name, 3 + self.rng.below(110)),
            910..955 => {
                // While the wall clock is off, less than a day passes. Another test covers
                // longer jumps.
                let choices: &[u64] = match self.jumped {
                    None => &[1, 5_000, HOUR_MILLIS, 25 * HOUR_MILLIS, 8 * 24 * HOUR_MILLIS],
                    Some(passed) if passed < 18 => &[1, 5_000, HOUR_MILLIS],
                    Some(_) => &[1],
                };
                let millis = *self.rng.pick(choices);
                if let Some(passed) = &mut self.jumped {
                    *passed += millis / HOUR_MILLIS;
                }
                Step::Pass(millis)
            }
            955..970 => {
                if self.jumped.take().is_some() {
                    return Step::Jump(0);
                }
                self.jumped = Some(0);
                Step::Jump(*self.rng.pick(&[400, -400, 1, -1]))
            }
            970..985 => Step::Maintain,
            _ => Step::Reopen,
        }
    }
}
