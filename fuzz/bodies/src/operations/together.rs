//! Several writers: writes that share a batch, and one that is submitted late.

use super::call::{self, scope};
use super::draw::REGIONS;
use super::recover::Trouble;
use super::run::{Broken, Run};
use super::step::{Ask, Between, Who};
use crate::model::{Ans, Id, Req, Value, drive};
use std::sync::{Arc, Mutex};
use strongroom::__internals::error::Result;
use strongroom::__internals::semantics::Answer;
use strongroom::__internals::vault::{Write, internals};

/// The slot for a future answer.
type Slot = Arc<Mutex<Option<Result<Answer>>>>;
/// The callback for an answer.
type Told = Box<dyn FnOnce(Result<Answer>) + Send>;

impl Run {
    /// Writes that share a batch. They are planned in order, and each sees the earlier ones.
    pub(super) fn together(&mut self, who: Who, asks: &[Ask]) -> Broken {
        let mut writes: Vec<(Write, Told)> = Vec::new();
        let mut asked: Vec<(Ask, Slot)> = Vec::new();
        for (at, ask) in asks.iter().enumerate() {
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
            if self.left_out >> at & 1 == 1 {
                continue;
            }
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

    /// The answer of a write in the models' terms.
    pub(super) fn in_words(&self, answer: Result<Answer>) -> Result<Ans> {
        match answer {
            Err(error) if error.fault().is_some() => Ok(drive::refused(&error)),
            other => drive::from_answer(other),
        }
    }

    /// A put that was sealed before something else happened.
    pub(super) fn late(&mut self, who: Who, put: &Req, token: &str, between: Between) -> Broken {
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

    pub(super) fn between(
        &mut self,
        who: Who,
        name: &str,
        token: &str,
        between: Between,
    ) -> Broken {
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
}
