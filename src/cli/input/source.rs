//! Files that the user names, standard input, and prompts.

use crate::cli::error::CliError;
use crate::cli::input::signal;
use crate::env::real::{Input as Opened, Terminal};
use crate::secret::SecretBytes;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

/// Where bytes are read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// `-`
    Stdin,
    /// A file, pipe or link to one.
    Path(PathBuf),
}

impl Input {
    /// What an argument means: `-` is standard input.
    pub(crate) fn named(path: &Path) -> Self {
        if path.as_os_str() == "-" { Self::Stdin } else { Self::Path(path.to_path_buf()) }
    }

    /// Opens it.
    pub(crate) fn open(&self) -> io::Result<Opened> {
        match self {
            Self::Stdin => Ok(Opened::stdin()),
            Self::Path(path) => Opened::open(path),
        }
    }
}

impl std::fmt::Display for Input {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Stdin => f.write_str("standard input"),
            Self::Path(path) => write!(f, "{}", path.display()),
        }
    }
}

/// Reads to the end. `Ok(None)`: there are more than `len_max` bytes.
pub(crate) fn read(opened: Opened, len_max: usize) -> io::Result<Option<SecretBytes>> {
    Ok(opened.read_to_end(len_max)?.map(|bytes| SecretBytes::copy_from(&bytes)))
}

/// Whether there is a person to ask: a terminal can be opened, and standard input or standard error is one.
/// Without the second condition a batch job that merely inherits a terminal would hang.
pub(crate) fn has_person() -> bool {
    let attached = io::stdin().is_terminal() || io::stderr().is_terminal();
    attached && Terminal::current().is_some()
}

/// Whether standard input is a terminal.
pub(crate) fn stdin_is_terminal() -> bool {
    io::stdin().is_terminal()
}

/// Asks on the terminal, without echo. Ctrl-C ends the command with 130; Ctrl-D gives nothing.
pub(crate) fn prompt(question: &str) -> Result<SecretBytes, CliError> {
    let answer = signal::while_prompting(|| rpassword::prompt_password(question));
    match answer {
        Ok(text) => Ok(SecretBytes::from(text)),
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(CliError::interrupted()),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            Ok(SecretBytes::new(Vec::new()))
        }
        Err(error) => Err(CliError::io("the terminal cannot be read", &error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hyphen_is_standard_input() {
        assert_eq!(Input::named(Path::new("-")), Input::Stdin);
        assert_eq!(Input::named(Path::new("./-")), Input::Path("./-".into()));
    }
}
