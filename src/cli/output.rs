//! Standard output and standard error, written without a buffer of their own: a buffer would keep
//! a copy of a value for as long as the process lives.

use super::exit::Failure;
use super::text;
use crate::secret::SecretBytes;
use rustix::io::Errno;
use std::io::IsTerminal;
use std::os::fd::{AsFd, BorrowedFd};

/// Prints an operation's response.
pub(crate) fn json(text: &SecretBytes) -> Result<(), Failure> {
    // EXPOSE: what was asked for is printed, a value in it included.
    data(text.expose())
}

/// Writes data to standard output. A reader that went away ends the command with 141.
pub(crate) fn data(bytes: &[u8]) -> Result<(), Failure> {
    write_all(std::io::stdout().as_fd(), bytes).map_err(|errno| match errno {
        Errno::PIPE => Failure::closed_pipe(),
        other => Failure::io("standard output cannot be written", &other.into()),
    })
}

/// Writes lines to standard output.
pub(crate) fn lines<'a>(lines: impl IntoIterator<Item = &'a str>) -> Result<(), Failure> {
    let mut text = String::new();
    for line in lines {
        text.push_str(line);
        text.push('\n');
    }
    if text.is_empty() { Ok(()) } else { data(text.as_bytes()) }
}

/// Whether a person sees standard output.
pub(crate) fn data_is_seen() -> bool {
    std::io::stdout().is_terminal()
}

/// Whether a person sees standard error.
pub(crate) fn notes_are_seen() -> bool {
    std::io::stderr().is_terminal()
}

/// Says something on standard error, in one line that starts with the command's name. Nobody
/// listening there is no reason to fail.
pub(crate) fn note(message: &str) {
    raw_note(&format!("strongroom: {}\n", text::one_line(message)));
}

/// Warns on standard error.
pub(crate) fn warn(message: &str) {
    note(&format!("warning: {message}"));
}

/// Writes to standard error as it is.
pub(crate) fn raw_note(text: &str) {
    let _unheard = write_all(std::io::stderr().as_fd(), text.as_bytes());
}

/// Explains a failure: what happened, then what to do.
pub(crate) fn failure(failure: &Failure) {
    if failure.message.is_empty() {
        return;
    }
    note(&failure.message);
    if let Some(hint) = &failure.hint {
        // A hint is ours: its line breaks are meant.
        raw_note(&format!("{hint}\n"));
    }
}

fn write_all(to: BorrowedFd<'_>, mut bytes: &[u8]) -> Result<(), Errno> {
    while !bytes.is_empty() {
        match rustix::io::write(to, bytes) {
            Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
            Err(Errno::INTR) => (),
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}
