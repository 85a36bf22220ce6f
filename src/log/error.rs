//! What can go wrong in the log, by what the caller can do about it.

use crate::env::is_no_space;
use crate::log::types::End;
use std::io;

/// Why the log cannot be opened, read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// The file system refused. The cause is in `source()`. After an error of `op=sync` the log is
    /// poisoned.
    #[error("log i/o failed. op={op} path={path}")]
    Io {
        /// What was being done.
        op: &'static str,
        /// Where, relative to the vault.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// The disk is full. The write was undone: nothing changed, and later writes may work (I4).
    #[error("no space left for the log; the write was undone")]
    NoSpace,
    /// An earlier sync failed: what reached the disk is unknown. Reopen the vault (I4).
    #[error("log refuses writes after a failed sync")]
    Poisoned,
    /// What exists once does not read back. Not repaired here.
    #[error("log is damaged. file={} offset={} rule={}", .0.file, .0.offset, .0.rule)]
    Damaged(Box<Damage>),
    /// Made by a newer version.
    #[error("made by a newer version. file={file} format={found} known={known}")]
    NewerFormat {
        /// Which file, relative to the vault.
        file: String,
        /// Its format number.
        found: u32,
        /// The newest that this version reads.
        known: u32,
    },
    /// The caller asked for what the format or the order of calls does not allow.
    #[error("log refuses the call. what={what}")]
    Refused {
        /// What was wrong with it.
        what: &'static str,
    },
    /// The caller's own visitor or progress function asked to stop.
    #[error("stopped by the caller")]
    Stopped,
}

/// What does not read back, where, and whether the end of the truth is known all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Which file, relative to the vault.
    pub file: String,
    /// Where in it, in bytes.
    pub offset: u64,
    /// The rule of `docs/FORMAT.md` that does not hold.
    pub rule: &'static str,
    /// The last LSN and digest, where the end mark, the manifest or a readable later header proves
    /// them: a state that equals them may replace the truth (I6, [`super::Log::heal`]).
    pub proven_end: Option<End>,
}

impl LogError {
    /// Damage whose end is not proven (yet).
    pub(super) fn damaged(file: impl Into<String>, offset: u64, rule: &'static str) -> Self {
        Self::Damaged(Box::new(Damage { file: file.into(), offset, rule, proven_end: None }))
    }

    /// The same error, where it is damage, with what is known about the end.
    #[must_use]
    pub(super) fn proven(mut self, end: Option<End>) -> Self {
        if let Self::Damaged(damage) = &mut self {
            damage.proven_end = end;
        }
        self
    }

    /// Sorts an error of a *write*: a full disk is undone by the caller, the rest is not.
    pub(super) fn write(path: &str, source: io::Error) -> Self {
        if is_no_space(&source) { Self::NoSpace } else { Self::io("write", path, source) }
    }

    /// Sorts an error of opening or making a file: nothing was changed by it, so that it does not
    /// poison (too many open files, say).
    pub(super) fn open(path: &str, source: io::Error) -> Self {
        if is_no_space(&source) { Self::NoSpace } else { Self::io("open", path, source) }
    }

    /// Any error but those of a full disk.
    pub(super) fn io(op: &'static str, path: &str, source: io::Error) -> Self {
        Self::Io { op, path: path.to_owned(), source }
    }
}
