//! An HTTP hook as a rotation function.

use super::call::{CallerCell, START_TIME, event_json, wait_for};
use super::report;
use crate::cli::calls::{CALL_TIME, Deadline};
use crate::cli::transport::Hook;
use crate::env::Env;
use crate::vault::{RotationError, RotationEvent, RotationFunction};

/// The function behind an address.
pub(super) struct HttpFunction {
    pub(super) hook: Box<dyn Hook>,
    /// Its address without the query, which may hold a password.
    pub(super) place: String,
    pub(super) env: Env,
    pub(super) caller: CallerCell,
}

impl RotationFunction for HttpFunction {
    fn invoke(&self, event: &RotationEvent) -> Result<(), RotationError> {
        // The function calls the server back with a key pair of its own.
        let is_stopping = || event.is_stopping();
        wait_for(&self.caller, &Deadline::after(&self.env, &is_stopping, START_TIME))?;
        let deadline = Deadline::after(&self.env, &is_stopping, CALL_TIME);
        let outcome = self.hook.invoke(event_json(event), &|| deadline.left().is_some());
        if outcome.is_err() {
            let how = "the hook failed or did not answer";
            report::failed(self.caller.get().as_deref(), &self.place, event, how, None);
        }
        outcome
    }
}
