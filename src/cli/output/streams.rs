//! Data goes to standard output, everything else to standard error.

use crate::cli::error::CliError;
use crate::cli::output::text;
use crate::env::real::{write_stderr, write_stdout};
use crate::secret::SecretBytes;
use std::io::{ErrorKind, IsTerminal};

/// Writes data to standard output. If the reader has gone, the command ends with 141.
pub(crate) fn data(bytes: &[u8]) -> Result<(), CliError> {
    write_stdout(bytes).map_err(|error| match error.kind() {
        ErrorKind::BrokenPipe => CliError::closed_pipe(),
        _ => CliError::io("standard output cannot be written", &error),
    })
}

/// Writes a value, or a document that may hold one, to standard output.
pub(crate) fn secret(bytes: &SecretBytes) -> Result<(), CliError> {
    // EXPOSE: printing it is what the user asked for.
    data(bytes.expose())
}

/// Whether standard output is a terminal.
pub(crate) fn data_is_seen() -> bool {
    std::io::stdout().is_terminal()
}

/// Whether standard error is a terminal.
pub(crate) fn notes_are_seen() -> bool {
    std::io::stderr().is_terminal()
}

/// Prints one line on standard error, after the command's name. It is no error if nobody reads it.
pub(crate) fn note(message: &str) {
    raw_note(&format!("strongroom: {}\n", text::one_line(message)));
}

/// Warns on standard error.
pub(crate) fn warn(message: &str) {
    note(&format!("warning: {message}"));
}

/// Writes to standard error as it is.
pub(crate) fn raw_note(text: &str) {
    let _unheard = write_stderr(text.as_bytes());
}

/// Writes lines of a log, which are complete and harmless already, to standard error.
#[cfg(feature = "server")]
pub(crate) fn raw_lines(lines: &[u8]) -> std::io::Result<()> {
    write_stderr(lines)
}

/// Explains a failure: what happened, then what to do.
pub(crate) fn failure(failure: &CliError) {
    if failure.message.is_empty() {
        return;
    }
    note(&failure.message);
    if let Some(hint) = &failure.hint {
        // Hints contain line breaks on purpose and no foreign text.
        raw_note(&format!("{hint}\n"));
    }
}
