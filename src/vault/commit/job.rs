//! What travels to the commit pipeline.

use super::outbox::OutboxChange;
use crate::crypto::SealedValue;
use crate::error::Result;
use crate::model::{RecordId, Scope, Seq};
use crate::semantics::{Answer, Command};

/// Called once with the outcome, on the thread that has committed.
pub(crate) type Done = Box<dyn FnOnce(Result<Answer>) + Send>;

/// One operation for the commit pipeline: a part of a batch.
pub(crate) enum Job {
    /// Plans a mutation and commits it.
    Mutate(Box<Mutate>),
    /// Rewraps the data keys of these versions if they are still wrapped under an older epoch.
    Rewrap(Vec<(RecordId, Seq)>, Done),
    /// Removes the note that something was purged: an epoch switch has made the purge final.
    ClearPurge(Done),
    /// Writes a row of the vault's own in `meta`.
    Note(&'static [u8], Vec<u8>, Done),
    /// Changes the outbox of events.
    Outbox(OutboxChange, Done),
}

/// A mutation with its value sealed, its data key not yet wrapped.
pub(crate) struct Mutate {
    pub(crate) scope: Scope,
    pub(crate) mutation: Command,
    pub(crate) payload: Option<SealedValue>,
    pub(crate) done: Done,
}

impl Job {
    /// Who waits for the outcome.
    pub(super) fn into_done(self) -> Done {
        match self {
            Self::Mutate(job) => job.done,
            Self::Rewrap(_, done)
            | Self::ClearPurge(done)
            | Self::Note(_, _, done)
            | Self::Outbox(_, done) => done,
        }
    }
}
