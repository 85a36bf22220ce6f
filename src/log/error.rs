//! Errors of the log, sorted by what the caller can do about them.

use crate::env::is_no_space;
use crate::log::types::End;
use std::io;

/// Why the log cannot be opened, read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// The file system refused. The cause is in `source()`. After a failed `sync` the log is
    /// poisoned.
    #[error("the operating system refused: cannot {op} {path}: {source}")]
    Io {
        /// What was being done.
        op: &'static str,
        /// Where, relative to the vault.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// The disk is full. The write was undone: nothing changed, and later writes may work (I4).
    #[error("no space left on the disk; the write was undone")]
    NoSpace,
    /// An earlier sync failed: what reached the disk is unknown. Reopen the vault (I4).
    #[error("the log is read-only because an earlier sync failed; reopen the vault")]
    Poisoned,
    /// Bytes that must be there do not read back. An open does not repair them.
    #[error("the log is damaged. file={} offset={} rule={}", .0.file, .0.offset, .0.rule)]
    Damaged(Box<Damage>),
    /// Made by a newer version.
    #[error("made by a newer version of Strongroom. file={file} format={found} known={known}")]
    NewerFormat {
        /// Which file, relative to the vault.
        file: String,
        /// Its format number.
        found: u32,
        /// The newest that this version reads.
        known: u32,
    },
    /// The call breaks a limit of the format or the order of calls.
    #[error("the log refuses this call: {what}")]
    Refused {
        /// What was wrong with it.
        what: &'static str,
    },
    /// The caller's own visitor or progress function asked to stop.
    #[error("the caller stopped the operation")]
    Stopped,
}

/// What does not read back, where, and whether the end of the log is known in spite of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Which file, relative to the vault.
    pub file: String,
    /// Where in it, in bytes.
    pub offset: u64,
    /// The rule of `docs/FORMAT.md` that does not hold.
    pub rule: &'static str,
    /// The last LSN and digest, if the end mark, the manifest or a readable later header proves them.
    /// A state with the same LSN and digest may replace the log (I6, [`super::Log::repair`]).
    pub proven_end: Option<End>,
}

impl LogError {
    /// Damage whose end is not proven (yet).
    pub(super) fn damaged(file: impl Into<String>, offset: u64, rule: &'static str) -> Self {
        Self::Damaged(Box::new(Damage { file: file.into(), offset, rule, proven_end: None }))
    }

    /// Adds what is known about the end, if this error is damage.
    #[must_use]
    pub(super) fn proven(mut self, end: Option<End>) -> Self {
        if let Self::Damaged(damage) = &mut self {
            damage.proven_end = end;
        }
        self
    }

    /// An error of a write. The caller undoes a write to a full disk; any other error poisons.
    pub(super) fn write(path: &str, source: io::Error) -> Self {
        if is_no_space(&source) { Self::NoSpace } else { Self::io("write", path, source) }
    }

    /// An error of opening or creating a file, such as too many open files. It changed nothing and does
    /// not poison.
    pub(super) fn open(path: &str, source: io::Error) -> Self {
        if is_no_space(&source) { Self::NoSpace } else { Self::io("open", path, source) }
    }

    /// An error that is not a full disk.
    pub(super) fn io(op: &'static str, path: &str, source: io::Error) -> Self {
        Self::Io { op, path: path.to_owned(), source }
    }
}
