//! The threads that rotate, and what one of them does with one secret.

use super::random;
use crate::error::{ErrorKind, Result};
use crate::model::api::{
    AdvanceRotation, GetSecretValue, Mutation, PutSecretValue, RotationCall, RotationReport,
    RotationTurn,
};
use crate::model::{RecordId, Stage, VersionId};
use crate::semantics::Answer;
use crate::vault::rotation_functions::{Function, RotationError, RotationEvent};
use crate::vault::worker::{Worker, bell};
use crate::vault::{Inner, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

/// Rotations at once.
const THREADS: usize = 4;
/// How often the agenda is looked at when nobody calls.
const TICK: Duration = Duration::from_millis(500);
/// How long a secret rests whose turn could not be taken: a full disk, a label too many.
const PAUSE_MILLIS: i64 = 60 * 1000;

/// The threads that rotate; none where no function is configured.
pub(in crate::vault) struct Engine(Vec<Worker>);

impl Engine {
    /// Starts the threads.
    pub(in crate::vault) fn spawn(inner: &Arc<Inner>) -> Result<Self> {
        let agenda = &inner.shared.agenda;
        if agenda.is_idle() {
            return Ok(Self(Vec::new()));
        }
        let bells: Vec<_> = (0..THREADS).map(|_| bell()).collect();
        agenda.ring_at(bells.iter().map(|(call, _)| call.clone()).collect());
        let workers = bells.into_iter().map(|bell| {
            Worker::spawn("strongroom-rotation", inner, bell, TICK, |inner| {
                // Nobody is there to be told: what failed is met again later.
                let _ = inner.rotate_due();
            })
        });
        workers.collect::<Result<_>>().map(Self)
    }

    /// Asks the threads, and the functions that they wait for, to stop.
    pub(in crate::vault) fn tell_to_stop(&self, inner: &Inner) {
        inner.shared.agenda.stop();
        self.0.iter().for_each(Worker::tell_to_stop);
    }

    /// Stops the threads, and waits for that.
    pub(in crate::vault) fn stop(&self, inner: &Inner) {
        self.tell_to_stop(inner);
        self.0.iter().for_each(Worker::stop);
    }
}

impl Inner {
    /// Does all that is due now, one after the other.
    pub(in crate::vault) fn rotate_due(&self) -> Result<()> {
        let agenda = &self.shared.agenda;
        let mut outcome = Ok(());
        loop {
            let now = self.shared.env.clock.wall();
            if self.shared.is_stopping() {
                return Err(ErrorKind::Closed.into());
            }
            let Some(id) = agenda.take(now) else { return outcome };
            // A panic of a function is that call's failure; one of ours must not keep it busy.
            let turned = catch_unwind(AssertUnwindSafe(|| self.rotate(id)));
            match turned.unwrap_or_else(|_| Err(ErrorKind::OutcomeUnknown.into())) {
                Ok(turn) => agenda.leave(id, turn.due),
                Err(error) => {
                    agenda.leave(id, Some(now.plus(PAUSE_MILLIS)));
                    outcome = Err(error);
                }
            }
        }
    }

    /// Takes one secret's rotation as far as it goes.
    fn rotate(&self, id: RecordId) -> Result<RotationTurn> {
        let mut report = None;
        loop {
            let request = AdvanceRotation { id, fresh_token: self.fresh_version_id()?, report };
            let answer = self.internal(Mutation::AdvanceRotation(request))?;
            let Answer::Rotation(turn) = answer else {
                return Err(ErrorKind::OutcomeUnknown.into());
            };
            let Some(call) = turn.call else { return Ok(turn) };
            let succeeded = self.call(&call)?;
            // What came of a call that was broken off is not known: it is made again.
            self.go_on()?;
            report = Some(RotationReport { token: call.token, step: call.step, succeeded });
        }
    }

    fn call(&self, call: &RotationCall) -> Result<bool> {
        if call.wants_copy && !self.copy_current(call)? {
            return Ok(false);
        }
        let function = self.shared.agenda.function(&call.function);
        Ok(match function {
            None => false,
            Some(Function::Random(chars)) => random::step(self, call, chars)?,
            Some(Function::Given(function)) => {
                let event = RotationEvent {
                    step: call.step,
                    secret_id: call.arn.clone(),
                    client_request_token: call.token.as_str().to_owned(),
                    rotation_token: self.fresh_version_id()?.as_str().to_owned(),
                    scope: call.scope.clone(),
                    stopping: Arc::clone(&self.shared.agenda.stopping),
                };
                let outcome = catch_unwind(AssertUnwindSafe(|| function.invoke(&event)));
                outcome.unwrap_or(Err(RotationError)).is_ok()
            }
        })
    }

    /// Gives the version of a test the current value. `false`: there is none any more.
    fn copy_current(&self, call: &RotationCall) -> Result<bool> {
        let current = GetSecretValue::new(call.arn.as_str());
        let opened = match self.open_value(&call.scope, &current) {
            Ok(opened) => opened,
            Err(error) if error.fault().is_some() => return Ok(false),
            Err(error) => return Err(error),
        };
        self.put_pending(call, opened.output.value).map(|()| true)
    }

    /// Fills the version of a rotation.
    pub(super) fn put_pending(
        &self,
        call: &RotationCall,
        value: crate::secret::SecretValue,
    ) -> Result<()> {
        let mut request = PutSecretValue::new(call.arn.as_str(), value);
        request.client_request_token = Some(call.token.as_str().to_owned());
        request.version_stages = Some(vec![Stage::PENDING.to_owned()]);
        self.write(&call.scope, Write::PutSecretValue(request)).map(drop)
    }

    fn fresh_version_id(&self) -> Result<VersionId> {
        let random = self.shared.env.random::<16>();
        let random = random.map_err(|error| crate::error::Error::io("random bytes", error))?;
        Ok(VersionId::from_random(random))
    }
}
