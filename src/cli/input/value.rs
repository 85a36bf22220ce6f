//! The value of `put`: from a file, standard input or a prompt, never from an argument.

use crate::cli::args::Put;
use crate::cli::error::{CliError, Exit};
use crate::cli::input::{self, Input};
use crate::cli::output::text;
use crate::model::limits::VALUE_BYTES_MAX;
use crate::secret::{SecretBytes, SecretValue};
use crate::semantics::{Fault, FaultKind};
use std::ffi::OsStr;

/// Where the value comes from.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// A file or standard input.
    Input(Input),
    /// A prompt without echo.
    Prompt,
}

/// Decides where the value comes from.
pub(crate) fn source(args: &Put) -> Result<Source, CliError> {
    let stray = args.source.iter().any(|word| word != OsStr::new("-"));
    if args.value_in_argv.is_some() || stray {
        return Err(CliError::usage("a value is not taken from the command line").hint(
            "every process can read the command line, and shells record it; use one of\n  \
             strongroom put NAME             asks for the value, without echo\n  \
             printf %s ... | strongroom put NAME -\n  strongroom put NAME --file F",
        ));
    }
    match (&args.file, args.source.is_empty()) {
        (Some(_), false) => Err(CliError::usage("give either --file or `-`, not both")),
        (Some(path), true) => Ok(Source::Input(Input::named(path))),
        (None, false) => Ok(Source::Input(Input::Stdin)),
        (None, true) if input::stdin_is_terminal() => Ok(Source::Prompt),
        (None, true) => {
            Err(CliError::usage("no value was given, and there is no terminal to ask on")
                .hint("give --file F, or `-` to read standard input"))
        }
    }
}

/// Reads a value from a file or standard input.
pub(crate) fn read(input: &Input, is_binary: bool) -> Result<SecretValue, CliError> {
    let doing = || format!("the value cannot be read from {input}");
    let bytes =
        input.open().and_then(|opened| input::read(opened, VALUE_BYTES_MAX)).map_err(|error| {
            match error.kind() {
                std::io::ErrorKind::NotFound => CliError::refused(Exit::Usage, &doing(), &error),
                _ => CliError::io(&doing(), &error),
            }
        })?;
    match bytes {
        Some(bytes) => checked(bytes, is_binary),
        None => Err(length_fault(is_binary, &format!("less than or equal to {VALUE_BYTES_MAX}"))),
    }
}

/// Asks for a value.
pub(crate) fn ask(name: &str, is_binary: bool) -> Result<SecretValue, CliError> {
    let name = text::one_line(name);
    checked(input::prompt(&format!("Value of {name} (not shown): "))?, is_binary)
}

fn checked(bytes: SecretBytes, is_binary: bool) -> Result<SecretValue, CliError> {
    if bytes.is_empty() {
        return Err(length_fault(is_binary, "greater than or equal to 1"));
    }
    if bytes.len() > VALUE_BYTES_MAX {
        return Err(length_fault(is_binary, &format!("less than or equal to {VALUE_BYTES_MAX}")));
    }
    if is_binary {
        return Ok(SecretValue::Binary(bytes));
    }
    // EXPOSE: to check whether it is UTF-8.
    match std::str::from_utf8(bytes.expose()) {
        Ok(_) => Ok(SecretValue::String(bytes)),
        Err(error) => Err(CliError::usage(format!(
            "the value is not UTF-8 text: the byte at {} is not part of any character",
            error.valid_up_to()
        ))
        .hint("--binary stores any bytes")),
    }
}

/// AWS's own words for a value that is too long or empty (SEM-VALUE, grammar of its front end).
fn length_fault(is_binary: bool, bound: &str) -> CliError {
    let member = if is_binary { "secretBinary" } else { "secretString" };
    let text = format!(
        "1 validation error detected: Value at '{member}' failed to satisfy constraint: \
         Member must have length {bound}"
    );
    Fault::new(FaultKind::Validation, text).into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn code(bytes: &[u8], is_binary: bool) -> Result<usize, u8> {
        checked(SecretBytes::copy_from(bytes), is_binary)
            .map(|value| value.bytes().len())
            .map_err(|failure| failure.exit.code())
    }

    #[test]
    fn lengths_and_text_are_checked_before_the_vault_is_touched() {
        assert_eq!(code(b"", false), Err(2));
        assert_eq!(code(b"", true), Err(2));
        assert_eq!(code(b"\xff", false), Err(2));
        assert_eq!(code(b"\xff", true), Ok(1));
        assert_eq!(code(&vec![b'a'; VALUE_BYTES_MAX], false), Ok(VALUE_BYTES_MAX));
        assert_eq!(code(&vec![b'a'; VALUE_BYTES_MAX + 1], true), Err(2));
    }

    #[test]
    fn a_refused_value_is_not_part_of_the_message() {
        let failure = checked(SecretBytes::copy_from(b"hunter2\xff"), false).err().unwrap();
        assert!(!failure.message.contains("hunter2"));
    }
}
