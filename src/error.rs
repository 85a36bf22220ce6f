//! The public error: one kind per thing that a caller can do about it.
//!
//! - [`display`]: the words of each kind.
//! - [`nameless`]: the same error for those who must not learn where the vault is.
//! - [`system`]: the words of a refusal by the operating system.

use crate::env::locked::Displaced;
use crate::env::{is_no_space, refusals};
use crate::semantics::{Fault, FaultKind};
use std::io;
use std::path::{Path, PathBuf};
use std::str::Utf8Error;

mod display;
mod nameless;
mod system;

/// Why a vault could not be opened or an operation did not happen. Never holds plaintext.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    source: Option<io::Error>,
    /// Where it happened, if the kind does not say it.
    place: Option<PathBuf>,
    /// Who owns what this process has no right to.
    denied: Option<Box<str>>,
    /// Whether the path of the kind begins in the vault's folder, which is not known yet.
    is_below_vault: bool,
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
    /// The vault was moved, replaced or removed while it was open, or a file in it was. Nothing more is
    /// written: look at what is there, then open the folder that counts.
    Displaced {
        /// What is no longer what was locked: the vault's folder, or a file in it.
        path: PathBuf,
        /// Whether something else is there now. Else nothing is.
        is_replaced: bool,
    },
    /// A link, pipe or device stands where the vault has a file or folder: move the real one there.
    Link {
        /// The place.
        path: PathBuf,
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
    /// The vault's folder or its key belongs to another user: run it as that user.
    OtherOwner {
        /// The folder or file.
        path: PathBuf,
        /// The name of the user.
        owner: String,
    },
    /// This is not a key file, or it is damaged: name another, or restore it from a copy.
    NotAKeyFile {
        /// The file.
        path: PathBuf,
    },
    /// The file system cannot hold a vault or its key: choose another place.
    Unsuitable {
        /// The place.
        path: PathBuf,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The vault is on a read-only file system: it can be read, not changed.
    ReadOnly,
    /// The vault is of an older format, and the disk has no space to bring it over: it can be read, not
    /// changed. Make room, then open it again.
    OldFormat,
    /// The vault is older than its anchor, or went on without it, or the anchor is an old one: put the newer
    /// folder or anchor back, or accept the rollback.
    RolledBack {
        /// The anchor file.
        anchor: PathBuf,
        /// The last operation that the anchor knows.
        known_lsn: u64,
        /// When it was, in milliseconds since 1970.
        known_millis: i64,
        /// The last operation in the folder.
        found_lsn: u64,
        /// When it was, in milliseconds since 1970.
        found_millis: i64,
    },
    /// The clock of the machine is before 1970: set it.
    ClockBefore1970,
    /// There is too little memory for the passphrase's Argon2id cost: raise the limit, or use a key file.
    TooLittleMemory {
        /// What it needs, in bytes.
        needed: u64,
        /// What this process may have, in bytes.
        limit: u64,
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
        /// What was being done: `open`, `sync`.
        op: &'static str,
        /// The file, folder or address. Empty if there is none.
        path: PathBuf,
        /// The system's number of the reason, if it gave one.
        errno: Option<i32>,
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
        matches!(self.kind, ErrorKind::WrongKey | ErrorKind::NotAKeyFile { .. })
    }

    /// Whether the vault is damaged: [`VaultBuilder::check`](crate::VaultBuilder::check) says where, and
    /// [`repair`](crate::VaultBuilder::repair) or a backup helps.
    #[must_use]
    pub fn is_damaged(&self) -> bool {
        matches!(self.kind, ErrorKind::Damaged { .. })
    }

    /// Whether the vault, or a file in it, was moved, replaced or removed while it was open.
    #[must_use]
    pub fn is_displaced(&self) -> bool {
        matches!(self.kind, ErrorKind::Displaced { .. })
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

    /// The place, where a sentence names it.
    fn of_place(&self) -> String {
        self.place.as_ref().map_or_else(String::new, |place| format!(" of {}", place.display()))
    }

    fn is_fault(&self, kind: FaultKind) -> bool {
        self.fault().is_some_and(|fault| fault.kind == kind)
    }

    /// The operating system refused to do `op` with `path`.
    #[must_use]
    pub fn io(op: &'static str, path: impl Into<PathBuf>, source: io::Error) -> Self {
        if let Some(displaced) = Displaced::of(&source) {
            return displaced.clone().into();
        }
        let (path, errno) = (path.into(), refusals::errno(&source));
        if is_no_space(&source) {
            let place = Some(path).filter(|path| !path.as_os_str().is_empty());
            return Self { source: Some(source), place, ..ErrorKind::NoSpace.into() };
        }
        let denied = system::denied(errno, &path);
        let kind = ErrorKind::Io { op, path, errno };
        Self { source: Some(source), denied, ..kind.into() }
    }

    /// The same for a path in the vault's folder. [`Self::in_vault`] adds the folder.
    pub(crate) fn io_below_vault(op: &'static str, path: &str, source: io::Error) -> Self {
        Self { is_below_vault: true, denied: None, ..Self::io(op, path, source) }
    }

    /// The operating system gave no random bytes.
    pub(crate) fn no_entropy(source: io::Error) -> Self {
        Self::io("draw random bytes", PathBuf::new(), source)
    }

    /// The same error, which happened to the vault in `dir`.
    #[must_use]
    pub(crate) fn in_vault(mut self, dir: &Path) -> Self {
        if std::mem::take(&mut self.is_below_vault) {
            match &mut self.kind {
                ErrorKind::Io { path, errno, .. } => {
                    *path = below(dir, path);
                    self.denied = system::denied(*errno, path);
                }
                _ => self.place = self.place.take().map(|place| below(dir, &place)),
            }
        }
        self.place.get_or_insert_with(|| dir.to_path_buf());
        self
    }

    /// What happened and why, in one line without advice.
    pub(crate) fn message(&self) -> String {
        if let ErrorKind::Io { op, path, errno } = &self.kind {
            return system::message(op, path, *errno, self.source.as_ref(), self.denied.as_deref());
        }
        self.to_string()
    }

    /// What a person does about a refusal of the operating system.
    pub(crate) fn next_step(&self) -> Option<&'static str> {
        match &self.kind {
            ErrorKind::Io { op, errno, .. } => Some(system::step(op, *errno)),
            ErrorKind::NoSpace => Some("free some space, or delete secrets: deleting still works"),
            _ => None,
        }
    }
}

fn below(dir: &Path, path: &Path) -> PathBuf {
    if path.as_os_str().is_empty() { dir.to_path_buf() } else { dir.join(path) }
}

impl ErrorKind {
    /// There are no random bytes, for a reason that is not known here.
    pub(crate) fn no_entropy() -> Self {
        Self::Io { op: "draw random bytes", path: PathBuf::new(), errno: None }
    }
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Self { kind, source: None, place: None, denied: None, is_below_vault: false }
    }
}

impl From<Displaced> for ErrorKind {
    fn from(Displaced { path, is_replaced }: Displaced) -> Self {
        Self::Displaced { path, is_replaced }
    }
}

impl From<Displaced> for Error {
    fn from(displaced: Displaced) -> Self {
        ErrorKind::from(displaced).into()
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

/// What operations return.
pub type Result<T> = std::result::Result<T, Error>;
