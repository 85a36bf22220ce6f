//! Background maintenance of an open vault.
//!
//! It decides nothing itself. The commit pipeline asks `semantics` what may be removed, as for any other
//! operation. Work on the log and the state is begun and finished on the pipeline; only its long middle part
//! (copying, syncing) runs here.
//!
//! - [`maintainer`]: what maintenance works on, and its locks.
//! - [`due`]: finds secrets and versions that can go, and has them removed.
//! - [`anchoring`]: keeps the anchor file at the end of the log.
//! - [`compaction`]: compacts the log and makes checkpoints of the state.
//! - [`key_rotation`]: switches the epoch and changes the passphrase.
//! - [`pass`]: one round of all of it, in the background or on demand.
//! - [`threads`]: the threads.

pub(crate) mod anchoring;
pub(crate) mod compaction;
pub(crate) mod due;
pub(crate) mod key_rotation;
pub(crate) mod maintainer;
pub(crate) mod pass;
pub(crate) mod threads;
