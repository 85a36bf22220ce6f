//! `--rotation`: which function rotates what. `ARN=exec:/path`, `ARN=http://host:port/path`,
//! `ARN=random[:length]`, or a file of such lines.
//!
//! Functions call back: they are started before the server listens, so they wait for the
//! [`Caller`], which tells where the server is and with which pair to sign.

mod command;
mod http;
#[cfg(test)]
mod tests;

use super::Context;
use super::exit::Failure;
use super::input::{self, Input};
use crate::env::Env;
use crate::secret::SecretBytes;
use crate::vault::{Credential, RotationError, RotationEvent, RotationFunctions};
use command::Command;
use http::HttpFunction;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// Longest file of lines.
const FILE_BYTES_MAX: usize = 1024 * 1024;
/// How long a call of a function may take.
const CALL_TIME: Duration = Duration::from_secs(60);
/// How long a function waits for the server to listen.
const START_TIME: Duration = Duration::from_secs(60);
/// How often something that is waited for is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// Where the server is, and who may sign requests to it.
pub(crate) struct Caller {
    /// `http://address:port`
    pub(crate) endpoint: String,
    /// The pairs that may sign.
    pub(crate) pairs: Vec<Credential>,
}

impl Caller {
    /// A pair of that account.
    fn pair(&self, account: &str) -> Option<&Credential> {
        self.pairs.iter().find(|pair| pair.account == account)
    }
}

/// Filled once the server listens.
pub(crate) type CallerCell = Arc<OnceLock<Caller>>;

/// Waits until the server listens.
fn wait_for<'a>(
    cell: &'a CallerCell,
    deadline: &Deadline<'_>,
) -> Result<&'a Caller, RotationError> {
    loop {
        if let Some(caller) = cell.get() {
            return Ok(caller);
        }
        deadline.wait()?;
    }
}

/// The end of a call's time, or of the server's.
struct Deadline<'a> {
    env: &'a Env,
    event: &'a RotationEvent,
    at: Duration,
}

impl<'a> Deadline<'a> {
    fn after(env: &'a Env, event: &'a RotationEvent, span: Duration) -> Self {
        Self { env, event, at: env.clock.monotonic().saturating_add(span) }
    }

    /// The time that is left; none is an error.
    fn left(&self) -> Result<Duration, RotationError> {
        let left = self.at.saturating_sub(self.env.clock.monotonic());
        if left.is_zero() || self.event.is_stopping() { Err(RotationError) } else { Ok(left) }
    }

    /// Rests a moment.
    fn wait(&self) -> Result<(), RotationError> {
        std::thread::sleep(self.left()?.min(LOOK));
        Ok(())
    }
}

/// The event as AWS sends it to a function.
fn event_json(event: &RotationEvent) -> Vec<u8> {
    serde_json::json!({
        "Step": event.step.name(),
        "SecretId": event.secret_id,
        "ClientRequestToken": event.client_request_token,
        "RotationToken": event.rotation_token,
    })
    .to_string()
    .into_bytes()
}

/// Where a function is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Target {
    Exec(PathBuf),
    Http(String),
    Random(usize),
}

/// Reads all `--rotation` arguments.
pub(crate) fn functions(
    context: &Context,
    arguments: &[String],
    caller: &CallerCell,
) -> Result<RotationFunctions, Failure> {
    let mut functions = RotationFunctions::default();
    for line in lines(arguments)? {
        let (arn, target) = parse(&line)?;
        let (env, caller) = (context.env.clone(), Arc::clone(caller));
        functions = match target {
            Target::Exec(path) => {
                let command = Command { path, env, caller };
                functions.with(arn, Arc::new(command))
            }
            Target::Http(url) => {
                let hook = (context.http.hook)(&url).ok_or_else(|| bad(&line))?;
                let function = HttpFunction { hook, env, caller };
                functions.with(arn, Arc::new(function))
            }
            Target::Random(chars) => functions.with_random(arn, chars),
        };
    }
    Ok(functions)
}

/// The lines of the arguments: those that map nothing name files.
fn lines(arguments: &[String]) -> Result<Vec<String>, Failure> {
    let mut lines = Vec::new();
    for argument in arguments {
        if argument.contains('=') {
            lines.push(argument.clone());
            continue;
        }
        let named = Input::named(Path::new(argument));
        let told =
            |error| Failure::io(&format!("the rotation file {named} cannot be read"), &error);
        let content = input::read(named.open().map_err(told)?, FILE_BYTES_MAX).map_err(told)?;
        let content = content.unwrap_or_else(|| SecretBytes::new(Vec::new()));
        // EXPOSE: a file of configuration, read with the tools for files that hold secrets.
        let text = String::from_utf8_lossy(content.expose());
        let meant = text.lines().map(str::trim);
        lines.extend(
            meant.filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned),
        );
    }
    Ok(lines)
}

fn parse(line: &str) -> Result<(String, Target), Failure> {
    let (arn, target) = line.split_once('=').ok_or_else(|| bad(line))?;
    if arn.is_empty() {
        return Err(bad(line));
    }
    let target = if let Some(path) = target.strip_prefix("exec:") {
        Some(PathBuf::from(path)).filter(|path| path.is_absolute()).map(Target::Exec)
    } else if target.starts_with("http://") {
        Some(Target::Http(target.to_owned()))
    } else if target == "random" {
        Some(Target::Random(RotationFunctions::RANDOM_CHARS))
    } else {
        let chars = target.strip_prefix("random:").and_then(|chars| chars.parse().ok());
        chars
            .filter(|chars| RotationFunctions::RANDOM_CHARS_RANGE.contains(chars))
            .map(Target::Random)
    };
    Ok((arn.to_owned(), target.ok_or_else(|| bad(line))?))
}

fn bad(line: &str) -> Failure {
    // The name alone: what stands behind it may hold a password.
    let arn = line.split('=').next().unwrap_or_default();
    Failure::usage(format!("--rotation: what is given for {arn:?} is no function")).hint(
        "ARN=exec:/absolute/path, ARN=http://host:port/path, ARN=random, ARN=random:LENGTH, or a \
         file of such lines",
    )
}
