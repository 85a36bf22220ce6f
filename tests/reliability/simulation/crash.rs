//! Crashes on images, and checks of the vault afterwards.

use super::dump::{HOME, difference, dump, scope, text};
use super::machine::Machine;
use super::runner::{Image, Run, lsn_of, needless_rebuild};
use crate::common::rng::Rng;
use crate::common::search::with_ending;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use strongroom::__internals::env::faults::Faults;
use strongroom::__internals::error::ErrorKind;
use strongroom::__internals::model::api::CreateSecret;
use strongroom::__internals::secret::SecretValue;
use strongroom::__internals::store::OrderedStore;
use strongroom::__internals::vault::{Vault, internals};
use strongroom_fuzz_bodies::env::sim::{CrashPlan, CutPoint, SimFs};

/// What happens to the disk of an image.
#[derive(Clone, Debug)]
pub enum Crash {
    /// The power goes.
    Cut(CrashPlan),
    /// The same, and one bit of one copy of a twin file rots.
    RottenTwin(CrashPlan, PathBuf, u64),
    /// The power goes again at this call of the recovery.
    Twice(CrashPlan, u64, CrashPlan),
    /// The power goes, and the newest snapshot rots.
    RottenSnapshot(CrashPlan, u64),
    /// The process dies; the next one goes on with the page cache, and then the power goes.
    KillThenCut(CrashPlan),
}

#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    pub crashes: u64,
    pub second_crashes: u64,
    pub rotten: u64,
    pub kills: u64,
    /// Opens that found a state.
    pub kept: u64,
    /// Of those, the ones that were caught up.
    pub caught_up: u64,
    pub rotten_snapshots: u64,
    pub opens: u64,
    pub slow_opens: u64,
    pub slowest_micros: u64,
}

/// The header of a snapshot, and more than its footer (FORMAT).
const HEADER_BYTES: usize = 4096;
const FOOTER_BYTES: usize = 96;

pub struct Judge<'a> {
    run: &'a Run,
    pub faults: Faults,
    pub counts: Counts,
    /// The images that were opened, by hash.
    pub opened: HashSet<u64>,
    /// What each of them opened to: the same bytes always open to the same.
    known: HashMap<u64, usize>,
}

/// The crashes of one image: each way to lose what was not synced.
pub fn crashes(image: &Image, rng: &mut Rng, depth: Depth) -> Vec<Crash> {
    let pending = image.fs.pending();
    let random = |rng: &mut Rng| CrashPlan::Random(rng.next_u64());
    let mut plans = vec![CrashPlan::DropAll, CrashPlan::KeepAll];
    if depth == Depth::Shallow {
        let at = rng.below(4);
        plans = vec![[CrashPlan::DropAll, CrashPlan::KeepAll, random(rng), random(rng)][at]];
    } else if !pending.is_empty() {
        plans.extend([random(rng), random(rng), random(rng)]);
        if image.made {
            // In an unfinished creation it looks like a vault that was used: refused, and rightly.
            plans.push(CrashPlan::Rot(rng.next_u64()));
        }
        plans.extend([CrashPlan::NamesOnly, CrashPlan::ContentOnly]);
        plans.extend([CrashPlan::SizesOnly, CrashPlan::BytesOnly]);
        for change in &pending {
            plans.extend([CrashPlan::DropOne(change.number), CrashPlan::KeepOne(change.number)]);
            let tear = |sectors| CrashPlan::Tear { change: change.number, sectors };
            if change.sectors <= 9 {
                plans.extend((1..change.sectors).map(tear));
            } else {
                plans.push(tear(rng.range(1..change.sectors)));
            }
        }
    }
    let mut crashes: Vec<Crash> = plans.iter().map(|plan| Crash::Cut(*plan)).collect();
    if image.made {
        let plan = *rng.pick(&plans);
        if rng.chance(if depth == Depth::Shallow { 4 } else { 15 })
            && let Some(path) = twin_at_rest(image, rng)
        {
            crashes.push(Crash::RottenTwin(plan, path, rng.next_u64()));
        }
        if rng.chance(if depth == Depth::Shallow { 4 } else { 15 }) {
            crashes.push(Crash::RottenSnapshot(CrashPlan::DropAll, rng.next_u64()));
        }
        if rng.chance(if depth == Depth::Shallow { 10 } else { 15 }) {
            let again = if rng.chance(50) { random(rng) } else { *rng.pick(&FIRM) };
            crashes.push(Crash::Twice(plan, rng.range(1..26), again));
        }
        if rng.chance(if depth == Depth::Shallow { 4 } else { 10 }) {
            crashes.push(Crash::KillThenCut(if rng.chance(50) { random(rng) } else { FIRM[0] }));
        }
    }
    crashes
}

const FIRM: [CrashPlan; 2] = [CrashPlan::DropAll, CrashPlan::KeepAll];

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// One loss an image.
    Shallow,
    /// All of them.
    Full,
}

/// One of the states that a power cut may have left.
fn some_kept(image: &Image, seed: u64) -> Option<Arc<OrderedStore>> {
    let kept = image.kept.len();
    (kept > 0).then(|| Arc::clone(&image.kept[Rng::new(seed ^ 2).below(kept)]))
}

/// A copy of a twin whose other copy nobody is writing.
fn twin_at_rest(image: &Image, rng: &mut Rng) -> Option<PathBuf> {
    let stem = *rng.pick(&["/vault/keystore", "/vault/manifest"]);
    let is_written = |path: &Path| path.to_string_lossy().starts_with(stem);
    let written = image.fs.pending().iter().any(|change| is_written(&change.path));
    let copy = if rng.chance(50) { "a" } else { "b" };
    (!written).then(|| PathBuf::from(format!("{stem}.{copy}")))
}

impl<'a> Judge<'a> {
    pub fn new(run: &'a Run) -> Self {
        let (faults, counts) = (Faults::none(), Counts::default());
        Self { run, faults, counts, opened: HashSet::new(), known: HashMap::new() }
    }

    /// Does it, and says what is wrong afterwards.
    pub fn crash(&mut self, image: &Image, crash: &Crash, seed: u64) -> Result<(), String> {
        self.counts.crashes += 1;
        let fs = image.fs.fork();
        match crash {
            Crash::Cut(plan) => fs.crash(*plan),
            Crash::RottenTwin(plan, path, seed) => {
                fs.crash(*plan);
                let Ok(bytes) = fs.read_all(path) else { return Ok(()) };
                let at = usize::try_from(seed % bytes.len() as u64).unwrap();
                let rotten = bytes[at] ^ (1 << (seed >> 61));
                fs.overwrite(path, at as u64, &[rotten]).unwrap();
                self.counts.rotten += 1;
            }
            Crash::Twice(plan, call, again) => {
                fs.crash(*plan);
                let mut machine = self.machine(image, fs, seed);
                machine.keep(some_kept(image, seed));
                let fs = &machine.sim.fs;
                fs.set_crash_at(fs.ops_done() + call, CutPoint::Before);
                for key in self.keys(image) {
                    if let Ok(vault) = machine.open(None, key) {
                        let _ = vault.close();
                    }
                }
                fs.crash(*again);
                self.counts.second_crashes += 1;
                return self.judge_image(image, fs.fork(), seed);
            }
            Crash::RottenSnapshot(plan, seed) => {
                fs.crash(*plan);
                return self.judge_rotten_snapshot(image, fs, *seed);
            }
            Crash::KillThenCut(plan) => {
                self.counts.kills += 1;
                fs.kill();
                return self.go_on_and_cut(image, fs, *plan, seed);
            }
        }
        self.judge_image(image, fs, seed)
    }

    fn machine(&self, image: &Image, fs: SimFs, seed: u64) -> Machine {
        Machine { faults: self.faults, ..Machine::with_disk(fs, image.wall, seed) }
    }

    fn keys(&self, image: &Image) -> &[Vec<u8>] {
        let last = image.key + usize::from(image.changes_key);
        let last = last.min(self.run.keys.len() - 1);
        &self.run.keys[image.key.min(last)..=last]
    }

    /// Whether prefix `at` reads as one that was promised at the time of `image`.
    fn is_promised(&self, image: &Image, at: usize) -> bool {
        let all = &self.run.prefixes;
        (image.shown..=image.shown + 1)
            .filter_map(|promised| all.get(promised))
            .any(|promised| *promised == all[at])
    }

    /// Without a state, and in some cases with one that the cut may have left, too.
    fn judge_image(&mut self, image: &Image, fs: SimFs, seed: u64) -> Result<(), String> {
        let some = image.made && Rng::new(seed ^ 1).chance(25);
        let kept = some_kept(image, seed).filter(|_| some).map(|kept| (kept, fs.fork()));
        self.judge_log(image, fs, seed)?;
        kept.map_or(Ok(()), |(kept, fs)| self.judge_kept(image, fs, kept, seed))
    }

    fn judge_log(&mut self, image: &Image, fs: SimFs, seed: u64) -> Result<(), String> {
        let hash = fs.durable_hash();
        if let Some(at) = self.known.get(&hash) {
            let kept = self.is_promised(image, *at) || !image.made;
            return if kept { Ok(()) } else { Err(self.lost(image, *at)) };
        }
        if !self.opened.insert(hash) && !image.made {
            return Ok(());
        }
        let machine = self.machine(image, fs, seed);
        let Some((vault, key)) = self.open(&machine, image)? else { return Ok(()) };
        let at = self.compare(&vault, image)?;
        self.known.insert(hash, at);
        self.live_on(&machine, vault, key, seed)
    }

    /// The same with a state that a power cut may have left: it is caught up where that is possible.
    fn judge_kept(
        &mut self,
        image: &Image,
        fs: SimFs,
        kept: Arc<OrderedStore>,
        seed: u64,
    ) -> Result<(), String> {
        let at = lsn_of(&kept);
        let why = |error: String| format!("with a state at {at:?}: {error}");
        let mut machine = self.machine(image, fs, seed);
        machine.keep(Some(Arc::clone(&kept)));
        let Some((vault, key)) = self.open(&machine, image).map_err(why)? else { return Ok(()) };
        if let Some(needless) = needless_rebuild(&vault, &kept) {
            return Err(why(needless));
        }
        self.counts.kept += 1;
        let is_caught_up = internals::fork_below(&vault).is_some_and(|below| below.durable() == at);
        self.counts.caught_up += u64::from(is_caught_up);
        self.compare(&vault, image).map_err(why)?;
        self.live_on(&machine, vault, key, seed).map_err(why)
    }

    /// Every snapshot that was not freed has another that can take its place, or a state that is past it.
    fn judge_rotten_snapshot(&mut self, image: &Image, fs: SimFs, seed: u64) -> Result<(), String> {
        let kept = some_kept(image, seed).filter(|_| !image.changes_key);
        let Some(kept) = kept else { return Ok(()) };
        let Some(path) = with_ending(fs.paths(), "snap").pop() else { return Ok(()) };
        let bytes = fs.read_all(&path).unwrap();
        // Rows. A damaged header or footer is noticed before any state is looked at, and after a cut nothing
        // proves the end of the log.
        let Some(rows) =
            bytes.len().checked_sub(HEADER_BYTES + FOOTER_BYTES).filter(|rows| *rows > 0)
        else {
            return Ok(());
        };
        let at = HEADER_BYTES + Rng::new(seed).below(rows);
        fs.overwrite(&path, at as u64, &[bytes[at] ^ 1]).unwrap();
        let why = |error: String| {
            format!("{} rots at {at}, state at {:?}: {error}", path.display(), lsn_of(&kept))
        };
        let mut machine = self.machine(image, fs, seed);
        machine.keep(Some(Arc::clone(&kept)));
        let Some((vault, _)) = self.open(&machine, image).map_err(why)? else { return Ok(()) };
        self.counts.rotten_snapshots += 1;
        self.compare(&vault, image).map_err(why)?;
        write(&vault, "after-the-rot").map_err(why)?;
        vault.close().map_err(|error| why(text(&error)))
    }

    fn lost(&self, image: &Image, at: usize) -> String {
        let shown = &self.run.prefixes[image.shown];
        let difference = difference(shown, &self.run.prefixes[at]);
        format!("what was shown is gone, {} frames back: {difference}", image.shown - at)
    }

    /// Opens with the key that was promised. `None`: there was no vault yet, and making it works.
    fn open(
        &mut self,
        machine: &Machine,
        image: &Image,
    ) -> Result<Option<(Vault, &'a [u8])>, String> {
        let run = self.run;
        let last = (image.key + usize::from(image.changes_key)).min(run.keys.len().max(1) - 1);
        let keys = run.keys.get(image.key..=last).unwrap_or_default();
        if image.changes_key {
            // One of the two opens it, the other does not: no copy is tried for a key's sake.
            let opens = |key: &Vec<u8>| {
                let fs = machine.sim.fs.fork();
                self.machine(image, fs, 0).open(None, key).is_ok()
            };
            let count = keys.iter().filter(|key| opens(key)).count();
            if count != 1 {
                return Err(format!("{count} keys open a vault whose key was being changed"));
            }
        }
        let mut failed = Vec::new();
        for key in keys {
            let started = Instant::now();
            let opened = machine.open(None, key);
            let took = started.elapsed();
            self.counts.opens += 1;
            self.counts.slow_opens += u64::from(took > Duration::from_secs(2));
            self.counts.slowest_micros = self.counts.slowest_micros.max(took.as_micros() as u64);
            match opened {
                Ok(vault) => return Ok(Some((vault, key))),
                Err(error) if image.made && *error.kind() == ErrorKind::WrongKey => {
                    failed.push(text(&error));
                }
                Err(error) if image.made => return Err(format!("does not open: {}", text(&error))),
                Err(_) => {}
            }
        }
        if image.made {
            return Err(format!("does not open: {failed:?}"));
        }
        // It was never finished: making it again must work.
        let vault = machine.create(None, |_| {});
        let vault = vault.map_err(|error| format!("cannot start over: {}", text(&error)))?;
        vault.close().map_err(|error| text(&error))?;
        Ok(None)
    }

    /// Which prefix the vault reads as.
    fn compare(&self, vault: &Vault, image: &Image) -> Result<usize, String> {
        let found = dump(vault).map_err(|error| format!("does not read: {error}"))?;
        let all = &self.run.prefixes;
        for at in [image.shown, image.shown + 1] {
            if all.get(at).is_some_and(|prefix| *prefix == found) {
                return Ok(at);
            }
        }
        if let Some(at) = (0..image.shown).rev().find(|at| all[*at] == found) {
            return Err(self.lost(image, at));
        }
        Err(format!("reads as nothing that ever was: {}", difference(&all[image.shown], &found)))
    }

    /// A vault that has recovered goes on working, and is whole for a checker.
    fn live_on(
        &mut self,
        machine: &Machine,
        vault: Vault,
        key: &[u8],
        seed: u64,
    ) -> Result<(), String> {
        let mut rng = Rng::new(seed);
        let failure = |what: &'static str| move |error| format!("{what}: {}", text(&error));
        write(&vault, "after-the-crash")?;
        match rng.below(10) {
            0 => {
                vault.maintain().map_err(failure("no pass"))?;
                if rng.chance(50) {
                    vault.shred().map_err(failure("no epoch switch"))?;
                }
            }
            1 | 2 => {
                let before = dump(&vault)?;
                drop(vault);
                machine.sim.fs.crash(CrashPlan::Random(rng.next_u64()));
                let vault = machine.open(None, key).map_err(failure("does not open once more"))?;
                let found = dump(&vault)?;
                if found != before {
                    return Err(format!("lost afterwards: {}", difference(&before, &found)));
                }
                self.counts.opens += 1;
                return self.check(machine, vault, key);
            }
            _ => {}
        }
        self.check(machine, vault, key)
    }

    fn check(&self, machine: &Machine, vault: Vault, key: &[u8]) -> Result<(), String> {
        vault.close().map_err(|error| format!("no close: {}", text(&error)))?;
        let report = machine.check(key).map_err(|error| format!("no check: {}", text(&error)))?;
        if report.damage.is_empty() { Ok(()) } else { Err(format!("check: {:?}", report.damage)) }
    }

    /// After a kill the vault opens on what the page cache holds and takes a write; all of that is
    /// durable then.
    fn go_on_and_cut(
        &mut self,
        image: &Image,
        fs: SimFs,
        plan: CrashPlan,
        seed: u64,
    ) -> Result<(), String> {
        let machine = self.machine(image, fs, seed);
        let Some((vault, key)) = self.open(&machine, image)? else { return Ok(()) };
        self.compare(&vault, image)?;
        write(&vault, "after-the-kill")?;
        let before = dump(&vault)?;
        drop(vault);
        machine.sim.fs.crash(plan);
        let vault = machine.open(None, key);
        let vault = vault.map_err(|error| format!("the cut after a kill: {}", text(&error)))?;
        let found = dump(&vault)?;
        if found != before {
            return Err(format!("the cut after a kill: {}", difference(&before, &found)));
        }
        self.live_on(&machine, vault, key, seed)
    }
}

/// One more operation.
pub fn write(vault: &Vault, name: &str) -> Result<(), String> {
    let mut request = CreateSecret::new(name);
    request.client_request_token = Some(format!("{name:z>40}"));
    request.value = Some(SecretValue::text("alive"));
    let made = vault.in_scope(scope(HOME)).create_secret(request);
    made.map(drop).map_err(|error| format!("no write: {}", text(&error)))
}
