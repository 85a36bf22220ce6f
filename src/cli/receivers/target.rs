//! Reads the `--events` argument.

use crate::cli::error::CliError;
use std::path::PathBuf;

/// Where events go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// To the standard input of a command.
    Exec(PathBuf),
    /// To an address.
    Http(String),
    /// To the end of a file.
    File(PathBuf),
}

/// Reads the argument.
pub(super) fn parse(text: &str) -> Result<Target, CliError> {
    let target = if let Some(path) = text.strip_prefix("exec:") {
        Some(PathBuf::from(path)).filter(|path| path.is_absolute()).map(Target::Exec)
    } else if let Some(path) = text.strip_prefix("file:") {
        Some(PathBuf::from(path)).filter(|path| path.file_name().is_some()).map(Target::File)
    } else {
        text.starts_with("http://").then(|| Target::Http(text.to_owned()))
    };
    target.ok_or_else(|| bad(text))
}

/// The refusal of an argument, which is not repeated: an address may contain a password.
pub(super) fn bad(text: &str) -> CliError {
    let refusal = CliError::usage("--events: no valid receiver");
    if text.starts_with("https://") {
        return refusal.hint(
            "events are sent to http:// addresses only; for https give a command that sends them on, such \
             as exec:/path/to/script with `curl --data-binary @- https://...`",
        );
    }
    refusal.hint("exec:/absolute/path, http://host:port/path or file:PATH")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn three_kinds_of_receivers_can_be_named() {
        let target = |text| parse(text).ok();
        assert_eq!(target("exec:/bin/x"), Some(Target::Exec("/bin/x".into())));
        assert_eq!(target("http://h:9/a?b"), Some(Target::Http("http://h:9/a?b".into())));
        assert_eq!(target("file:/var/log/x"), Some(Target::File("/var/log/x".into())));
        assert_eq!(target("file:x"), Some(Target::File("x".into())));
        for odd in ["", "exec:x", "exec:", "file:", "file:/", "file:..", "https://h/", "x"] {
            assert_eq!(target(odd), None, "{odd}");
        }
    }

    #[test]
    fn a_refusal_has_a_way_out_and_no_password() {
        let told = parse("https://user:hunter2@host/").unwrap_err();
        let hint = told.hint.unwrap();
        assert!(hint.contains("curl"), "{hint}");
        assert!(!told.message.contains("hunter2") && !hint.contains("hunter2"));
    }
}
