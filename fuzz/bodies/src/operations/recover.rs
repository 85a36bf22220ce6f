//! After a power cut, a kill or an unknown outcome: the vault opens in the state last shown, or with the
//! interrupted step applied completely or not at all.
//!
//! The possible results of such a step are found by repeating it without faults on a copy of the earlier
//! disk, with a dump of the vault after each frame. The reference models fork for each possible number of
//! executed requests, and only a number that agrees with the vault is right.

use super::call::scope;
use super::compare;
use super::draw::{ACCOUNTS, REGIONS};
use super::machine::{Key, Machine};
use super::mask::mask;
use super::run::{Broken, Done, Run, Strange};
use super::step::{Loss, Step, Who};
use crate::dump::{difference, dump_of, text};
use crate::env::sim::{CrashPlan, CutPoint, SimFs};
use crate::model::{Chosen, Model, Req};
use crate::recorder::Recorder;
use std::sync::{Arc, Mutex};
use strongroom::__internals::env::Fs;
use strongroom::__internals::error::{ErrorKind, Result};
use strongroom::__internals::model::Scope;
use strongroom::__internals::model::api::DescribeSecret;
use strongroom::__internals::vault::{Vault, internals};

/// What a step met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Trouble {
    /// Nothing that stops the vault.
    None,
    /// An operation that had no effect, according to the vault.
    Failed,
    /// Whether an operation happened is unknown.
    Unknown,
}

/// The situation before a step.
pub(super) struct Guard {
    fs: SimFs,
    wall: i64,
    models: [Model; 2],
    strange: Strange,
    key: Key,
    serial: u64,
    is_full: bool,
}

fn scopes() -> Vec<Scope> {
    compare::everyone().map(scope).collect()
}

/// Everything that can be read from a vault.
pub(super) fn dump(vault: &Vault) -> std::result::Result<String, String> {
    dump_of(vault, &scopes())
}

impl Guard {
    pub(super) fn of(run: &Run) -> Self {
        Self {
            fs: run.machine.sim.fs.fork(),
            wall: run.machine.wall(),
            models: run.models.clone(),
            strange: run.strange.clone(),
            key: run.key.clone(),
            serial: run.serial,
            is_full: run.is_full,
        }
    }
}

impl Guard {
    /// The dump of the vault at that time.
    fn read(&self) -> std::result::Result<String, String> {
        let machine = Machine::on(&self.fs, self.wall, 1);
        let vault = machine.open(None, &self.key).map_err(|error| text(&error))?;
        dump(&vault)
    }
}

impl Run {
    /// Opens the vault again after `step`. `guard` describes the situation before it.
    pub(super) fn recover(&mut self, guard: &Guard, step: &Step) -> Broken {
        if self.vault.is_some() {
            self.let_go()?;
        }
        let (old, rows) = (self.old.take(), self.rows.take());
        let mut loss = self.armed.take().flatten();
        let vault = loop {
            self.come_back(loss);
            let fs = Arc::clone(&self.machine.sim.fs);
            if let Some(loss) = loss.filter(|loss| loss.plan >= 192) {
                let call = fs.ops_done() + 1 + u64::from(loss.at % 24);
                fs.set_crash_at(call, CutPoint::Before);
            }
            match self.open() {
                Ok(vault) => {
                    fs.set_crash_at(u64::MAX, CutPoint::Before);
                    break vault;
                }
                Err(_) if fs.is_off() => self.report.count("power cuts while opening"),
                Err(error) => return Err(format!("does not open: {}", text(&error))),
            }
            loss = loss.map(|loss| Loss { plan: loss.plan % 192, at: loss.at.wrapping_add(7) });
        };
        self.report.count("reopenings");
        let is_as_shown = rows.is_some() && internals::rows_hash(&vault) == rows;
        let found = if is_as_shown { String::new() } else { dump(&vault)? };
        self.vault = Some(vault);
        let passed = self.done.iter().any(|done| matches!(done, Done::Maintain));
        if is_as_shown && !passed {
            // Exactly the answered requests had an effect, and the models know all of them.
            if self.trouble != Trouble::None {
                self.report.count("outcomes: not done");
            }
            self.trouble = Trouble::None;
            return self.adopt();
        }
        if !is_as_shown {
            let live = match old {
                Some(old) => dump(&old).ok(),
                None => Some(guard.read()?),
            };
            self.judge_dump(guard, step, live.as_ref(), &found)?;
        }
        self.resolve(guard)
    }

    /// Restarts the machine without faults.
    fn come_back(&mut self, loss: Option<Loss>) {
        let fs = Arc::clone(&self.machine.sim.fs);
        match loss {
            Some(loss) => {
                self.report.count(if fs.is_off() { "power cuts in a step" } else { "power cuts" });
                fs.crash(plan(&fs, loss));
            }
            None if fs.is_off() => fs.crash(CrashPlan::DropAll),
            None => fs.kill(),
        }
        fs.clear_faults();
        fs.set_capacity(None);
        self.is_full = false;
    }

    /// Opens with the key, or with the one that was about to replace it.
    fn open(&mut self) -> Result<Vault> {
        let first = self.machine.open(None, &self.key);
        let Some(next) = self.next_key.take() else { return first };
        let opened = match first {
            Err(error) if *error.kind() == ErrorKind::WrongKey => {
                let opened = self.machine.open(None, &next);
                if opened.is_ok() {
                    self.key.clone_from(&next);
                }
                opened
            }
            other => other,
        };
        if opened.is_err() {
            self.next_key = Some(next);
        }
        opened
    }

    /// Adopts the days of access if anything was read since the last time.
    fn adopt(&mut self) -> Broken {
        if std::mem::take(&mut self.has_read) {
            compare::adopt_accessed(&self.vault(), &mut self.models)?;
        }
        Ok(())
    }

    fn judge_dump(
        &mut self,
        guard: &Guard,
        step: &Step,
        live: Option<&String>,
        found: &str,
    ) -> Broken {
        if live.is_some_and(|live| live == found) {
            return Ok(());
        }
        let frames = self.again(guard, step, self.refused)?;
        let whole = self.judge_frames(&frames, live, found);
        let Step::Together(_, asks) = step else { return whole };
        if whole.is_err() && guard.is_full {
            for left_out in 1..(1_u16 << asks.len()) - 1 {
                let frames = self.again(guard, step, left_out)?;
                if self.judge_frames(&frames, live, found).is_ok() {
                    return Ok(());
                }
            }
        }
        whole
    }

    fn judge_frames(&mut self, frames: &[String], live: Option<&String>, found: &str) -> Broken {
        // A vault that became unreadable has shown the state before the step.
        let before = || frames.first().cloned().unwrap_or_default();
        let (shown, found) = (live.map_or_else(before, |live| mask(live)), mask(found));
        let first = frames.iter().position(|frame| *frame == shown);
        let last = frames.iter().rposition(|frame| *frame == found);
        match (first, last) {
            (Some(first), Some(last)) if first <= last => Ok(()),
            // After an open in between, the vault's age may differ and it may remove less: the models judge.
            _ if self.done.iter().any(|done| matches!(done, Done::Maintain)) => {
                self.report.count("passes judged by the models alone");
                Ok(())
            }
            (_, None) => Err(format!(
                "reads as nothing that ever was, of {} frames: {}",
                frames.len(),
                difference(&shown, &found)
            )),
            (Some(_), Some(_)) => {
                Err(format!("what was shown is gone: {}", difference(&shown, &found)))
            }
            (None, Some(_)) => Err(format!(
                "what was shown is no state of the step: {}",
                difference(&shown, frames.last().unwrap())
            )),
        }
    }

    /// The dumps of the vault after each frame of a step without faults, with some writes of a batch left
    /// out.
    fn again(
        &mut self,
        guard: &Guard,
        step: &Step,
        left_out: u16,
    ) -> std::result::Result<Vec<String>, String> {
        self.report.count("steps taken again");
        let machine = Machine::on(&guard.fs, guard.wall, 1);
        machine.sim.fs.kill();
        machine.sim.fs.set_capacity(None);
        let watch = Arc::new(Watch::default());
        let witness = Arc::clone(&watch);
        let recorder = Recorder::new(Arc::clone(&machine.sim.fs), move || witness.look());
        let fs: Arc<dyn Fs> = Arc::new(recorder);
        let vault = machine.open(Some(fs), &guard.key).map_err(|error| text(&error))?;
        let mut again =
            Self::new(machine, guard.key.clone(), guard.models.clone(), guard.strange.clone());
        *watch.0.lock().unwrap() = Some((vault.clone(), u64::MAX, Vec::new()));
        watch.look();
        again.vault = Some(vault);
        again.serial = guard.serial;
        // It uses the same tokens as a step in which something may fail.
        again.armed = Some(None);
        again.left_out = left_out;
        // Days of access that were shown but not yet written are not on this disk.
        compare::adopt_accessed(&again.vault(), &mut again.models)?;
        again.tell_time();
        again.act(step).map_err(|error| format!("taken again: {error}"))?;
        watch.look();
        let seen = watch.0.lock().unwrap().take();
        let (_, _, frames) = seen.unwrap();
        frames.into_iter().collect()
    }

    /// The requests of the step that had an effect, according to the vault.
    fn resolve(&mut self, guard: &Guard) -> Broken {
        let vault = self.vault();
        let done = std::mem::take(&mut self.done);
        let answered = |done: &Done| matches!(done, Done::Request(_, _, true));
        let least = done.iter().rposition(answered).map_or(0, |at| at + 1);
        let passed = done.iter().any(|done| matches!(done, Done::Maintain));
        if passed {
            // Another pass finishes what the interrupted one began.
            vault.maintain().map_err(|error| text(&error))?;
        }
        let (wall, age) = (guard.models[0].wall, guard.models[0].age);
        let mut why = String::new();
        for happened in outcomes(least, done.len(), guard.is_full) {
            let mut models = guard.models.clone();
            for at in happened.iter().copied() {
                if let Done::Request(who, request, _) = &done[at]
                    && !request.secret().is_some_and(|name| self.is_strange(*who, name))
                {
                    let chosen = chosen(&vault, *who, request);
                    models[who.account].apply(REGIONS[who.region], request, &chosen);
                }
            }
            for (account, region, name) in &self.strange {
                models[*account].forget(REGIONS[*region], name);
            }
            debug_assert!(models[0].wall == wall && models[0].age == age);
            self.models = models;
            self.tell_time();
            if passed {
                self.models.iter_mut().for_each(|model| _ = model.maintain());
            }
            self.has_read = false;
            let adopted = compare::adopt_accessed(&vault, &mut self.models);
            match adopted.and_then(|()| compare::compare(&vault, &mut self.models, &self.strange)) {
                Ok(()) => {
                    if least < done.len() {
                        let whole = happened.len() == done.len();
                        self.report.count(if whole {
                            "outcomes: done"
                        } else {
                            "outcomes: not done"
                        });
                    }
                    self.trouble = Trouble::None;
                    Self::names().for_each(|name| self.learn_ends(name));
                    return Ok(());
                }
                Err(error) => why = error,
            }
        }
        Err(format!("reads as none of the outcomes: {why}"))
    }
}

/// Which of a step's requests can have happened, by their numbers: those that were answered, and some
/// first ones of the others; or any of the others where each may have been refused for want of room.
fn outcomes(answered: usize, all: usize, is_full: bool) -> Vec<Vec<usize>> {
    let mut outcomes: Vec<Vec<usize>> =
        (answered..=all).map(|count| (0..count).collect()).collect();
    let open = all - answered;
    if is_full && (2..=4).contains(&open) {
        for some in 0..1_usize << open {
            let is_some = |at: &usize| *at < answered || some >> (at - answered) & 1 == 1;
            outcomes.push((0..all).filter(is_some).collect());
        }
    }
    outcomes
}

/// The free choices of the vault for a request whose answer is lost.
fn chosen(vault: &Vault, who: Who, request: &Req) -> Chosen {
    let Req::Create { name, token, .. } = request else { return Chosen::default() };
    let described = vault.in_scope(scope(who)).describe_secret(DescribeSecret::new(name.as_str()));
    let end = described.ok().map(|secret| secret.arn[secret.arn.len() - 6..].to_owned());
    Chosen { suffix: end, version: token.clone() }
}

/// The plan that a loss means, by what is unsynced at this moment.
fn plan(fs: &SimFs, loss: Loss) -> CrashPlan {
    let pending = fs.pending();
    let at = usize::from(loss.at);
    let change = pending.get(at % pending.len().max(1));
    match (loss.plan % 12, change) {
        (0 | 1, _) => CrashPlan::DropAll,
        (2, _) => CrashPlan::KeepAll,
        (3, Some(change)) => CrashPlan::DropOne(change.number),
        (4, Some(change)) => CrashPlan::KeepOne(change.number),
        (5 | 6, Some(change)) if change.sectors > 1 => {
            let sectors = 1 + u64::from(loss.at) % (change.sectors - 1);
            CrashPlan::Tear { change: change.number, sectors }
        }
        (7, _) => CrashPlan::NamesOnly,
        (8, _) => CrashPlan::ContentOnly,
        (9, _) => CrashPlan::SizesOnly,
        (10, _) => CrashPlan::BytesOnly,
        (11, _) => CrashPlan::Rot(u64::from(loss.at)),
        _ => CrashPlan::Random(u64::from(loss.at)),
    }
}

/// Dumps a vault after every frame.
#[derive(Default)]
struct Watch(Mutex<Option<Seen>>);

/// The vault, how many frames it had, and what it read as after each.
type Seen = (Vault, u64, Vec<std::result::Result<String, String>>);

impl Watch {
    fn look(&self) {
        let mut seen = self.0.lock().unwrap();
        if let Some((vault, last, frames)) = seen.as_mut() {
            let count = internals::frames(vault);
            if count != *last {
                *last = count;
                frames.push(dump(vault).map(|text| mask(&text)));
            }
        }
    }
}

/// Accounts and regions fit into the arrays of models.
const _: () = assert!(ACCOUNTS.len() == 2 && REGIONS.len() == 2);
