//! A sequence as it is run: each step taken by the vault and by the reference models.

use super::call::{self, scope};
use super::compare;
use super::draw::{ACCOUNTS, NAMES, REGIONS};
use super::machine::{Key, Machine, unlock};
use super::recover::{self, Guard, Trouble};
use super::report::Report;
use super::step::{Ask, Between, Call, Loss, Step, Who, known};
use crate::env::sim::{Fault, OpKind};
use crate::error::{Error, ErrorKind, Result};
use crate::fuzzing::dump::text;
use crate::fuzzing::model::{Ans, Chosen, Id, Model, Req, Value, drive};
use crate::model::api;
use crate::vault::{Vault, Write, internals};
use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Secrets, by account, region and name, that the models know nothing of.
pub(super) type Strange = BTreeSet<(usize, usize, String)>;
/// What is wrong.
pub(super) type Broken = std::result::Result<(), String>;

/// What a step did, in order, as far as the models know it.
#[derive(Clone, Debug)]
pub(super) enum Done {
    /// A request; whether its answer came.
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
    /// Something may fail from here on; the loss is for when the power goes.
    pub(super) armed: Option<Option<Loss>>,
    /// What the step under way did.
    pub(super) done: Vec<Done>,
    /// The step under way met an error after which only opening again tells what happened.
    pub(super) trouble: Trouble,
    /// A vault that was let go of, as a killed process lets go of it: its memory can still be read.
    pub(super) old: Option<Vault>,
    /// What its rows were.
    pub(super) rows: Option<u64>,
    /// Something was read since days of access were last looked at.
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

    /// Takes one step, and comes back from whatever it met.
    pub(super) fn step(&mut self, step: &Step) -> Broken {
        self.done.clear();
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
                if closed.is_err() && self.armed.is_none() {
                    return Err(format!("no close: {}", text(&closed.unwrap_err())));
                }
                Ok(())
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
                self.report.count("full disks");
                Ok(())
            }
            Step::Room => {
                fs.set_capacity(None);
                Ok(())
            }
        }
    }

    /// The vault is there to be looked at, and nobody uses it from here on.
    pub(super) fn let_go(&mut self) -> Broken {
        let vault = self.vault.take().ok_or("there is no vault")?;
        self.rows = internals::rows_hash(&vault);
        self.old = Some(vault);
        Ok(())
    }

    fn maintain(&mut self) -> Broken {
        let done = self.vault().maintain();
        self.done.push(Done::Maintain);
        self.upkeep(done)?;
        if self.trouble == Trouble::None {
            self.models.iter_mut().for_each(|model| _ = model.maintain());
        }
        Ok(())
    }

    /// An epoch switch. It removes some of what is due, which is why the rest is removed as well.
    fn shred(&mut self) -> Broken {
        let done = self.vault().shred();
        let is_done = done.is_ok();
        self.done.push(Done::Maintain);
        self.upkeep(done)?;
        if is_done { self.maintain() } else { Ok(()) }
    }

    fn used(&self) -> u64 {
        let fs = &self.machine.sim.fs;
        let bytes =
            fs.paths().into_iter().map(|path| fs.read_all(&path).map_or(0, |bytes| bytes.len()));
        bytes.sum::<usize>() as u64
    }

    /// What an error means that is no refusal.
    fn failed(&mut self, error: &Error) -> Broken {
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
    fn upkeep(&mut self, done: Result<()>) -> Broken {
        let Err(error) = done else { return Ok(()) };
        self.failed(&error)?;
        self.trouble = self.trouble.max(Trouble::Failed);
        Ok(())
    }

    fn fresh_token(&mut self) -> String {
        self.serial += 1;
        format!("{}serial-{:0>24}", super::draw::TOKEN, self.serial)
    }

    /// So that a version whose answer is lost has an id all the same.
    fn with_token(&mut self, request: &Req) -> Req {
        let mut request = request.clone();
        if let Req::Create { token, .. } | Req::Put { token, .. } | Req::Update { token, .. } =
            &mut request
            && token.is_none()
        {
            *token = Some(self.fresh_token());
        }
        request
    }

    pub(super) fn is_strange(&self, who: Who, name: &str) -> bool {
        self.strange.contains(&(who.account, who.region, name.to_owned()))
    }

    /// A secret that is gone is no stranger to the models any more.
    fn reconsider(&mut self, who: Who, name: &str) {
        if !self.is_strange(who, name) {
            return;
        }
        let request = api::SecretIdOnly::new(name);
        let answer = self.vault().describe_secret(&scope(who), &request);
        if answer.is_err_and(|error| error.is_not_found()) {
            self.strange.remove(&(who.account, who.region, name.to_owned()));
        }
    }

    fn ask(&mut self, who: Who, ask: &Ask) -> Broken {
        match ask {
            Ask::Known(request) if self.armed.is_some() => {
                let request = self.with_token(request);
                self.known(who, &request)
            }
            Ask::Known(request) => self.known(who, request),
            Ask::Other(call) => self.other(who, call),
        }
    }

    /// An operation that the models answer, too.
    fn known(&mut self, who: Who, request: &Req) -> Broken {
        if let Req::Create { name, .. } = request {
            self.reconsider(who, name);
        }
        let request = &self.without_strange(who, request);
        let (vault, region) = (self.vault(), REGIONS[who.region]);
        self.has_read |= matches!(request, Req::Get { .. } | Req::Batch { .. });
        let seen = drive::run(&vault, &self.models[who.account], region, request);
        self.judge(who, request, seen)?;
        let changed = match request {
            Req::Create { name, .. } => Id::Name(name.clone()),
            Req::Put { id, .. } | Req::Update { id, .. } | Req::Stage { id, .. } => id.clone(),
            Req::Delete { id, .. } | Req::Restore { id } => id.clone(),
            Req::Tag { id, .. } | Req::Untag { id, .. } => id.clone(),
            _ => return Ok(()),
        };
        if self.trouble != Trouble::None || self.machine.sim.fs.is_off() {
            return Ok(());
        }
        // What it did shows at once.
        let request = Req::Describe { id: changed };
        let seen = drive::run(&vault, &self.models[who.account], region, &request);
        self.compare(who, &request, &seen.map_err(|error| text(&error))?)
    }

    /// Batches are asked about secrets that the models know.
    fn without_strange(&self, who: Who, request: &Req) -> Req {
        let mut request = request.clone();
        if let Req::Batch { ids } = &mut request
            && ids.len() <= 20
        {
            ids.retain(|id| !self.is_strange(who, id.name()));
            ids.dedup_by(|a, b| a.name() == b.name());
            if ids.is_empty() {
                ids.push(Id::Name("nobody".into()));
            }
        }
        request
    }

    /// The answer of a known operation, or that there was none.
    fn judge(&mut self, who: Who, request: &Req, seen: Result<Ans>) -> Broken {
        match seen {
            Ok(seen) => {
                let is_ok = !matches!(seen, Ans::Refused { .. });
                self.report.answered(known(request), is_ok);
                // After an unknown outcome nobody knows what this one had to see.
                let is_known = self.trouble == Trouble::None;
                if is_known {
                    self.compare(who, request, &seen)?;
                }
                self.done.push(Done::Request(who, request.clone(), is_ok && is_known));
                Ok(())
            }
            Err(error) => {
                self.failed(&error)?;
                self.done.push(Done::Request(who, request.clone(), false));
                Ok(())
            }
        }
    }

    fn compare(&mut self, who: Who, request: &Req, seen: &Ans) -> Broken {
        let about = match request {
            Req::Create { name, .. } => Some(name.as_str()),
            Req::List { .. } | Req::Batch { .. } => None,
            Req::Put { id, .. }
            | Req::Update { id, .. }
            | Req::Stage { id, .. }
            | Req::Delete { id, .. }
            | Req::Restore { id }
            | Req::Tag { id, .. }
            | Req::Untag { id, .. }
            | Req::Get { id, .. }
            | Req::Describe { id }
            | Req::Versions { id, .. }
            | Req::Policy { id }
            | Req::PutPolicy { id, .. }
            | Req::DeletePolicy { id } => Some(id.name()),
        };
        if about.is_some_and(|name| self.is_strange(who, name)) {
            return Ok(());
        }
        let seen = compare::without_strange(seen.clone(), who, &self.strange);
        let (region, model) = (REGIONS[who.region], &mut self.models[who.account]);
        let (_, expected) = model.apply(region, request, &drive::chosen(&seen));
        if expected.met_by(&seen) {
            return Ok(());
        }
        Err(compare::differs(who, request, &expected, &seen))
    }

    /// The models know nothing of these secrets any more.
    fn estrange(&mut self, whose: &[Who], name: &str) {
        for who in whose {
            self.strange.insert((who.account, who.region, name.to_owned()));
            self.models[who.account].forget(REGIONS[who.region], name);
        }
    }

    /// An operation that no model knows.
    fn other(&mut self, who: Who, call: &Call) -> Broken {
        let operation = Ask::Other(call.clone()).operation();
        let vault = self.vault();
        let Some(write) = call::to_write(&self.models, who, call) else {
            match call::read(&vault, &self.models, who, call) {
                Ok(Some(wrong)) => return Err(format!("{call:?}: {wrong}")),
                Ok(None) => self.report.answered(operation, true),
                Err(error) if error.fault().is_some() => self.report.answered(operation, false),
                Err(error) => self.failed(&error)?,
            }
            if let Call::GetOfOther { name } = call {
                self.has_read = true;
                self.note_read_by_other(who, name)?;
            }
            return Ok(());
        };
        let done = self.submit(who, write);
        self.settle(who, call, &done)
    }

    /// A write as a client hands it in, with a token if it needs one.
    fn submit(&mut self, who: Who, mut write: Write) -> Result<crate::semantics::Answer> {
        self.fill_token(&mut write);
        let answer = Arc::new(Mutex::new(None));
        let slot = Arc::clone(&answer);
        self.vault().submit(
            &scope(who),
            write,
            Box::new(move |answer| *slot.lock().unwrap() = Some(answer)),
        );
        let answer = answer.lock().unwrap().take();
        answer.expect("a vault without threads answers at once")
    }

    fn fill_token(&mut self, write: &mut Write) {
        let token = match write {
            Write::CreateSecret(request) => &mut request.client_request_token,
            Write::PutSecretValue(request) => &mut request.client_request_token,
            Write::UpdateSecret(request) => &mut request.client_request_token,
            Write::RotateSecret(request) => &mut request.client_request_token,
            _ => return,
        };
        if token.is_none() {
            self.serial += 1;
            *token = Some(format!("{}serial-{:0>24}", super::draw::TOKEN, self.serial));
        }
    }

    /// What becomes of the models after a call that they do not know.
    fn settle<T>(&mut self, who: Who, call: &Call, done: &Result<T>) -> Broken {
        let operation = Ask::Other(call.clone()).operation();
        match done {
            Err(error) if error.fault().is_some() => {
                self.report.answered(operation, false);
                return Ok(());
            }
            Err(error) => self.failed(error)?,
            Ok(_) => self.report.answered(operation, true),
        }
        if let Some(name) = call::name_of(call) {
            self.estrange(&call::touched(who, call), name);
            if done.is_ok() && self.trouble == Trouble::None {
                self.learn_ends(name);
            }
        }
        Ok(())
    }

    /// The ends of the ARNs of secrets that the models did not see made.
    pub(super) fn learn_ends(&mut self, name: &str) {
        let Some(vault) = self.vault.clone() else { return };
        for who in compare::everyone() {
            if !self.is_strange(who, name) {
                continue;
            }
            let request = api::SecretIdOnly::new(name);
            if let Ok(secret) = vault.describe_secret(&scope(who), &request) {
                let end = &secret.arn[secret.arn.len() - 6..];
                self.models[who.account].note_end(REGIONS[who.region], name, end);
            }
        }
    }

    /// A read by the other account is a read.
    fn note_read_by_other(&mut self, who: Who, name: &str) -> Broken {
        let owner = Who { account: 1 - who.account, ..who };
        if self.is_strange(owner, name) || self.trouble != Trouble::None {
            return Ok(());
        }
        let request = api::SecretIdOnly::new(name);
        let Ok(seen) = self.vault().describe_secret(&scope(owner), &request) else { return Ok(()) };
        let (region, model) = (REGIONS[owner.region], &mut self.models[owner.account]);
        let id = Id::Name(name.to_owned());
        let (_, before) =
            model.apply(region, &Req::Describe { id: id.clone() }, &Chosen::default());
        let seen = seen.last_accessed_date.map(|day| day.0);
        if let Ans::Described(before) = before
            && before.accessed != seen
        {
            model.apply(region, &Req::Get { id, version: None, stage: None }, &Chosen::default());
        }
        Ok(())
    }

    /// Writes that share a batch: planned in their order, each seeing those before it.
    fn together(&mut self, who: Who, asks: &[Ask]) -> Broken {
        type Slot = Arc<Mutex<Option<Result<crate::semantics::Answer>>>>;
        let mut writes: Vec<(Write, Box<dyn FnOnce(_) + Send>)> = Vec::new();
        let mut asked: Vec<(Ask, Slot)> = Vec::new();
        for ask in asks {
            let (ask, write) = match ask {
                Ask::Known(request) => {
                    let request = self.with_token(request);
                    if let Req::Create { name, .. } = &request {
                        self.reconsider(who, name);
                    }
                    let (model, region) = (&self.models[who.account], REGIONS[who.region]);
                    (Ask::Known(request.clone()), drive::to_write(model, region, &request))
                }
                Ask::Other(call) => (ask.clone(), call::to_write(&self.models, who, call)),
            };
            let Some(mut write) = write else { continue };
            self.fill_token(&mut write);
            let slot = Slot::default();
            asked.push((ask, Arc::clone(&slot)));
            writes.push((write, Box::new(move |answer| *slot.lock().unwrap() = Some(answer))));
        }
        self.report.count("batches of several writers");
        internals::submit_together(&self.vault(), &scope(who), writes);
        for (ask, slot) in asked {
            let answer = slot.lock().unwrap().take();
            let answer = answer.ok_or("a write without an answer")?;
            match &ask {
                Ask::Known(request) => {
                    let seen = self.in_words(answer);
                    self.judge(who, request, seen)?;
                }
                Ask::Other(call) => self.settle(who, call, &answer)?,
            }
        }
        Ok(())
    }

    /// The answer of a write in the models' words.
    fn in_words(&self, answer: Result<crate::semantics::Answer>) -> Result<Ans> {
        match answer {
            Err(error) if error.fault().is_some() => Ok(drive::refused(&error)),
            other => drive::from_answer(other),
        }
    }

    /// A put that was sealed before something else happened.
    fn late(&mut self, who: Who, put: &Req, token: &str, between: Between) -> Broken {
        let (vault, scope, region) = (self.vault(), scope(who), REGIONS[who.region]);
        let Req::Put { id, .. } = put else { return Ok(()) };
        self.reconsider(who, id.name());
        let write = drive::to_write(&self.models[who.account], region, put).unwrap();
        let mut broken = Ok(());
        let late = internals::hand_in_late(&vault, &scope, write, || {
            broken = self.between(who, id.name(), token, between);
        });
        broken?;
        self.report.count("writes handed in late");
        let seen = self.in_words(late);
        self.judge(who, put, seen)
    }

    fn between(&mut self, who: Who, name: &str, token: &str, between: Between) -> Broken {
        let id = Id::Name(name.to_owned());
        if between != Between::Shred {
            self.known(who, &Req::Delete { id, window: None, force: Some(true) })?;
            let create = Req::Create {
                name: name.to_owned(),
                token: Some(token.to_owned()),
                value: Some(Value::Text(b"anew".to_vec())),
                description: None,
                kms: None,
                tags: None,
            };
            if self.trouble == Trouble::None {
                self.known(who, &create)?;
            }
        }
        if between != Between::MadeAnew && self.trouble == Trouble::None {
            self.shred()?;
        }
        Ok(())
    }

    /// Everything that holds between two steps.
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
