//! A local command as a rotation function. It gets the event on standard input, and the server's address and
//! a key pair in its environment. It succeeds if it exits with 0. Its output is discarded, because it may
//! contain secrets.

use super::call::{CALL_TIME, CallerCell, Deadline, LOOK, START_TIME, event_json, wait_for};
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

/// The command at a path.
pub(super) struct Command {
    pub(super) path: PathBuf,
    pub(super) env: Env,
    pub(super) caller: CallerCell,
}

impl RotationFunction for Command {
    fn invoke(&self, event: &RotationEvent) -> Result<(), RotationError> {
        let caller = wait_for(&self.caller, &Deadline::after(&self.env, event, START_TIME))?;
        let pair = caller.pair(&event.scope.account).ok_or(RotationError)?;
        // EXPOSE: the command signs requests with the pair, and has no other way to get it.
        let secret = std::str::from_utf8(pair.secret_access_key.expose());
        let mut command = process::Command::new(&self.path);
        command
            .env_clear()
            .envs(PASSED_ON.iter().filter_map(|name| Some((name, std::env::var_os(name)?))))
            .env("AWS_ENDPOINT_URL", &caller.endpoint)
            .env("AWS_ENDPOINT_URL_SECRETS_MANAGER", &caller.endpoint)
            .env("AWS_ENDPOINT_URL_STS", &caller.endpoint)
            .env("AWS_ACCESS_KEY_ID", &pair.access_key_id)
            .env("AWS_SECRET_ACCESS_KEY", secret.map_err(|_| RotationError)?)
            .env("AWS_REGION", &*event.scope.region)
            .env("AWS_DEFAULT_REGION", &*event.scope.region)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Ctrl-C in the terminal then reaches only the server, and the command can be ended with
            // all processes that it started.
            .process_group(0);
        let mut child = command.spawn().map_err(|_| RotationError)?;
        drop(command);
        let outcome = self.attend(&mut child, event);
        if outcome.is_err() {
            end(&mut child);
        }
        outcome
    }
}

impl Command {
    fn attend(&self, child: &mut Child, event: &RotationEvent) -> Result<(), RotationError> {
        let deadline = Deadline::after(&self.env, event, CALL_TIME);
        if let Some(mut stdin) = child.stdin.take() {
            // The event fits into a pipe. A command may succeed without reading it.
            let _ = stdin.write_all(&event_json(event));
        }
        loop {
            match child.try_wait() {
                Ok(Some(status)) if status.success() => return Ok(()),
                Ok(None) => thread::sleep(deadline.left()?.min(LOOK)),
                Ok(Some(_)) | Err(_) => return Err(RotationError),
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
