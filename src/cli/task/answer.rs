//! Answers: what is printed, and how the command ends.

use crate::cli::error::CliError;
use crate::secret::SecretBytes;
use zeroize::Zeroizing;

/// What a request gave.
#[derive(Debug)]
pub(crate) struct Answer {
    /// What standard output gets. It may be a value.
    pub(crate) data: SecretBytes,
    /// What standard error gets before that, a line each.
    pub(crate) notes: Vec<String>,
    /// Whether the data is a value whose last line is not ended.
    pub(crate) is_open_line: bool,
    /// Why the command fails after all of that.
    pub(crate) failure: Option<CliError>,
}

impl Answer {
    /// Nothing to print.
    pub(crate) fn nothing() -> Self {
        Self::data(SecretBytes::new(Vec::new()))
    }

    /// A document, or a value.
    pub(crate) fn data(data: SecretBytes) -> Self {
        Self { data, notes: Vec::new(), is_open_line: false, failure: None }
    }

    /// Lines.
    pub(crate) fn lines<'a>(lines: impl IntoIterator<Item = &'a str>) -> Self {
        let mut text = Zeroizing::new(Vec::new());
        for line in lines {
            text.extend_from_slice(line.as_bytes());
            text.push(b'\n');
        }
        Self::data(SecretBytes::copy_from(&text))
    }

    /// The same with a warning.
    pub(crate) fn warn(&mut self, message: &str) {
        self.notes.push(format!("warning: {message}"));
    }
}

impl From<CliError> for Answer {
    fn from(failure: CliError) -> Self {
        Self { failure: Some(failure), ..Self::nothing() }
    }
}
