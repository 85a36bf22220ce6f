//! The public error: one kind per thing that a caller can do about it.

use crate::env::is_no_space;
use crate::semantics::{Fault, FaultKind};
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::str::Utf8Error;

/// Why a vault could not be opened or an operation did not happen. Never holds plaintext.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    source: Option<io::Error>,
}

/// What happened, sorted by what the caller can do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The operation is refused as AWS refuses it: change the request.
    Fault(Fault),
    /// Wrong passphrase or key file, or the keystore was tampered with: never told apart.
    WrongKey,
    /// The vault is damaged: check it, then repair it or restore a backup.
    Damaged {
        /// Where, relative to the vault.
        file: String,
        /// Byte offset in it.
        offset: u64,
        /// The rule of `docs/FORMAT.md` that does not hold.
        rule: &'static str,
    },
    /// Made by a newer version of Strongroom: use that one.
    NewerFormat {
        /// Which file.
        file: String,
        /// Its format number.
        found: u32,
        /// The newest that this version reads.
        known: u32,
    },
    /// Another process holds the vault: wait, or stop it.
    InUse {
        /// Its process id, if it left one.
        pid: Option<u32>,
    },
    /// There is no vault at this place.
    NotFound {
        /// The place.
        path: PathBuf,
    },
    /// There is a vault already, or a folder with files that are not ours.
    Exists {
        /// The place.
        path: PathBuf,
    },
    /// A file that must be private can be read by others: `chmod` it.
    LaxPermissions {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// The disk is full. Nothing was changed; deleting still works.
    NoSpace,
    /// The queue is full: try again.
    Busy,
    /// A sync failed or the commit thread died: whether this operation happened is unknown until
    /// the vault is reopened.
    OutcomeUnknown,
    /// An earlier sync failed: the vault reads but does not write until it is reopened.
    Poisoned,
    /// The vault was closed.
    Closed,
    /// The state cannot serve reads: reopen the vault, which rebuilds it.
    StateBroken,
    /// The operating system refused; see `source`.
    Io {
        /// What was being done.
        op: &'static str,
    },
    /// A parameter of this library call makes no sense.
    Usage {
        /// What to change.
        what: &'static str,
    },
}

impl Error {
    /// What happened.
    #[must_use]
    pub fn kind(&self) -> &ErrorKind {
        &self.kind
    }

    /// AWS's refusal, if it is one.
    #[must_use]
    pub fn fault(&self) -> Option<&Fault> {
        match &self.kind {
            ErrorKind::Fault(fault) => Some(fault),
            _ => None,
        }
    }

    /// Whether the secret, the version or the vault does not exist.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self.kind, ErrorKind::NotFound { .. })
            || self.is_fault(FaultKind::ResourceNotFound)
    }

    /// Whether a secret of that name, or a vault in that place, exists already.
    #[must_use]
    pub fn is_exists(&self) -> bool {
        matches!(self.kind, ErrorKind::Exists { .. }) || self.is_fault(FaultKind::ResourceExists)
    }

    /// Whether another process holds the vault.
    #[must_use]
    pub fn is_in_use(&self) -> bool {
        matches!(self.kind, ErrorKind::InUse { .. })
    }

    /// Whether the passphrase or key file does not open the vault.
    #[must_use]
    pub fn is_wrong_key(&self) -> bool {
        self.kind == ErrorKind::WrongKey
    }

    /// Whether the vault is damaged: [`VaultBuilder::check`](crate::VaultBuilder::check) says where, and
    /// [`repair`](crate::VaultBuilder::repair) or a backup helps.
    #[must_use]
    pub fn is_damaged(&self) -> bool {
        matches!(self.kind, ErrorKind::Damaged { .. })
    }

    /// Whether the disk is full. Nothing was changed.
    #[must_use]
    pub fn is_no_space(&self) -> bool {
        self.kind == ErrorKind::NoSpace
    }

    /// Whether the operation may or may not have happened. Reopen the vault to find out.
    #[must_use]
    pub fn is_outcome_unknown(&self) -> bool {
        self.kind == ErrorKind::OutcomeUnknown
    }

    fn is_fault(&self, kind: FaultKind) -> bool {
        self.fault().is_some_and(|fault| fault.kind == kind)
    }

    /// The operating system refused while doing `op`.
    #[must_use]
    pub fn io(op: &'static str, source: io::Error) -> Self {
        let kind = if is_no_space(&source) { ErrorKind::NoSpace } else { ErrorKind::Io { op } };
        Self { kind, source: Some(source) }
    }
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Self { kind, source: None }
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        ErrorKind::Fault(fault).into()
    }
}

/// A value that was read as text is not UTF-8. The error says nothing about its content.
impl From<Utf8Error> for Error {
    fn from(_: Utf8Error) -> Self {
        ErrorKind::Usage { what: "the value is binary, not UTF-8 text" }.into()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| source as _)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ErrorKind::Fault(fault) => write!(f, "{}: {}", fault.kind.name(), fault.message),
            ErrorKind::WrongKey => f.write_str("wrong key, or the keystore was tampered with"),
            ErrorKind::Damaged { file, offset, rule } => {
                write!(f, "the vault is damaged; check it, then repair it or restore a backup. file={file} offset={offset} rule={rule}")
            }
            ErrorKind::NewerFormat { file, found, known } => {
                write!(f, "made by a newer strongroom; use that one. file={file} format={found} known={known}")
            }
            ErrorKind::InUse { pid: Some(pid) } => write!(f, "the vault is in use by another process. pid={pid}"),
            ErrorKind::InUse { pid: None } => f.write_str("the vault is in use by another process"),
            ErrorKind::NotFound { path } => write!(f, "there is no vault here. path={}", path.display()),
            ErrorKind::Exists { path } => {
                write!(f, "the folder already holds a vault or other files. path={}", path.display())
            }
            ErrorKind::LaxPermissions { path, mode } => {
                write!(f, "others can reach this file; run `chmod go=` on it. path={} mode={mode:o}", path.display())
            }
            ErrorKind::NoSpace => f.write_str("no space left on the disk; nothing was changed"),
            ErrorKind::Busy => f.write_str("too many requests at once; try again"),
            ErrorKind::OutcomeUnknown => {
                f.write_str("the disk failed during this operation; reopen the vault to learn whether it happened")
            }
            ErrorKind::Poisoned => f.write_str("the disk failed earlier; reopen the vault to write again"),
            ErrorKind::Closed => f.write_str("the vault is closed"),
            ErrorKind::StateBroken => f.write_str("stored data cannot be read at the moment; reopen the vault, which rebuilds its state"),
            ErrorKind::Io { op } => match &self.source {
                Some(source) => write!(f, "the operating system refused. op={op} cause={source}"),
                None => write!(f, "the operating system refused. op={op}"),
            },
            ErrorKind::Usage { what } => f.write_str(what),
        }
    }
}

/// What operations return.
pub type Result<T> = std::result::Result<T, Error>;
