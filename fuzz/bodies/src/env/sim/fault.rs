//! Injected faults: power cuts at a chosen call, and faults of single calls.

use std::io;
use std::path::Path;
use std::sync::Arc;

/// Kind of a call to the file system. All but [`OpKind::Read`] change something and are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OpKind {
    /// A file was made.
    Create,
    /// A directory was made.
    CreateDir,
    /// Bytes were written.
    Write,
    /// A file was cut or extended.
    SetLen,
    /// `fdatasync`.
    SyncData,
    /// `fsync` of a file.
    SyncAll,
    /// `fsync` of a directory.
    SyncDir,
    /// A rename; the path is where it goes.
    Rename,
    /// A file, or a directory with all it holds, was removed.
    Remove,
    /// Bytes were read. Not counted and not logged; only faults know it.
    Read,
}

impl OpKind {
    /// Whether it is one of the three syncs.
    #[must_use]
    pub fn is_sync(self) -> bool {
        matches!(self, Self::SyncData | Self::SyncAll | Self::SyncDir)
    }
}

/// One counted call. Calls that were refused by a fault or a power cut are in the log too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Op {
    /// What it was.
    pub kind: OpKind,
    /// On what.
    pub path: Arc<Path>,
}

/// On which side of the chosen call the power goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CutPoint {
    /// The call has no effect.
    Before,
    /// The call has its effect (a write is pending, a sync has synced), but the caller gets an error.
    After,
}

/// How much of a failing call takes effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Nothing. Data of a failed file sync never becomes durable, however often it is synced again, until
    /// it is written again. Reads still show it, as from a real page cache.
    Nothing,
    /// The first so many bytes of a write; for other calls like `Nothing`.
    Part(usize),
    /// All of it.
    All,
}

/// A rule that makes calls fail. Rules are asked in the order in which they were added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Which calls it counts.
    pub on: Vec<OpKind>,
    /// Only those on a path that contains this; empty for all.
    pub path_contains: String,
    /// The first of them that fails, from 1, counted from when the rule was added.
    pub nth: u64,
    /// How many fail from there; `u64::MAX` for ever.
    pub times: u64,
    /// With what.
    pub error: io::ErrorKind,
    /// What happens all the same.
    pub reach: Reach,
}

/// The error of every call after a simulated power cut, inside an [`io::Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("simulated power cut")]
pub struct PowerCut;

/// Whether `error` is the simulated power cut and not some other failure.
#[must_use]
pub fn is_power_cut(error: &io::Error) -> bool {
    matches!(error.get_ref(), Some(inner) if inner.is::<PowerCut>())
}

/// The rules in force, each with the number of calls it has counted.
#[derive(Clone, Debug, Default)]
pub(super) struct Faults(Vec<(Fault, u64)>);

impl Faults {
    pub(super) fn add(&mut self, fault: Fault) {
        self.0.push((fault, 0));
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Counts a call with every rule it matches and gives the first that makes it fail.
    pub(super) fn meet(&mut self, kind: OpKind, path: &Path) -> Option<(io::Error, Reach)> {
        let mut met = None;
        for (fault, seen) in &mut self.0 {
            let here = fault.on.contains(&kind)
                && (fault.path_contains.is_empty()
                    || path.to_string_lossy().contains(&fault.path_contains));
            if here {
                *seen += 1;
                let due = *seen >= fault.nth && *seen - fault.nth < fault.times;
                if due && met.is_none() {
                    met = Some((io::Error::new(fault.error, "simulated fault"), fault.reach));
                }
            }
        }
        met
    }
}
