//! Answers: what is printed, and how the command ends.

use crate::cli::error::CliError;
use crate::secret::SecretBytes;
use crate::secret::buffer::WipedBuffer;

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
    pub(crate) fn lines(lines: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let mut text = WipedBuffer::with_capacity(0);
        for line in lines {
            text.push(line.as_ref().as_bytes());
            text.push(b"\n");
        }
        Self::data(SecretBytes::new(std::mem::take(&mut *text.into_inner())))
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
