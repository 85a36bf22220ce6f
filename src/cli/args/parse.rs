//! Reads a command line, and refuses one without repeating what could be a secret.

use super::command_line::Cli;
use crate::cli::error::CliError;
use clap::Parser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use std::ffi::OsString;

/// What a command line asks for.
pub(crate) enum Parsed {
    /// A command.
    Command(Box<Cli>),
    /// Help or version, for standard output.
    Show(String),
}

/// Reads a command line.
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Parsed, CliError> {
    match Cli::try_parse_from(arguments) {
        Ok(cli) => check(cli).map(|cli| Parsed::Command(Box::new(cli))),
        Err(error) => match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
                Ok(Parsed::Show(error.render().to_string()))
            }
            ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
                Err(CliError::usage("no command was given").hint(error.render().to_string()))
            }
            _ => Err(refusal(&error)),
        },
    }
}

/// clap does not notice a conflict between global flags before and after the subcommand.
fn check(cli: Cli) -> Result<Cli, CliError> {
    if cli.global.key_file.is_some() && cli.global.passphrase_file.is_some() {
        return Err(CliError::usage("give either --key-file or --passphrase-file, not both"));
    }
    Ok(cli)
}

/// The refusal of a command line. An unexpected argument may be a secret, so it is not repeated.
fn refusal(error: &clap::Error) -> CliError {
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    let invalid = context(ContextKind::InvalidArg).unwrap_or_default();
    let message = match error.kind() {
        ErrorKind::UnknownArgument if is_flag(invalid) => {
            format!("there is no flag {invalid} here")
        }
        ErrorKind::UnknownArgument => {
            "there is one argument too many (not repeated here, because it may be a secret)".to_owned()
        }
        ErrorKind::TooManyValues => {
            "a flag that takes no value was given one (not repeated here, because it may be a secret)"
                .to_owned()
        }
        _ => {
            let text = error.render().to_string();
            let first = text.lines().next().unwrap_or_default();
            let more: Vec<&str> = text
                .lines()
                .skip(1)
                .take_while(|line| !line.trim_start().starts_with("Usage:"))
                .map(str::trim)
                .filter(|line| !line.is_empty() && !line.starts_with("For more information"))
                .collect();
            let first = first.strip_prefix("error: ").unwrap_or(first);
            [&[first], more.as_slice()].concat().join(" ")
        }
    };
    CliError::usage(message).hint("see `strongroom --help` and `strongroom COMMAND --help`")
}

/// Whether `text` is a plain long flag, of lower-case words. Anything else could be a value.
fn is_flag(text: &str) -> bool {
    text.strip_prefix("--").is_some_and(|word| {
        word.len() <= 24 && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')
    })
}
