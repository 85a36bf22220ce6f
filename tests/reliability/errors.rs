//! Injected errors: each file system call of a script, including reads, fails with each error that a disk
//! may return, once or permanently. Then the process dies or the power is cut, and the vault is opened again
//! on a disk that works.
//!
//! What must hold: every acknowledged write is there afterwards. After a failed sync of the log all later
//! writes fail, and reads still work. The next open recovers, `check` finds nothing, and writes work. A run
//! of the same script without errors shows the allowed results: the state last shown, optionally with the
//! one operation whose outcome was unknown.

use crate::common::rng::Rng;
use crate::figures;
use crate::simulation::acts::Kind;
use crate::simulation::crash::write;
use crate::simulation::dump::{difference, dump, text};
use crate::simulation::machine::{Key, Machine};
use crate::simulation::runner::Runner;
use std::collections::BTreeMap;
use std::io::ErrorKind as Io;
use std::sync::Arc;
use strongroom::__internals::env::faults::{self, Faults};
use strongroom::__internals::error::ErrorKind;
use strongroom_fuzz_bodies::env::sim::{CrashPlan, Fault, Op, OpKind, Reach, SimFs};

#[path = "errors/batch.rs"]
mod batch;
#[path = "errors/short.rs"]
mod short;

/// Acts of a trial, besides opening and closing.
const ACTS: usize = 20;
const CHANGING: [OpKind; 9] = [
    OpKind::Create,
    OpKind::CreateDir,
    OpKind::Write,
    OpKind::SetLen,
    OpKind::SyncData,
    OpKind::SyncAll,
    OpKind::SyncDir,
    OpKind::Rename,
    OpKind::Remove,
];
/// What needs room.
const GROWING: [OpKind; 4] = [OpKind::Create, OpKind::CreateDir, OpKind::Write, OpKind::SetLen];

/// A vault with something in it, and the script that is run on it over and over.
struct Stage {
    seed: u64,
    disk: SimFs,
    wall: i64,
    key: Key,
    dump: String,
    acts: Vec<Kind>,
    /// What it reads as after each frame of the script, and the script's calls.
    prefixes: Vec<String>,
    calls: Vec<Op>,
    reads: u64,
}

/// What one trial came to.
#[derive(Default)]
struct Counts {
    injections: u64,
    by_error: BTreeMap<&'static str, u64>,
    poisoned: u64,
    not_opened: u64,
    undone: u64,
    unfelt: u64,
    /// The interrupted operation is there, although its outcome was unknown.
    unreported: u64,
}

impl Stage {
    fn new(seed: u64) -> Self {
        let setting = Runner::new(seed, Faults::none()).run(0);
        let image = setting.images.last().unwrap();
        let disk = image.fs.fork();
        // Every second script begins after a kill: then opening has more to do.
        disk.kill();
        if seed.is_multiple_of(2) {
            disk.crash(CrashPlan::KeepAll);
        }
        let (key, dump) = (setting.keys[image.key].clone(), setting.prefixes.last().unwrap());
        let mut stage = Self {
            seed,
            disk,
            wall: image.wall,
            key,
            dump: dump.clone(),
            acts: Vec::new(),
            prefixes: Vec::new(),
            calls: Vec::new(),
            reads: 0,
        };
        let mut runner = stage.runner(Faults::none(), false);
        let mut acts = runner.script(0);
        // An Argon2id in each trial would take all the time.
        acts.retain(|kind| *kind != Kind::AddPassphrase);
        let from = usize::try_from(seed).unwrap() * ACTS % acts.len();
        stage.acts = acts.iter().cycle().skip(from).take(ACTS).copied().collect();
        let mut runner = stage.runner(Faults::none(), false);
        let fs = runner.machine.sim.fs.clone();
        runner.script(0);
        runner.open();
        for (at, kind) in stage.acts.iter().enumerate() {
            runner.step(at, *kind);
        }
        runner.vault.as_ref().unwrap().close().unwrap();
        assert!(runner.take_errors().is_empty());
        (stage.calls, stage.reads) = (fs.ops(), fs.reads_done());
        stage.prefixes = runner.end(Vec::new()).prefixes;
        stage
    }

    fn runner(&self, faults: Faults, is_blind: bool) -> Runner {
        let machine = Machine::with_disk(self.disk.fork(), self.wall, self.seed);
        let machine = Machine { faults, ..machine };
        Runner::on(machine, self.seed, is_blind).with_vault(&self.key, &self.dump)
    }

    /// One injection, the end of the process or of the power, and what is there then.
    fn trial(&self, fault: &Fault, faults: Faults, counts: &mut Counts) -> Result<(), String> {
        let mut runner = self.runner(faults, true);
        let fs = runner.machine.sim.fs.clone();
        runner.script(0);
        fs.add_fault(fault.clone());
        let mut is_poisoned = false;
        // A disk that goes on being full makes a batch leave out what grows; then what is left of it
        // may be there although its outcome was unknown, because its write was complete.
        let leaves_out = fault.error == Io::StorageFull && fault.times > 1;
        let (mut felt, mut is_off_script) = (false, leaves_out && fault.reach == Reach::All);
        runner.open();
        for (at, kind) in self.acts.iter().enumerate() {
            let errors = runner.take_errors();
            felt |= !errors.is_empty();
            if runner.vault.is_none() {
                counts.not_opened += 1;
                break;
            }
            if is_poisoned {
                // Reads go on; what was shown stays as it was.
                let (last, found) = (runner.last(), dump(runner.vault.as_ref().unwrap())?);
                if last != found {
                    return Err(format!("poisoned, and moves: {}", difference(&last, &found)));
                }
                if write(runner.vault.as_ref().unwrap(), "must-fail").is_ok() {
                    return Err("a poisoned vault has taken a write".into());
                }
                break;
            }
            is_off_script |= felt;
            runner.step(at, *kind);
            let errors = runner.take_errors();
            felt |= !errors.is_empty();
            let poisons =
                |kind: &ErrorKind| matches!(kind, ErrorKind::OutcomeUnknown | ErrorKind::Poisoned);
            is_poisoned |= errors.iter().any(|error| poisons(error.kind()));
            counts.poisoned += u64::from(is_poisoned);
            // The next start is another vault.
            is_poisoned &= !matches!(kind, Kind::Reopen | Kind::Kill);
            let failed = runner.vault.as_ref().filter(|_| !errors.is_empty());
            let shown = failed.map(dump).transpose()?;
            if let Some(shown) = &shown
                && *shown != runner.last()
            {
                return Err(format!("shown later: {}", difference(&runner.last(), shown)));
            }
            if errors.iter().any(|error| *error.kind() == ErrorKind::NoSpace) {
                counts.undone += 1;
            }
        }
        counts.unfelt += u64::from(!felt);
        self.judge(runner, fault, is_off_script, counts)
    }

    /// The disk works again; was anything promised that is not there?
    fn judge(
        &self,
        mut runner: Runner,
        fault: &Fault,
        is_off_script: bool,
        counts: &mut Counts,
    ) -> Result<(), String> {
        let fs = runner.machine.sim.fs.clone();
        let (last, keys, wall) = (runner.last(), runner.keys(), runner.machine.wall());
        let kept = runner.kept();
        let mut rng = Rng::new(fault.nth ^ self.seed << 32);
        // Dropped, not closed.
        drop(runner.vault.take());
        let lived = runner.end(Vec::new()).prefixes;
        fs.clear_faults();
        let cut = match rng.below(3) {
            0 => None,
            1 => Some(CrashPlan::DropAll),
            _ => Some(CrashPlan::Random(rng.next_u64())),
        };
        match cut {
            None => fs.kill(),
            Some(plan) => fs.crash(plan),
        }
        let mut machine = Machine::with_disk(fs.fork(), wall, rng.next_u64());
        if !kept.is_empty() && rng.chance(50) {
            machine.keep(Some(Arc::clone(rng.pick(&kept))));
        }
        let mut opened = None;
        for key in &keys {
            match machine.open(None, key) {
                Ok(vault) => {
                    opened = Some((vault, key));
                    break;
                }
                Err(error) if *error.kind() == ErrorKind::WrongKey => {}
                Err(error) => return Err(format!("{cut:?}: does not open: {}", text(&error))),
            }
        }
        let (vault, key) = opened.ok_or("no key opens it")?;
        let found = dump(&vault).map_err(|error| format!("does not read: {error}"))?;
        if found != last {
            let is_next = self.is_next(&last, &found);
            // Once an operation was undone the script no longer says what comes next: then it must
            // be something that never was, and whole.
            if is_next.is_err() && (!is_off_script || lived.contains(&found)) {
                return is_next.map_err(|error| format!("{cut:?}: {error}"));
            }
            counts.unreported += 1;
        }
        write(&vault, "afterwards")?;
        vault.close().map_err(|error| format!("no close: {}", text(&error)))?;
        let report = machine.check(key).map_err(|error| text(&error))?;
        if report.damage.is_empty() { Ok(()) } else { Err(format!("check: {:?}", report.damage)) }
    }

    /// Whether `found` is what comes after `last` where nothing fails.
    fn is_next(&self, last: &str, found: &str) -> Result<(), String> {
        let at = self.prefixes.iter().rposition(|prefix| *prefix == last);
        match at.and_then(|at| self.prefixes.get(at + 1)) {
            Some(next) if *next == found => Ok(()),
            Some(_) => Err(format!("neither nor: {}", difference(last, found))),
            None => Err(format!("off the script: {}", difference(last, found))),
        }
    }

    /// Every fault of every call.
    fn faults(&self) -> Vec<(&'static str, Fault)> {
        let mut faults = Vec::new();
        let mut add = |name, on: &[OpKind], nth, for_ever, error, reach| {
            let times = if for_ever { u64::MAX } else { 1 };
            let (on, path_contains) = (on.to_vec(), String::new());
            faults.push((name, Fault { on, path_contains, nth, times, error, reach }));
        };
        let mut growing = 0;
        for (at, call) in self.calls.iter().enumerate() {
            let nth = at as u64 + 1;
            let grows = GROWING.contains(&call.kind);
            growing += u64::from(grows);
            for for_ever in [false, true] {
                add("EIO", &CHANGING, nth, for_ever, Io::Other, Reach::Nothing);
                add("EINTR", &CHANGING, nth, for_ever, Io::Interrupted, Reach::Nothing);
                for (name, error) in [("ENOSPC", Io::StorageFull), ("EDQUOT", Io::QuotaExceeded)] {
                    // A sync, too, may find that there is no room for what was written.
                    if call.kind.is_sync() {
                        add(name, &CHANGING, nth, for_ever, error, Reach::Nothing);
                    } else if grows {
                        add(name, &GROWING, growing, for_ever, error, Reach::Nothing);
                    }
                }
                if call.kind == OpKind::Write {
                    let part = Reach::Part(1 + at * 37 % 600);
                    add("short write", &CHANGING, nth, for_ever, Io::StorageFull, part);
                    add("short write", &CHANGING, nth, for_ever, Io::Other, part);
                    let all = Reach::All;
                    add("error after a write", &CHANGING, nth, for_ever, Io::StorageFull, all);
                    add("error after a write", &CHANGING, nth, for_ever, Io::Other, all);
                }
            }
        }
        for nth in 1..=self.reads {
            for for_ever in [false, true] {
                add("EIO reading", &[OpKind::Read], nth, for_ever, Io::Other, Reach::Nothing);
            }
            let error = Io::Interrupted;
            add("EINTR reading", &[OpKind::Read], nth, false, error, Reach::Nothing);
        }
        faults
    }
}

#[test]
fn no_error_of_the_disk_makes_the_vault_lie() {
    let seeds = figures::seeds(1, 1);
    let stride = if figures::is_short() { 13 } else { 1 };
    let mut counts = Counts::default();
    for seed in seeds.clone() {
        let _seed = figures::Seed(seed);
        let stage = Stage::new(seed);
        println!("seed {seed}: {} calls, {} reads", stage.calls.len(), stage.reads);
        for (name, fault) in stage.faults().iter().skip(seed as usize % stride).step_by(stride) {
            counts.injections += 1;
            *counts.by_error.entry(name).or_default() += 1;
            if let Err(why) = stage.trial(fault, Faults::none(), &mut counts) {
                panic!("seed {seed} {name} {fault:?}\nacts {:?}\n{why}", stage.acts);
            }
        }
    }
    let Counts { injections, poisoned, not_opened, undone, unfelt, unreported, .. } = counts;
    let mut counted = vec![
        ("injections", injections),
        ("vaults poisoned", poisoned),
        ("vaults that did not open until the disk worked", not_opened),
        ("acts undone for lack of space", undone),
        ("injections without effect", unfelt),
        ("opens that found an operation with unknown outcome", unreported),
    ];
    counted.extend(counts.by_error.iter().map(|(name, count)| (*name, *count)));
    figures::tell("errors", &seeds, &counted);
}

#[test]
fn a_build_that_syncs_again_after_a_failed_sync_is_caught() {
    let broken = faults::Fault::RetryFailedSync.into();
    let stage = Stage::new(1);
    let syncs = stage.faults();
    let syncs = syncs.iter().filter(|(name, fault)| {
        let call =
            fault.on.contains(&OpKind::SyncData).then(|| &stage.calls[fault.nth as usize - 1]);
        *name == "EIO" && fault.times == 1 && call.is_some_and(|op| op.kind == OpKind::SyncData)
    });
    let caught = syncs
        .filter_map(|(_, fault)| stage.trial(fault, broken, &mut Counts::default()).err())
        .next();
    println!("caught: {caught:?}");
    assert!(caught.is_some());
}
