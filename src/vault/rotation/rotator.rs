//! Rotates secrets, one step after the other.

use super::random;
use crate::env::threads::sync::Arc;
use crate::error::{Error, ErrorKind, Result};
use crate::model::api::{
    AdvanceRotation, GetSecretValue, PutSecretValue, RotationCall, RotationReport, RotationTurn,
    Write,
};
use crate::model::{RecordId, Stage, VersionId};
use crate::secret::SecretValue;
use crate::semantics::{Answer, Upkeep};
use crate::vault::inner::Inner;
use crate::vault::rotation_functions::{Function, RotationError, RotationEvent};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// How long a rotation pauses after an error: a full disk, a label too many.
const PAUSE_MILLIS: i64 = 60 * 1000;

/// Rotates the secrets of one open vault.
pub(crate) struct Rotator {
    pub(super) inner: Arc<Inner>,
}

impl Rotator {
    pub(crate) fn new(inner: Arc<Inner>) -> Self {
        Self { inner }
    }

    /// Rotates everything that is due now, one secret after the other.
    pub(crate) fn rotate_due(&self) -> Result<()> {
        let shared = &self.inner.shared;
        let schedule = &shared.rotation_schedule;
        let mut outcome = Ok(());
        loop {
            let now = shared.env.clock.wall();
            shared.fail_if_stopping()?;
            let Some(id) = schedule.take(now) else { return outcome };
            // A panic of a function is caught where it is called. One of ours must not leave the secret busy.
            let turned = catch_unwind(AssertUnwindSafe(|| self.rotate(id)));
            match turned.unwrap_or_else(|_| Err(ErrorKind::OutcomeUnknown.into())) {
                Ok(turn) => schedule.put_back(id, turn.due),
                Err(error) => {
                    schedule.put_back(id, Some(now.plus(PAUSE_MILLIS)));
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
            let answer = self.inner.commit(Upkeep::AdvanceRotation(request))?;
            let Answer::Rotation(turn) = answer else {
                return Err(ErrorKind::OutcomeUnknown.into());
            };
            let Some(call) = turn.call else { return Ok(turn) };
            let succeeded = self.call(&call)?;
            // The outcome of a call that was broken off is unknown. It is made again.
            self.inner.shared.fail_if_stopping()?;
            report = Some(RotationReport { token: call.token, step: call.step, succeeded });
        }
    }

    /// Calls the function for one step. `false`: the step failed.
    fn call(&self, call: &RotationCall) -> Result<bool> {
        if call.wants_copy && !self.copy_current(call)? {
            return Ok(false);
        }
        let schedule = &self.inner.shared.rotation_schedule;
        Ok(match schedule.function(&call.function) {
            None => false,
            Some(Function::Random(chars)) => random::step(self, call, chars)?,
            Some(Function::Given(function)) => {
                let event = RotationEvent {
                    step: call.step,
                    secret_id: call.arn.clone(),
                    client_request_token: call.token.as_str().to_owned(),
                    rotation_token: self.fresh_version_id()?.as_str().to_owned(),
                    scope: call.scope.clone(),
                    stopping: schedule.stopping(),
                };
                let outcome = catch_unwind(AssertUnwindSafe(|| function.invoke(&event)));
                outcome.unwrap_or(Err(RotationError)).is_ok()
            }
        })
    }

    /// Copies the current value to the version of a test. `false`: there is no current value any more.
    fn copy_current(&self, call: &RotationCall) -> Result<bool> {
        let current = GetSecretValue::new(call.arn.as_str());
        let opened = match self.inner.open_value(&call.scope, &current) {
            Ok(opened) => opened,
            Err(error) if error.fault().is_some() => return Ok(false),
            Err(error) => return Err(error),
        };
        self.put_pending(call, opened.output.value).map(|()| true)
    }

    /// Writes the value of the version that is being rotated to.
    pub(super) fn put_pending(&self, call: &RotationCall, value: SecretValue) -> Result<()> {
        let mut request = PutSecretValue::new(call.arn.as_str(), value);
        request.client_request_token = Some(call.token.as_str().to_owned());
        request.version_stages = Some(vec![Stage::PENDING.to_owned()]);
        self.inner.write(&call.scope, Write::PutSecretValue(request)).map(drop)
    }

    fn fresh_version_id(&self) -> Result<VersionId> {
        let random = self.inner.shared.env.random::<16>();
        let random = random.map_err(Error::no_entropy)?;
        Ok(VersionId::from_random(random))
    }
}
