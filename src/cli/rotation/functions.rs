//! Reads the `--rotation` arguments.

use super::call::CallerCell;
use super::command::Command;
use super::http::HttpFunction;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::input::{self, Input};
use crate::secret::SecretBytes;
use crate::vault::RotationFunctions;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The longest file of `--rotation` lines that is read.
const FILE_BYTES_MAX: usize = 1024 * 1024;

/// Where a function is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    Exec(PathBuf),
    Http(String),
    Random(usize),
}

/// Reads all `--rotation` arguments.
pub(crate) fn functions(
    context: &Context,
    arguments: &[String],
    caller: &CallerCell,
) -> Result<RotationFunctions, CliError> {
    let mut functions = RotationFunctions::default();
    for line in lines(arguments)? {
        let (arn, target) = parse(&line)?;
        let (env, caller) = (context.env.clone(), caller.clone());
        functions = match target {
            Target::Exec(path) => {
                let command = Command { path, env, caller };
                functions.with(arn, Arc::new(command))
            }
            Target::Http(url) => {
                let hook = (context.http.hook)(&url).ok_or_else(|| bad(&line))?;
                let place = url.split('?').next().unwrap_or_default().to_owned();
                let function = HttpFunction { hook, place, env, caller };
                functions.with(arn, Arc::new(function))
            }
            Target::Random(chars) => functions.with_random(arn, chars),
        };
    }
    Ok(functions)
}

/// The lines of the arguments. An argument without `=` names a file of lines.
pub(super) fn lines(arguments: &[String]) -> Result<Vec<String>, CliError> {
    let mut lines = Vec::new();
    for argument in arguments {
        if argument.contains('=') {
            lines.push(argument.clone());
            continue;
        }
        let named = Input::named(Path::new(argument));
        let unreadable =
            |error| CliError::io(&format!("the rotation file {named} cannot be read"), &error);
        let content =
            input::read(named.open().map_err(unreadable)?, FILE_BYTES_MAX).map_err(unreadable)?;
        let content = content.unwrap_or_else(|| SecretBytes::new(Vec::new()));
        // EXPOSE: configuration, read with the functions for files with secrets.
        let text = String::from_utf8_lossy(content.expose());
        let meant = text.lines().map(str::trim);
        lines.extend(
            meant.filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned),
        );
    }
    Ok(lines)
}

pub(super) fn parse(line: &str) -> Result<(String, Target), CliError> {
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

fn bad(line: &str) -> CliError {
    // Only the name: the rest may contain a password.
    let arn = line.split('=').next().unwrap_or_default();
    CliError::usage(format!("--rotation: no valid function for {arn:?}")).hint(
        "ARN=exec:/absolute/path, ARN=http://host:port/path, ARN=random, ARN=random:LENGTH, or a \
         file of such lines",
    )
}
