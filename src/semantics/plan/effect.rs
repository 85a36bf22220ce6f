//! The changes that a plan asks for.

use crate::env::UnixMillis;
use crate::model::{RecordId, SecretRecord, Seq, Stage, VersionRecord};

/// One change that a plan asks for. `vault` turns each into rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Writes the secret's record. `vault` sets `lsn`. Every plan with effects holds this or
    /// [`Effect::DropSecret`] for each secret that it touches (I3).
    PutSecret(SecretRecord),
    /// Binds the record's name to its id.
    BindName(SecretRecord),
    /// Frees the record's name.
    FreeName(SecretRecord),
    /// Removes the record of a dead secret or of a replica: the last of its rows.
    DropSecret(RecordId),
    /// Writes a version's metadata and, for a new version, its token row.
    PutVersion(VersionRecord),
    /// Stores the request's sealed value as the value of the version, which a `PutVersion` of the
    /// same plan describes (`vault` fills its `payload`).
    AttachPayload(Seq),
    /// Stores a copy of another version's value, sealed anew, as the value of the version `to` of
    /// the secret `id`, which a `PutVersion` of the same plan describes (`vault` fills its `payload`).
    CopyPayload {
        /// Whose value.
        from: VersionRecord,
        /// The secret that gets it.
        id: RecordId,
        /// Its version that gets it.
        to: Seq,
    },
    /// Removes a version: metadata with its wrapped key, token, chunks.
    DropVersion(VersionRecord),
    /// Puts a label on a version, taking it from any other.
    SetStage(RecordId, Stage, Seq),
    /// Removes a label.
    DropStage(RecordId, Stage),
    /// Notes that something was purged, so that the epoch is switched in time (I10).
    NotePurge(UnixMillis),
}

/// Chunks of the longest value: 65,536 bytes, padded, with nonce, length and tag.
const CHUNKS_MAX: usize = 17;

/// Rows that an effect touches, at most. [`OPERATION_ROWS_MAX`](crate::model::limits::OPERATION_ROWS_MAX)
/// counts them (I2).
#[must_use]
pub fn rows(effect: &Effect) -> usize {
    match effect {
        Effect::PutSecret(_)
        | Effect::DropSecret(_)
        | Effect::BindName(_)
        | Effect::FreeName(_)
        | Effect::SetStage(..)
        | Effect::DropStage(..)
        | Effect::NotePurge(_) => 1,
        Effect::PutVersion(_) => 2,
        Effect::AttachPayload(_) => CHUNKS_MAX,
        // Of equal length, so as many chunks.
        Effect::CopyPayload { from, .. } => {
            from.payload.map_or(0, |payload| usize::from(payload.chunks))
        }
        Effect::DropVersion(version) => {
            2 + version.payload.map_or(0, |payload| usize::from(payload.chunks))
        }
    }
}
