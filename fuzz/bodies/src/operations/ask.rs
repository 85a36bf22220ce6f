//! Sends one operation to the vault, and to the models if they know it.

use super::call::{self, scope};
use super::compare;
use super::draw::REGIONS;
use super::recover::Trouble;
use super::run::{Broken, Done, Run};
use super::step::{Ask, Call, Who, known};
use crate::dump::text;
use crate::model::{Ans, Chosen, Id, Req, drive};
use std::sync::{Arc, Mutex};
use strongroom::__internals::error::{Error, ErrorKind, Result};
use strongroom::__internals::model::{VersionId, api};
use strongroom::__internals::semantics::FaultKind;
use strongroom::__internals::vault::Write;

impl Run {
    pub(super) fn is_strange(&self, who: Who, name: &str) -> bool {
        self.strange.contains(&(who.account, who.region, name.to_owned()))
    }

    /// A removed secret no longer counts as unknown to the models.
    pub(super) fn reconsider(&mut self, who: Who, name: &str) {
        if !self.is_strange(who, name) {
            return;
        }
        let request = api::DescribeSecret::new(name);
        let answer = self.vault().in_scope(scope(who)).describe_secret(request.clone());
        let not_found = |error: Error| {
            error.fault().is_some_and(|fault| fault.kind == FaultKind::ResourceNotFound)
        };
        if answer.is_err_and(not_found) {
            self.strange.remove(&(who.account, who.region, name.to_owned()));
        }
    }

    pub(super) fn ask(&mut self, who: Who, ask: &Ask) -> Broken {
        match ask {
            Ask::Known(request) if self.armed.is_some() => {
                let request = self.with_token(request);
                self.known(who, &request)
            }
            Ask::Known(request) => self.known(who, request),
            Ask::Other(call) => self.other(who, call),
        }
    }

    /// An operation that the models also answer.
    pub(super) fn known(&mut self, who: Who, request: &Req) -> Broken {
        let bit = 1_u16.checked_shl(self.ordinal).unwrap_or(0);
        self.ordinal += 1;
        if self.left_out & bit != 0 {
            return Ok(());
        }
        if let Req::Create { name, .. } = request {
            self.reconsider(who, name);
        }
        let request = &self.without_strange(who, request);
        let (vault, region) = (self.vault(), REGIONS[who.region]);
        self.has_read |= matches!(request, Req::Get { .. } | Req::Batch { .. });
        let seen = drive::run(&vault, &self.models[who.account], region, request);
        if seen.as_ref().is_err_and(|error| *error.kind() == ErrorKind::NoSpace) {
            self.refused |= bit;
        }
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
        // Its effect is visible immediately.
        let request = Req::Describe { id: changed };
        let seen = drive::run(&vault, &self.models[who.account], region, &request);
        self.compare(who, &request, &seen.map_err(|error| text(&error))?)
    }

    /// Limits batches to secrets that the models know.
    pub(super) fn without_strange(&self, who: Who, request: &Req) -> Req {
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

    /// The answer of a known operation, if there was one.
    pub(super) fn judge(&mut self, who: Who, request: &Req, seen: Result<Ans>) -> Broken {
        match seen {
            Ok(seen) => {
                let is_ok = !matches!(seen, Ans::Refused { .. });
                self.report.answered(known(request), is_ok);
                // After an unknown outcome, the expected answer of this operation is unknown, too.
                let is_known = self.trouble == Trouble::None;
                if is_known {
                    self.compare(who, request, &seen)?;
                }
                self.done.push(Done::Request(who, request.clone(), is_ok && is_known));
                Ok(())
            }
            Err(error) => {
                self.failed(&error)?;
                // An operation that was refused for lack of space had no effect.
                if *error.kind() != ErrorKind::NoSpace {
                    self.done.push(Done::Request(who, request.clone(), false));
                }
                Ok(())
            }
        }
    }

    pub(super) fn compare(&mut self, who: Who, request: &Req, seen: &Ans) -> Broken {
        if request.secret().is_some_and(|name| self.is_strange(who, name)) {
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

    /// Makes the models forget these secrets.
    pub(super) fn estrange(&mut self, whose: &[Who], name: &str) {
        for who in whose {
            self.strange.insert((who.account, who.region, name.to_owned()));
            self.models[who.account].forget(REGIONS[who.region], name);
        }
    }

    /// An operation that no model knows.
    pub(super) fn other(&mut self, who: Who, call: &Call) -> Broken {
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
        let before = self.labels_of_promoted(who, call);
        let done = self.submit(who, write);
        if done.is_ok() && before != self.labels_of_promoted(who, call) {
            return Err(format!("{call:?}: had the labels {before:?}"));
        }
        self.settle(who, call, &done)
    }

    /// The labels of a replica that a call turns into a standalone secret. They must not change.
    fn labels_of_promoted(&self, who: Who, call: &Call) -> Option<Vec<(VersionId, Vec<String>)>> {
        let Call::StopReplication { id } = call else { return None };
        let id = self.models[who.account].text_of(REGIONS[who.region], id);
        let shown =
            self.vault().in_scope(scope(who)).describe_secret(api::DescribeSecret::new(id)).ok()?;
        let mut labels = shown.versions_to_stages;
        labels.sort();
        Some(labels)
    }

    /// A write as a client submits it, with a token if it needs one.
    pub(super) fn submit(
        &mut self,
        who: Who,
        mut write: Write,
    ) -> Result<strongroom::__internals::semantics::Answer> {
        self.fill_token(&mut write);
        let answer = Arc::new(Mutex::new(None));
        let slot = Arc::clone(&answer);
        self.vault()
            .in_scope(scope(who))
            .submit_write(write, move |answer| *slot.lock().unwrap() = Some(answer));
        let answer = answer.lock().unwrap().take();
        answer.expect("a vault without threads answers at once")
    }

    pub(super) fn fill_token(&mut self, write: &mut Write) {
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

    /// Updates the models after a call that they do not know.
    pub(super) fn settle<T>(&mut self, who: Who, call: &Call, done: &Result<T>) -> Broken {
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

    /// Records the ARN suffixes of secrets that were not created through the models.
    pub(super) fn learn_ends(&mut self, name: &str) {
        let Some(vault) = self.vault.clone() else { return };
        for who in compare::everyone() {
            if !self.is_strange(who, name) {
                continue;
            }
            let request = api::DescribeSecret::new(name);
            if let Ok(secret) = vault.in_scope(scope(who)).describe_secret(request.clone()) {
                let end = &secret.arn[secret.arn.len() - 6..];
                self.models[who.account].note_end(REGIONS[who.region], name, end);
            }
        }
    }

    /// A read by the other account also counts as a read.
    pub(super) fn note_read_by_other(&mut self, who: Who, name: &str) -> Broken {
        let owner = Who { account: 1 - who.account, ..who };
        if self.is_strange(owner, name) || self.trouble != Trouble::None {
            return Ok(());
        }
        let request = api::DescribeSecret::new(name);
        let Ok(seen) = self.vault().in_scope(scope(owner)).describe_secret(request) else {
            return Ok(());
        };
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
}
