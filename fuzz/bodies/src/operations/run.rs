//! Runs a sequence: the vault and the reference models take each step.

use super::compare;
use super::draw::{ACCOUNTS, NAMES};
use super::machine::{Key, Machine, unlock};
use super::recover::{self, Guard, Trouble};
use super::report::Report;
use super::step::{Loss, Step, Who};
use crate::dump::text;
use crate::env::sim::{Fault, OpKind};
use crate::model::{Id, Model, Req, Value};
use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use strongroom::__internals::error::{Error, ErrorKind, Result};
use strongroom::__internals::vault::{Vault, internals};

/// Secrets that the models do not know, by account, region and name.
pub(super) type Strange = BTreeSet<(usize, usize, String)>;
/// `Err` describes the broken rule.
pub(super) type Broken = std::result::Result<(), String>;

/// The effects of a step, in order, as far as the models know them.
#[derive(Clone, Debug)]
pub(super) enum Done {
    /// A request, and whether its answer came.
    Request(Who, Req, bool),
    /// A pass of the pruner.
    Maintain,
}

pub(super) struct Run {
    pub(super) machine: Machine,
    pub(super) key: Key,
    /// The key after `key`, while it is unknown which of the two it is.
    pub(super) next_key: Option<Key>,
    pub(super) vault: Option<Vault>,
    pub(super) models: [Model; 2],
    pub(super) strange: Strange,
    /// Set if something may fail from now on, with the loss to use if the power is cut.
    pub(super) armed: Option<Option<Loss>>,
    /// The disk is full or about to be. Each write in a batch that needs space may then be refused.
    pub(super) is_full: bool,
    /// The number of single requests in the current step.
    pub(super) ordinal: u32,
    /// Those refused for lack of space, one bit each.
    pub(super) refused: u16,
    /// The requests of a step, or writes of its batch, to leave out when the step is repeated.
    pub(super) left_out: u16,
    /// The effects of the current step.
    pub(super) done: Vec<Done>,
    /// An error in the current step after which only a new open shows what happened.
    pub(super) trouble: Trouble,
    /// A vault that was abandoned as by a killed process. Its memory can still be read.
    pub(super) old: Option<Vault>,
    /// A hash of its rows.
    pub(super) rows: Option<u64>,
    /// Whether something was read since the days of access were last compared.
    pub(super) has_read: bool,
    pub(super) report: Report,
    pub(super) serial: u64,
}

impl Run {
    pub(super) fn new(machine: Machine, key: Key, models: [Model; 2], strange: Strange) -> Self {
        Self {
            machine,
            key,
            next_key: None,
            vault: None,
            models,
            strange,
            armed: None,
            is_full: false,
            ordinal: 0,
            refused: 0,
            left_out: 0,
            done: Vec::new(),
            trouble: Trouble::None,
            old: None,
            rows: None,
            has_read: false,
            report: Report::default(),
            serial: 0,
        }
    }

    pub(super) fn vault(&self) -> Vault {
        self.vault.clone().unwrap()
    }

    /// The models' clocks are the machine's wall clock and the vault's age clock.
    pub(super) fn tell_time(&mut self) {
        let (wall, vault) = (self.machine.wall(), self.vault.as_ref());
        let age = vault.and_then(|vault| internals::age_millis(vault).ok());
        for model in &mut self.models {
            model.wall = wall;
            model.age = age.unwrap_or(model.age);
        }
    }

    /// Takes one step and recovers from any error.
    pub(super) fn step(&mut self, step: &Step) -> Broken {
        self.done.clear();
        (self.ordinal, self.refused) = (0, 0);
        self.trouble = Trouble::None;
        self.tell_time();
        let guard = match step {
            Step::Reopen | Step::Kill | Step::Cut(_) => Some(Guard::of(self)),
            _ if self.armed.is_some() => Some(Guard::of(self)),
            _ => None,
        };
        self.act(step)?;
        let is_off = self.machine.sim.fs.is_off();
        if is_off || self.trouble != Trouble::None || self.vault.is_none() {
            let guard = guard.ok_or("something failed where nothing was injected")?;
            self.recover(&guard, step)?;
        }
        Ok(())
    }

    /// Takes one step.
    pub(super) fn act(&mut self, step: &Step) -> Broken {
        let fs = Arc::clone(&self.machine.sim.fs);
        match step {
            Step::Ask(who, ask) => self.ask(*who, ask),
            Step::Together(who, asks) => self.together(*who, asks),
            Step::Late { who, put, token, between } => self.late(*who, put, token, *between),
            Step::Burst(who, name, count) => {
                for number in 0..*count {
                    let value = Some(Value::Text(format!("burst {number}").into_bytes()));
                    let (id, token) = (Id::Name(name.clone()), Some(self.fresh_token()));
                    self.known(*who, &Req::Put { id, token, value, stages: None })?;
                    if self.trouble != Trouble::None {
                        break;
                    }
                }
                Ok(())
            }
            Step::Pass(millis) => {
                let span = Duration::from_millis(u64::try_from(*millis).unwrap_or(0));
                self.machine.sim.clock.advance(span);
                Ok(())
            }
            Step::Jump(hours) => {
                self.machine.sim.clock.jump_wall(hours * 3_600_000);
                Ok(())
            }
            Step::Maintain => self.maintain(),
            Step::Shred => self.shred(),
            Step::ChangeKey => {
                let key = self.machine.another_key(&self.vault());
                let done = self.vault().change_unlock(&unlock(&key));
                match done {
                    Ok(()) => self.key = key,
                    Err(error) => {
                        self.next_key = Some(key);
                        self.trouble = Trouble::Unknown;
                        self.upkeep(Err(error))?;
                    }
                }
                Ok(())
            }
            Step::Credential { revoke } => {
                let vault = self.vault();
                let known = match vault.credentials() {
                    Ok(known) => known,
                    Err(error) => return self.upkeep(Err(error)),
                };
                let done = match known.first() {
                    Some(first) if *revoke || known.len() > 2 => {
                        vault.revoke_credential(&first.access_key_id).map(drop)
                    }
                    _ => vault.new_credential(ACCOUNTS[1]).map(drop),
                };
                self.upkeep(done)
            }
            Step::Reopen => {
                self.let_go()?;
                let closed = self.old.take().unwrap().close();
                self.report.count("clean closes");
                match closed {
                    Err(error) if self.armed.is_none() => {
                        Err(format!("no close: {}", text(&error)))
                    }
                    _ => Ok(()),
                }
            }
            Step::Kill => {
                self.let_go()?;
                self.report.count("kills");
                Ok(())
            }
            Step::Cut(loss) => {
                self.armed = Some(Some(*loss));
                self.let_go()?;
                Ok(())
            }
            Step::CutAt { calls, point, loss } => {
                self.armed = Some(Some(*loss));
                fs.set_crash_at(fs.ops_done() + calls, *point);
                Ok(())
            }
            Step::SyncFails { nth, for_ever, loss } => {
                self.armed = Some(*loss);
                let times = if *for_ever { u64::MAX } else { 1 };
                fs.fail_nth_sync(*nth, times, io::ErrorKind::Other);
                self.report.count("failing syncs");
                Ok(())
            }
            Step::WriteFails { nth, full, reach, loss } => {
                self.armed = Some(*loss);
                self.is_full |= *full;
                let error = if *full { io::ErrorKind::StorageFull } else { io::ErrorKind::Other };
                fs.add_fault(Fault {
                    on: vec![OpKind::Write],
                    path_contains: String::new(),
                    nth: *nth,
                    times: 1,
                    error,
                    reach: *reach,
                });
                self.report.count("failing writes");
                Ok(())
            }
            Step::Full(left) => {
                self.armed = Some(self.armed.flatten());
                fs.set_capacity(None);
                fs.set_capacity(Some(self.used() + left));
                self.is_full = true;
                self.report.count("full disks");
                Ok(())
            }
            Step::Room => {
                fs.set_capacity(None);
                self.is_full = false;
                Ok(())
            }
        }
    }

    /// Keeps the vault for inspection only; it is not used any more.
    pub(super) fn let_go(&mut self) -> Broken {
        let vault = self.vault.take().ok_or("there is no vault")?;
        self.rows = internals::rows_hash(&vault);
        self.old = Some(vault);
        Ok(())
    }

    pub(super) fn maintain(&mut self) -> Broken {
        let done = self.vault().maintain();
        self.done.push(Done::Maintain);
        self.upkeep(done)?;
        if self.trouble == Trouble::None {
            self.models.iter_mut().for_each(|model| _ = model.maintain());
        }
        Ok(())
    }

    /// An epoch switch. It removes some of what is due, which is why the rest is removed as well.
    pub(super) fn shred(&mut self) -> Broken {
        let done = self.vault().shred();
        let is_done = done.is_ok();
        self.done.push(Done::Maintain);
        self.upkeep(done)?;
        if is_done { self.maintain() } else { Ok(()) }
    }

    pub(super) fn used(&self) -> u64 {
        let fs = &self.machine.sim.fs;
        let bytes =
            fs.paths().into_iter().map(|path| fs.read_all(&path).map_or(0, |bytes| bytes.len()));
        bytes.sum::<usize>() as u64
    }

    /// The meaning of an error that is not a refusal.
    pub(super) fn failed(&mut self, error: &Error) -> Broken {
        if self.armed.is_none() {
            return Err(format!("without any injected error: {}", text(error)));
        }
        let met = match error.kind() {
            ErrorKind::OutcomeUnknown => Trouble::Unknown,
            ErrorKind::NoSpace => Trouble::None,
            ErrorKind::Io { .. } | ErrorKind::Poisoned | ErrorKind::StateBroken => Trouble::Failed,
            _ => return Err(format!("no error of a disk: {}", text(error))),
        };
        self.report.count(match met {
            Trouble::Unknown => "unknown outcomes",
            Trouble::Failed => "failed operations",
            Trouble::None => "operations without room",
        });
        self.trouble = self.trouble.max(met);
        Ok(())
    }

    /// The end of something that is no operation of the API: it may fail where something was
    /// injected, and what it did by then shows after opening again.
    pub(super) fn upkeep(&mut self, done: Result<()>) -> Broken {
        let Err(error) = done else { return Ok(()) };
        self.failed(&error)?;
        self.trouble = self.trouble.max(Trouble::Failed);
        Ok(())
    }

    pub(super) fn fresh_token(&mut self) -> String {
        self.serial += 1;
        format!("{}serial-{:0>24}", super::draw::TOKEN, self.serial)
    }

    /// Adds a token, so that the id of a version is known even if its answer is lost.
    pub(super) fn with_token(&mut self, request: &Req) -> Req {
        let mut request = request.clone();
        if let Req::Create { token, .. } | Req::Put { token, .. } | Req::Update { token, .. } =
            &mut request
            && token.is_none()
        {
            *token = Some(self.fresh_token());
        }
        request
    }

    /// Checks everything that must hold between two steps.
    pub(super) fn holds(&mut self) -> Broken {
        self.tell_time();
        let vault = self.vault();
        compare::compare(&vault, &mut self.models, &self.strange)?;
        if !self.strange.is_empty() {
            compare::replicas(&vault)?;
            recover::dump(&vault)?;
        }
        Ok(())
    }

    /// The names that any secret may have here.
    pub(super) fn names() -> impl Iterator<Item = &'static str> {
        NAMES.into_iter()
    }
}
