//! The table of exit codes, and the error of the command.

use crate::env::refusals;
use crate::error::{Error, ErrorKind};
use crate::semantics::{Fault, FaultKind};
use std::io;

/// The exit code of the process. Scripts rely on the numbers, so their meaning never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// Done.
    Ok = 0,
    /// Anything else: the disk, the network, an internal error.
    Other = 1,
    /// The command line or a parameter is wrong.
    Usage = 2,
    /// No such vault, secret, version, label or credential.
    NotFound = 3,
    /// Wrong key, no key, or a key file that others can read.
    Key = 4,
    /// The secret exists already or is scheduled for deletion, or a limit is reached.
    Conflict = 5,
    /// Another process holds the vault.
    InUse = 6,
    /// Damage that needs repair.
    Damaged = 7,
    /// Ctrl-C: 128 + SIGINT, as shells have it.
    Interrupted = 130,
    /// The reader of standard output has gone: 128 + SIGPIPE.
    ClosedPipe = 141,
}

impl Exit {
    /// The number.
    pub(crate) fn code(self) -> u8 {
        self as u8
    }

    /// The code with this number.
    pub(crate) fn of(code: u8) -> Option<Self> {
        const ALL: [Exit; 10] = [
            Exit::Ok,
            Exit::Other,
            Exit::Usage,
            Exit::NotFound,
            Exit::Key,
            Exit::Conflict,
            Exit::InUse,
            Exit::Damaged,
            Exit::Interrupted,
            Exit::ClosedPipe,
        ];
        ALL.into_iter().find(|exit| exit.code() == code)
    }
}

/// Why a command failed. It never contains the plaintext of a value or key.
#[derive(Debug)]
pub(crate) struct CliError {
    /// How the process ends.
    pub(crate) exit: Exit,
    /// What happened. If it is empty, nothing is printed.
    pub(crate) message: String,
    /// What to do about it.
    pub(crate) hint: Option<String>,
}

impl CliError {
    /// An error with a message.
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), hint: None }
    }

    /// The same with advice.
    #[must_use]
    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// A mistake in the command line.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// No key, or one that cannot be read.
    pub(crate) fn key(message: impl Into<String>) -> Self {
        Self::new(Exit::Key, message)
    }

    /// The operating system refused. `failed` says what cannot be done.
    pub(crate) fn io(failed: &str, cause: &io::Error) -> Self {
        Self::refused(Exit::Other, failed, cause)
    }

    /// The same with another exit code.
    pub(crate) fn refused(exit: Exit, failed: &str, cause: &io::Error) -> Self {
        let errno = refusals::errno(cause);
        Self::new(exit, format!("{failed}: {}", refusals::words(errno, Some(cause))))
            .hint(refusals::step(errno))
    }

    /// Ctrl-C. It needs no message.
    pub(crate) fn interrupted() -> Self {
        Self::new(Exit::Interrupted, "")
    }

    /// The reader of standard output has gone. It needs no message.
    pub(crate) fn closed_pipe() -> Self {
        Self::new(Exit::ClosedPipe, "")
    }
}

impl From<Error> for CliError {
    fn from(error: Error) -> Self {
        let exit = exit_of(error.kind());
        let hint = flag_for(error.kind()).or_else(|| error.next_step());
        let hint = hint.or_else(|| hint_of(error.kind()));
        Self { exit, message: error.message(), hint: hint.map(str::to_owned) }
    }
}

impl From<Fault> for CliError {
    fn from(fault: Fault) -> Self {
        Error::from(fault).into()
    }
}

fn exit_of(kind: &ErrorKind) -> Exit {
    match kind {
        ErrorKind::Fault(fault) => exit_of_fault(fault),
        ErrorKind::WrongKey
        | ErrorKind::LaxPermissions { .. }
        | ErrorKind::OtherOwner { .. }
        | ErrorKind::NotAKeyFile { .. } => Exit::Key,
        ErrorKind::Damaged { .. } | ErrorKind::RolledBack { .. } => Exit::Damaged,
        ErrorKind::InUse { .. } => Exit::InUse,
        ErrorKind::NotFound { .. } => Exit::NotFound,
        ErrorKind::Exists { .. } => Exit::Conflict,
        ErrorKind::Usage { .. } => Exit::Usage,
        // A newer format is not damage: there is nothing to repair.
        ErrorKind::NewerFormat { .. }
        | ErrorKind::NoSpace
        | ErrorKind::Unsuitable { .. }
        | ErrorKind::ClockBefore1970
        | ErrorKind::ReadOnly
        | ErrorKind::OldFormat
        | ErrorKind::TooLittleMemory { .. }
        | ErrorKind::Busy
        | ErrorKind::OutcomeUnknown
        | ErrorKind::Poisoned
        | ErrorKind::Closed
        | ErrorKind::StateBroken
        | ErrorKind::Displaced { .. }
        | ErrorKind::Link { .. }
        | ErrorKind::Io { .. } => Exit::Other,
    }
}

fn exit_of_fault(fault: &Fault) -> Exit {
    match fault.kind {
        FaultKind::ResourceNotFound => Exit::NotFound,
        FaultKind::ResourceExists | FaultKind::LimitExceeded => Exit::Conflict,
        FaultKind::InvalidRequest if is_about_deletion(&fault.message) => Exit::Conflict,
        FaultKind::AccessDenied => Exit::Other,
        FaultKind::InvalidRequest
        | FaultKind::InvalidParameter
        | FaultKind::InvalidNextToken
        | FaultKind::MalformedPolicyDocument
        | FaultKind::PublicPolicy
        | FaultKind::Validation => Exit::Usage,
    }
}

/// AWS uses one exception both for a bad request and for a secret in the wrong state. Clients match on its
/// texts, so they are stable enough to match here.
fn is_about_deletion(message: &str) -> bool {
    ["marked for deletion", "scheduled for deletion", "was deleted"]
        .iter()
        .any(|words| message.contains(words))
}

/// What a person does about a port that cannot be had: the library names no flags.
fn flag_for(kind: &ErrorKind) -> Option<&'static str> {
    let ErrorKind::Io { op, errno, .. } = kind else { return None };
    match *op {
        "listen on" if refusals::is_denied(*errno) => {
            Some("ports below 1024 are reserved; choose another with --listen ADDR:PORT")
        }
        "listen on" if refusals::is_port_taken(*errno) => {
            Some("`ss -ltnp` shows which; end it, or choose another port with --listen ADDR:PORT")
        }
        "listen for the agent on" if refusals::is_port_taken(*errno) => Some(
            "`ss -ltnp` shows which; end it, or choose another port with --agent-listen ADDR:PORT",
        ),
        _ => None,
    }
}

fn hint_of(kind: &ErrorKind) -> Option<&'static str> {
    match kind {
        ErrorKind::WrongKey => {
            Some("give the key of this vault with --key-file or --passphrase-file")
        }
        ErrorKind::InUse { .. } => Some(
            "wait for it with --wait SECONDS; if it is a server, `strongroom env` prints how to reach it",
        ),
        ErrorKind::RolledBack { .. } => Some(
            "if this older copy was put here on purpose, or the anchor is an old one, --accept-rollback opens \
             the vault and writes a new anchor",
        ),
        ErrorKind::Damaged { rule: "RB-2", .. } => Some(
            "the anchor file was changed; if no older copy was put in the vault's place, --accept-rollback \
             writes a new one",
        ),
        ErrorKind::Damaged { .. } => Some(
            "`strongroom check` lists the damage and changes nothing; `strongroom repair` repairs what it \
             can and loses nothing without --accept-loss",
        ),
        ErrorKind::NotFound { .. } => Some("`strongroom init` makes a vault"),
        ErrorKind::Fault(fault)
            if exit_of_fault(fault) == Exit::Conflict && is_about_deletion(&fault.message) =>
        {
            Some("`strongroom restore NAME` cancels the deletion; `rm --now` makes it final")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    #[test]
    fn an_exit_code_is_found_by_its_number() {
        let codes = (0..=u8::MAX).filter(|code| Exit::of(*code).is_some_and(|e| e.code() == *code));
        assert_eq!(codes.collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5, 6, 7, 130, 141]);
    }

    #[test]
    fn each_kind_has_the_exit_code_of_the_contract() {
        let fault = |kind, text: &str| ErrorKind::Fault(Fault::new(kind, text));
        let path = PathBuf::from("v");
        let damage = ErrorKind::Damaged { file: "log/1.wal".into(), offset: 1, rule: "LOG-1" };
        let newer = ErrorKind::NewerFormat { file: "keystore.a".into(), found: 9, known: 1 };
        for (kind, code) in [
            (fault(FaultKind::ResourceNotFound, ""), 3),
            (fault(FaultKind::ResourceExists, ""), 5),
            (fault(FaultKind::LimitExceeded, ""), 5),
            (fault(FaultKind::Validation, ""), 2),
            (fault(FaultKind::InvalidParameter, ""), 2),
            (fault(FaultKind::InvalidNextToken, ""), 2),
            (ErrorKind::WrongKey, 4),
            (ErrorKind::LaxPermissions { path: path.clone(), mode: 0o644 }, 4),
            (ErrorKind::OtherOwner { path: path.clone(), owner: "amy".into() }, 4),
            (ErrorKind::NotAKeyFile { path: path.clone() }, 4),
            (ErrorKind::Unsuitable { path: path.clone(), what: "" }, 1),
            (ErrorKind::Exists { path: path.clone() }, 5),
            (ErrorKind::NotFound { path }, 3),
            (ErrorKind::InUse { pid: None }, 6),
            (damage, 7),
            (newer, 1),
            (ErrorKind::Usage { what: "" }, 2),
            (ErrorKind::NoSpace, 1),
            (ErrorKind::OutcomeUnknown, 1),
            (ErrorKind::Poisoned, 1),
        ] {
            assert_eq!(exit_of(&kind).code(), code, "{kind:?}");
        }
    }

    #[test]
    fn a_secret_that_waits_for_deletion_is_a_conflict_and_other_bad_requests_are_usage() {
        for (text, code) in [
            (
                "You can't perform this operation on the secret because it was marked for deletion.",
                5,
            ),
            (
                "You can't create this secret because a secret with this name is already scheduled for deletion.",
                5,
            ),
            (
                "You can't perform this operation on the secret because it was already scheduled for deletion.",
                5,
            ),
            ("You provided a VersionStage that is not associated to the provided VersionId.", 2),
            ("You must provide either SecretString or SecretBinary.", 2),
        ] {
            let fault = Fault::new(FaultKind::InvalidRequest, text);
            assert_eq!(exit_of_fault(&fault).code(), code, "{text}");
        }
    }
}
