//! The words of each kind of error: what happened, why, and what to do.

use super::{Error, ErrorKind, system};
use crate::env::locked::Displaced;
use std::fmt;
use std::path::Path;

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
            ErrorKind::Displaced { path, is_replaced } => {
                let seen = Displaced { path: path.clone(), is_replaced: *is_replaced };
                write!(
                    f,
                    "{seen}, so nothing more is written; end this process, look at what is there, then open \
                     the folder that counts"
                )
            }
            ErrorKind::Link { path } => {
                write!(
                    f,
                    "{} is a link, pipe or device, and a vault follows none; move the real file or folder there",
                    path.display()
                )
            }
            ErrorKind::NotFound { path } => write!(f, "there is no vault in {}", path.display()),
            ErrorKind::Exists { path } => {
                write!(f, "{} already holds a vault or other files", path.display())
            }
            ErrorKind::LaxPermissions { path, mode } => {
                write!(f, "others can reach {}, mode {mode:04o}; run `chmod go=` on it", path.display())
            }
            ErrorKind::OtherOwner { path, owner } => {
                let us = system::this_user();
                write!(f, "{} belongs to {owner}, and this process runs as {us}; run it as {owner}", path.display())
            }
            ErrorKind::NotAKeyFile { path } => {
                write!(f, "{} is not a key file, or it is damaged; name the vault's key file, or restore it from a copy", path.display())
            }
            ErrorKind::Unsuitable { path, what } => {
                write!(f, "{}: {what}; choose a folder on a native Linux file system", path.display())
            }
            ErrorKind::ReadOnly => write!(
                f,
                "the file system{} is read-only, so the vault can be read but not changed; mount it writable, \
                 or copy the folder to a disk that is",
                self.of_place()
            ),
            ErrorKind::OldFormat => write!(
                f,
                "the vault{} is of an older format, and the disk has no space to bring it over, so it can be \
                 read but not changed; make room for a copy of its log, then open it again",
                self.of_place()
            ),
            ErrorKind::RolledBack { anchor, known_lsn, known_millis, found_lsn, found_millis } => {
                let known = (*known_lsn, system::date(*known_millis));
                let found = (*found_lsn, system::date(*found_millis));
                f.write_str(&self.rolled_back(anchor, known, found))
            }
            ErrorKind::ClockBefore1970 => f.write_str(
                "the clock of this machine is before 1970; set it (`timedatectl` shows it), then run it again",
            ),
            ErrorKind::TooLittleMemory { needed, limit } => {
                let mib = |bytes: u64| bytes.div_ceil(1 << 20);
                write!(f, "the passphrase's Argon2id cost needs {} MiB of memory and this process may have {} MiB; raise the memory limit, or use a key file", mib(*needed), mib(*limit))
            }
            ErrorKind::NoSpace => {
                write!(f, "no space left on the disk{}; nothing was changed", self.of_place())
            }
            ErrorKind::Busy => f.write_str("too many requests at once; try again"),
            ErrorKind::OutcomeUnknown => write!(
                f,
                "the disk failed during this operation; reopen the vault{} to learn whether it happened",
                self.of_place()
            ),
            ErrorKind::Poisoned => write!(
                f,
                "the disk failed earlier; reopen the vault{} to write again",
                self.of_place()
            ),
            ErrorKind::Closed => f.write_str("the vault is closed"),
            ErrorKind::StateBroken => write!(
                f,
                "stored data cannot be read at the moment; reopen the vault{}, which rebuilds its state",
                self.of_place()
            ),
            ErrorKind::Io { op, errno, .. } => {
                write!(f, "{}; {}", self.message(), system::step(op, *errno))
            }
            ErrorKind::Usage { what } => f.write_str(what),
        }
    }
}

impl Error {
    /// What the anchor knows and what was found, each an operation and its date.
    fn rolled_back(&self, anchor: &Path, known: (u64, String), found: (u64, String)) -> String {
        let (anchor, place) = (anchor.display(), self.of_place());
        let ((known, known_date), (found, found_date)) = (known, found);
        if known < found {
            // The folder is longer than the anchor knows, so one of the two was put back, and either may be.
            return format!(
                "the vault and its anchor do not belong together: an older copy of the vault went on without \
                 {anchor}, or that is an older copy itself; the anchor knows operation {known} of \
                 {known_date}, the folder{place} ends at operation {found} of {found_date}; put the newer \
                 folder or the newer anchor back, or accept the rollback"
            );
        }
        format!(
            "the vault went back in time: its anchor {anchor} knows operation {known} of {known_date}, and the \
             folder{place} ends without it at operation {found} of {found_date}; put the newer folder back, or \
             accept the rollback"
        )
    }
}
