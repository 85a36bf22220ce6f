//! Wrong wall clocks: every operation on a simulated machine whose clock jumps 400 days either way, to 1969,
//! 1970, 2038 and 2106, and by a second, with the vault open and closed.
//!
//! What must hold unless a wrong time lasts for a day (it then looks like real time): nothing is pruned or
//! purged before its true time, no time stamp of a secret runs back unless it was a day ahead of the truth,
//! and nothing panics. Once the clock is right again, everything that is due is removed. Before 1970 no vault
//! opens.

use crate::common::drive;
use crate::common::reference::Req;
use crate::common::rng::Rng;
use crate::common::world::{Fault, Setup, World};
use crate::figures;
use crate::work::{self, ACCOUNT, REGION, Script};
use crate::worker;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use strongroom::__internals::error::ErrorKind;
use strongroom::__internals::model::api::{
    CreateSecret, DeleteSecret, DescribeSecret, ListSecretVersionIds, ListSecrets, PutSecretValue,
    TagResource,
};
use strongroom::__internals::model::{Scope, Tag};
use strongroom::__internals::secret::SecretValue;
use strongroom::__internals::vault::Vault;

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;
/// How far the age clock may be ahead: its tolerance of a minute, and the jumps of a second.
const SLACK: i64 = 5 * 60_000;
const STEPS: usize = 40;
/// Secrets whose versions pile up have so many.
const PILE: usize = 104;
/// 1969, 1970, 2038 and 2106: where 32 bits end, and where time begins.
const MOMENTS: [i64; 4] = [-DAY, 1_000, 2_147_483_648_000, 4_294_967_296_000];

#[derive(Default)]
struct Counts {
    operations: AtomicU64,
    jumps: AtomicU64,
    openings: AtomicU64,
    watched: AtomicU64,
}

struct Case<'a> {
    world: World,
    vault: Option<Vault>,
    setup: Setup,
    rng: Rng,
    counts: &'a Counts,
    /// Time that has really passed.
    time: i64,
    /// What the wall clock is wrong by, and for how long it has been ahead.
    wrong: i64,
    ahead_for: i64,
    /// Name, true time of its deletion, days.
    doomed: Vec<(String, i64, i64)>,
    /// When the pile's versions were made, all of them.
    pile: Option<i64>,
    /// Of each secret: the stamp of its last change, its versions' stamps.
    stamps: BTreeMap<String, (i64, BTreeMap<String, i64>)>,
}

impl Case<'_> {
    fn vault(&self) -> &Vault {
        self.vault.as_ref().unwrap()
    }

    fn pass(&mut self, millis: i64) {
        if self.wrong > DAY && self.ahead_for + millis >= DAY - HOUR {
            self.lie(0);
        }
        if self.wrong > DAY {
            self.ahead_for += millis;
        }
        self.time += millis;
        let mut left = millis;
        while left > 0 {
            let now = left.min(HOUR);
            left -= now;
            self.world.advance(Duration::from_millis(now.try_into().unwrap()));
            self.look();
        }
    }

    /// An open vault reads its clocks many times an hour; here it does so only for a request. The request
    /// also writes: after a crash only the time of the last write is known, so a later second jump looks
    /// to the next process like one that happened while the vault was closed (see `jump` in `reopen`).
    fn look(&self) {
        let Some(vault) = &self.vault else { return };
        let scope = Scope::new(ACCOUNT, REGION);
        let request = TagResource {
            secret_id: "diary".into(),
            tags: vec![Tag { key: "k".into(), value: format!("{} {}", self.time, self.wrong) }],
        };
        if vault.in_scope(&scope).tag_resource(request).is_err() {
            vault.in_scope(&scope).create_secret(CreateSecret::new("diary")).unwrap();
        }
    }

    fn lie(&mut self, wrong: i64) {
        self.world.sim.clock.jump_wall(wrong - self.wrong);
        self.counts.jumps.fetch_add(1, Ordering::Relaxed);
        if wrong <= DAY {
            self.ahead_for = 0;
        }
        self.wrong = wrong;
        self.look();
    }

    fn jump(&mut self) {
        let right = self.world.wall() - self.wrong;
        let wrong = match self.rng.below(9) {
            0 => -400 * DAY,
            1 => 400 * DAY,
            2 => self.wrong + 1_000,
            3 => self.wrong - 1_000,
            n @ 4..8 => MOMENTS[n - 4] - right,
            _ => 0,
        };
        // Seconds do not add up here to more than the slack.
        self.lie(if wrong.abs() < DAY { wrong.clamp(-60_000, 60_000) } else { wrong });
    }

    fn reopen(&mut self) -> Result<(), String> {
        let vault = self.vault.take().unwrap();
        // Closed, or as after a crash.
        if self.rng.chance(60) {
            vault.close().map_err(|error| format!("no close: {error}"))?;
        }
        drop(vault);
        // A second jump that grows while the vault is closed is beyond the promise.
        if self.wrong <= DAY && self.rng.chance(40) {
            self.jump();
        } else if self.rng.chance(30) {
            self.lie(0);
        }
        if self.rng.chance(50) {
            let millis = self.rng.range(0..8 * HOUR as u64) as i64;
            self.pass(millis);
        }
        if self.world.wall() < 0 {
            // Before 1970 nothing opens, and nothing is changed by trying.
            match self.world.open(&self.setup) {
                Err(error) if *error.kind() == ErrorKind::ClockBefore1970 => self.lie(0),
                other => return Err(format!("opened before 1970: {:?}", other.err())),
            }
        }
        self.counts.openings.fetch_add(1, Ordering::Relaxed);
        let vault = self.world.open(&self.setup).map_err(|error| format!("no opening: {error}"))?;
        self.vault = Some(vault);
        self.look();
        Ok(())
    }

    fn doom(&mut self) -> Result<(), String> {
        let name = format!("doomed-{}", self.doomed.len());
        let days = 7 + self.rng.below(24) as i64;
        let scope = Scope::new(ACCOUNT, REGION);
        let mut request = CreateSecret::new(name.clone());
        request.value = Some(SecretValue::text("going"));
        self.vault().in_scope(&scope).create_secret(request).map_err(|error| error.to_string())?;
        let request = DeleteSecret {
            secret_id: name.clone(),
            recovery_window_in_days: Some(days),
            force_delete_without_recovery: None,
        };
        self.vault().in_scope(&scope).delete_secret(request).map_err(|error| error.to_string())?;
        self.counts.watched.fetch_add(1, Ordering::Relaxed);
        self.doomed.push((name, self.time, days));
        Ok(())
    }

    fn pile_up(&mut self) -> Result<(), String> {
        let scope = Scope::new(ACCOUNT, REGION);
        let mut request = CreateSecret::new("pile");
        request.value = Some(SecretValue::text("0"));
        self.vault().in_scope(&scope).create_secret(request).map_err(|error| error.to_string())?;
        for n in 1..PILE {
            let request = PutSecretValue::new("pile", SecretValue::text(n.to_string()));
            let put = self.vault().in_scope(&scope).put_secret_value(request);
            put.map_err(|error| error.to_string())?;
        }
        self.counts.watched.fetch_add(PILE as u64, Ordering::Relaxed);
        self.pile = Some(self.time);
        Ok(())
    }

    fn versions(&self, name: &str) -> Result<Vec<(String, i64)>, String> {
        let scope = Scope::new(ACCOUNT, REGION);
        let mut request = ListSecretVersionIds {
            secret_id: name.to_owned(),
            include_deprecated: Some(true),
            ..ListSecretVersionIds::default()
        };
        let mut versions = Vec::new();
        loop {
            let page = self.vault().in_scope(&scope).list_secret_version_ids(request.clone());
            let page = page.map_err(|error| format!("versions of {name}: {error}"))?;
            let rows = page.versions.iter();
            versions.extend(rows.map(|row| (row.version_id.to_string(), row.created_date.0)));
            request.next_token = page.next_token;
            if request.next_token.is_none() {
                return Ok(versions);
            }
        }
    }

    /// What must be true at any moment.
    fn check(&mut self, with_pile: bool) -> Result<(), String> {
        let scope = Scope::new(ACCOUNT, REGION);
        for (name, since, days) in &self.doomed {
            if self.time - since < days * DAY - SLACK {
                let id = DescribeSecret::new(name.clone());
                let found = self.vault().in_scope(&scope).describe_secret(id);
                found.map_err(|error| {
                    let passed = (self.time - since) / HOUR;
                    format!("{name} went after {passed} of {} hours: {error}", days * 24)
                })?;
            }
        }
        if let Some(since) = self.pile.filter(|since| self.time - since < DAY - SLACK)
            && with_pile
        {
            let left = self.versions("pile")?.len();
            if left != PILE {
                let passed = (self.time - since) / 60_000;
                return Err(format!("{left} of {PILE} versions after {passed} minutes"));
            }
        }
        let request =
            ListSecrets { include_planned_deletion: Some(true), ..ListSecrets::default() };
        let page = self
            .vault()
            .in_scope(&scope)
            .list_secrets(request.clone())
            .map_err(|error| error.to_string())?;
        let future = self.world.wall() - self.wrong + DAY;
        for secret in page.secrets {
            let changed = secret.last_changed_date.0;
            let versions = if secret.deleted_date.is_some() || secret.name == "pile" {
                Vec::new()
            } else {
                self.versions(&secret.arn)?
            };
            let (last, known) =
                self.stamps.entry(secret.arn.clone()).or_insert((changed, BTreeMap::new()));
            // A date that is a day in the future was recorded by a wrong clock, and may heal.
            let is_wrong = |date: i64| date > future;
            let is_back = changed < *last && !is_wrong(*last);
            if is_back || (changed < secret.created_date.0 && !is_wrong(secret.created_date.0)) {
                return Err(format!("{} changed at {last}, then at {changed}", secret.name));
            }
            *last = changed;
            let newest = known.values().copied().max();
            for (version, created) in versions {
                let before = known.get(&version).copied();
                if before.is_some_and(|before| before != created) {
                    return Err(format!("{}: {version} got another date", secret.name));
                }
                let is_older = |newest: i64| created < newest && !is_wrong(newest);
                if before.is_none() && newest.is_some_and(is_older) {
                    return Err(format!("{}: {version} is older than the one before", secret.name));
                }
                known.insert(version, created);
            }
        }
        Ok(())
    }

    fn maintain(&self) -> Result<(), String> {
        self.vault().maintain().map_err(|error| format!("no upkeep: {error}"))
    }

    fn ask(&mut self, request: &Req) -> Result<(), String> {
        self.counts.operations.fetch_add(1, Ordering::Relaxed);
        let model = work::empty_model();
        let asked = drive::run(self.vault(), &model, REGION, request);
        asked.map(drop).map_err(|error| format!("{request:?}: {error}"))
    }

    fn run(&mut self, seed: u64) -> Result<(), String> {
        let script = Script::new(&work::empty_model(), seed, STEPS);
        let mut requests = script.requests().map(|(request, _)| request);
        if seed.is_multiple_of(5) {
            self.pile_up()?;
        }
        for _ in 0..STEPS {
            match self.rng.below(100) {
                0..25 => self.jump(),
                25..40 => {
                    let millis = self.rng.range(0..12 * HOUR as u64) as i64;
                    self.pass(millis);
                }
                40..48 => self.maintain()?,
                48..56 => self.reopen()?,
                56..60 => self.doom()?,
                60..68 => {
                    let seed = self.rng.next_u64();
                    worker::aside(self.vault(), seed)?;
                }
                _ => {
                    if let Some(request) = requests.next() {
                        self.ask(request)?;
                    }
                }
            }
            let with_pile = self.rng.chance(20);
            self.check(with_pile)?;
        }
        self.maintain()?;
        self.check(true)?;
        if seed.is_multiple_of(20) { self.comes_to_its_end() } else { Ok(()) }
    }

    /// With a clock that is right, what is doomed does go.
    fn comes_to_its_end(&mut self) -> Result<(), String> {
        self.lie(0);
        for _ in 0..80 {
            self.pass(DAY / 2);
            self.maintain()?;
        }
        let scope = Scope::new(ACCOUNT, REGION);
        for (name, ..) in &self.doomed {
            if self
                .vault()
                .in_scope(&scope)
                .describe_secret(DescribeSecret::new(name.clone()))
                .is_ok()
            {
                return Err(format!("{name} is still there"));
            }
        }
        Ok(())
    }
}

fn sequence(seed: u64, fault: Option<Fault>, counts: &Counts) -> Result<(), String> {
    let world = World::new(seed);
    let setup = Setup { fault, ..Setup::default() };
    let vault = world.create(&setup).map_err(|error| error.to_string())?;
    let mut case = Case {
        world,
        vault: Some(vault),
        setup,
        rng: Rng::new(seed),
        counts,
        time: 0,
        wrong: 0,
        ahead_for: 0,
        doomed: Vec::new(),
        pile: None,
        stamps: BTreeMap::new(),
    };
    case.run(seed).map_err(|why| format!("seed {seed}: {why}"))
}

#[test]
fn a_wall_clock_that_lies_removes_nothing_early_and_turns_no_stamp_back() {
    let (seeds, counts) = (figures::seeds(300, 1_000), Counts::default());
    let next = AtomicU64::new(seeds.start);
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end || !failures.lock().unwrap().is_empty() {
                        return;
                    }
                    if let Err(why) = sequence(seed, None, &counts) {
                        failures.lock().unwrap().push(why);
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{failures:?}");
    let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
    figures::tell(
        "wrong clocks",
        &seeds,
        &[
            ("sequences", seeds.end - seeds.start),
            ("jumps", count(&counts.jumps)),
            ("requests of the model", count(&counts.operations)),
            ("openings", count(&counts.openings)),
            ("secrets and versions watched for their time", count(&counts.watched)),
        ],
    );
}

#[test]
fn a_build_that_ages_by_the_wall_clock_is_caught() {
    let caught =
        (1..50).filter_map(|seed| sequence(seed, Some(Fault::AgeByWall), &Counts::default()).err());
    let caught: Vec<String> = caught.collect();
    assert!(caught.iter().any(|why| why.contains("went after")), "{caught:?}");
    println!("{} of 49 sequences show it; the first: {}", caught.len(), caught[0]);
}
