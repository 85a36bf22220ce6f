//! Runs a command: with few variables, in a process group of its own, and not longer than it may take.

use super::deadline::{CALL_TIME, Deadline};
use rustix::process::{Pid, Signal, kill_process_group};
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Variables that a command may need to run at all. The rest is not passed on: the environment of a server
/// may name its keys.
const PASSED_ON: [&str; 8] =
    ["PATH", "HOME", "USER", "LANG", "LC_ALL", "TZ", "TMPDIR", "LD_LIBRARY_PATH"];

/// The command at a path, ready to be started. Nothing that it says is shown.
pub(crate) fn command(path: &Path) -> Command {
    let mut command = Command::new(path);
    command
        .env_clear()
        .envs(PASSED_ON.iter().filter_map(|name| Some((name, std::env::var_os(name)?))))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // Ctrl-C in the terminal then reaches only the server, and the command can be ended with all
        // processes that it started.
        .process_group(0);
    command
}

/// Gives a command its input, which fits into a pipe, and waits until it exits with 0. If it does anything
/// else, it is ended with all processes that it started, and the error says what it did.
pub(crate) fn attend(
    child: &mut Child,
    input: &[u8],
    deadline: &Deadline<'_>,
) -> Result<(), String> {
    let outcome = wait(child, input, deadline);
    if outcome.is_err() {
        end(child);
    }
    outcome
}

fn wait(child: &mut Child, input: &[u8], deadline: &Deadline<'_>) -> Result<(), String> {
    if let Some(mut stdin) = child.stdin.take() {
        // A command may succeed without reading it.
        let _ = stdin.write_all(input);
    }
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return Ok(()),
            Ok(None) => {
                let over = || format!("no end within {} seconds", CALL_TIME.as_secs());
                deadline.wait().ok_or_else(over)?;
            }
            // "exit status: 1", "signal: 9 (SIGKILL)"
            Ok(Some(status)) => return Err(status.to_string()),
            Err(error) => return Err(format!("the command was lost: {error}")),
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
