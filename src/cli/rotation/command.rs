//! A local command as a rotation function: the event on its standard input, where to call back and
//! with which pair in its environment, success by its exit code. What it prints is thrown away
//! unread: it may hold secrets.

use super::call::{CALL_TIME, CallerCell, Deadline, LOOK, START_TIME, event_json, wait_for};
use crate::env::Env;
use crate::vault::{RotationError, RotationEvent, RotationFunction};
use rustix::process::{Pid, Signal, kill_process_group};
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{self, Child, Stdio};
use std::thread;

/// Variables that a command may need to run at all. Everything else stays here: the environment of
/// a server may hold the names of its keys.
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
            .env("AWS_ACCESS_KEY_ID", &pair.access_key_id)
            .env("AWS_SECRET_ACCESS_KEY", secret.map_err(|_| RotationError)?)
            .env("AWS_REGION", &*event.scope.region)
            .env("AWS_DEFAULT_REGION", &*event.scope.region)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // A Ctrl-C in the server's terminal is the server's, and what the command started can
            // be ended with it.
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
            // Far less than a pipe holds; a command that does not read it is no failure.
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

/// Ends a command with all that it started.
fn end(child: &mut Child) {
    if let Ok(None) = child.try_wait() {
        // While it has not been waited for its id is nobody else's.
        let _ = kill_process_group(Pid::from_child(child), Signal::KILL);
        let _ = child.wait();
    }
}
