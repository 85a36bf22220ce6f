//! A local command as a rotation function. It gets the event on standard input, and the server's address and
//! a key pair in its environment. It succeeds if it exits with 0. Its standard output is discarded, because
//! it may contain secrets. If it fails, the last line of its standard error is told, without secrets.

use super::call::{CALL_TIME, CallerCell, Deadline, LOOK, START_TIME, event_json, wait_for};
use super::report::{self, Output};
use crate::env::Env;
use crate::vault::{RotationError, RotationEvent, RotationFunction};
use rustix::process::{Pid, Signal, kill_process_group};
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{self, Child, Stdio};
use std::thread;

/// Variables that a command may need to run at all. The rest is not passed on: the environment of a server
/// may name its keys.
const PASSED_ON: [&str; 8] =
    ["PATH", "HOME", "USER", "LANG", "LC_ALL", "TZ", "TMPDIR", "LD_LIBRARY_PATH"];

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
        let caller = wait_for(&self.caller, &Deadline::after(&self.env, event, START_TIME))
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
        let mut command = process::Command::new(&self.path);
        command
            .env_clear()
            .envs(PASSED_ON.iter().filter_map(|name| Some((name, std::env::var_os(name)?))))
            .envs(ENDPOINTS.map(|name| (name, &caller.endpoint)))
            .env("AWS_ACCESS_KEY_ID", &pair.access_key_id)
            .env("AWS_SECRET_ACCESS_KEY", secret)
            .env("AWS_REGION", &*event.scope.region)
            .env("AWS_DEFAULT_REGION", &*event.scope.region)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            // Ctrl-C in the terminal then reaches only the server, and the command can be ended with
            // all processes that it started.
            .process_group(0);
        let mut child = command
            .spawn()
            .map_err(|error| Failure::new(format!("the command cannot be started: {error}")))?;
        drop(command);
        let output = child.stderr.take().map(Output::read);
        let outcome = self.attend(&mut child, event);
        if outcome.is_err() {
            end(&mut child);
        }
        outcome.map_err(|how| Failure { how, output })
    }

    fn attend(&self, child: &mut Child, event: &RotationEvent) -> Result<(), String> {
        let deadline = Deadline::after(&self.env, event, CALL_TIME);
        if let Some(mut stdin) = child.stdin.take() {
            // The event fits into a pipe. A command may succeed without reading it.
            let _ = stdin.write_all(&event_json(event));
        }
        loop {
            match child.try_wait() {
                Ok(Some(status)) if status.success() => return Ok(()),
                Ok(None) => match deadline.left() {
                    Ok(left) => thread::sleep(left.min(LOOK)),
                    Err(_) => {
                        return Err(format!("no end within {} seconds", CALL_TIME.as_secs()));
                    }
                },
                // "exit status: 1", "signal: 9 (SIGKILL)"
                Ok(Some(status)) => return Err(status.to_string()),
                Err(error) => return Err(format!("the command was lost: {error}")),
            }
        }
    }
}

/// Ends a command and all processes that it started.
fn end(child: &mut Child) {
    if let Ok(None) = child.try_wait() {
        // Its id cannot be reused before it is waited for.
        let _ = kill_process_group(Pid::from_child(child), Signal::KILL);
        let _ = child.wait();
    }
}
