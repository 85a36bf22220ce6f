//! A local command as a rotation function. It gets the event on standard input, and the server's address and
//! a key pair in its environment. It succeeds if it exits with 0. Its standard output is discarded, because
//! it may contain secrets. If it fails, the last line of its standard error is told, without secrets.

use super::call::{CallerCell, START_TIME, event_json, wait_for};
use super::report::{self, Output};
use crate::cli::calls::{self, CALL_TIME, Deadline};
use crate::env::Env;
use crate::vault::{RotationError, RotationEvent, RotationFunction};
use std::path::PathBuf;
use std::process::Stdio;

/// Variables that hold the address of the server. AWS's rotation templates read the last one.
const ENDPOINTS: [&str; 4] = [
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_SECRETS_MANAGER",
    "AWS_ENDPOINT_URL_STS",
    "SECRETS_MANAGER_ENDPOINT",
];

/// The command at a path.
pub(super) struct Command {
    pub(super) path: PathBuf,
    pub(super) env: Env,
    pub(super) caller: CallerCell,
}

impl RotationFunction for Command {
    fn invoke(&self, event: &RotationEvent) -> Result<(), RotationError> {
        let (how, output) = match self.run(event) {
            Ok(()) => return Ok(()),
            Err(Failure { how, output }) => (how, output),
        };
        let function = self.path.display().to_string();
        report::failed(self.caller.get().as_deref(), &function, event, &how, output.as_ref());
        Err(RotationError)
    }
}

/// How a call failed, and what the command said.
struct Failure {
    how: String,
    output: Option<Output>,
}

impl Failure {
    fn new(how: impl Into<String>) -> Self {
        Self { how: how.into(), output: None }
    }
}

impl Command {
    fn run(&self, event: &RotationEvent) -> Result<(), Failure> {
        let is_stopping = || event.is_stopping();
        let deadline = Deadline::after(&self.env, &is_stopping, START_TIME);
        let caller = wait_for(&self.caller, &deadline)
            .map_err(|_| Failure::new("the server does not listen yet"))?;
        let account = &event.scope.account;
        let pair = caller.pair(account).ok_or_else(|| {
            Failure::new(format!(
                "there is no key pair of account {account}: make one with `strongroom credentials \
                 new --account {account}`"
            ))
        })?;
        // EXPOSE: the command signs requests with the pair, and has no other way to get it.
        let secret = std::str::from_utf8(pair.secret_access_key.expose())
            .map_err(|_| Failure::new("the key pair is not text"))?;
        let mut command = calls::command(&self.path);
        command
            .envs(ENDPOINTS.map(|name| (name, &caller.endpoint)))
            .env("AWS_ACCESS_KEY_ID", &pair.access_key_id)
            .env("AWS_SECRET_ACCESS_KEY", secret)
            .env("AWS_REGION", &*event.scope.region)
            .env("AWS_DEFAULT_REGION", &*event.scope.region)
            .stderr(Stdio::piped());
        let mut child = command
            .spawn()
            .map_err(|error| Failure::new(format!("the command cannot be started: {error}")))?;
        drop(command);
        let output = child.stderr.take().map(Output::read);
        let deadline = Deadline::after(&self.env, &is_stopping, CALL_TIME);
        calls::attend(&mut child, &event_json(event), &deadline)
            .map_err(|how| Failure { how, output })
    }
}
