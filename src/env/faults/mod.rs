//! Promises that a test build breaks on purpose, so that each harness can prove that it would notice.
//!
//! Both sides offer the same type and functions. Without the feature `__faults` every answer is the constant
//! "no", so callers need no `cfg`, and a release binary has no switch (`tests/architecture/release_binary.rs`).
//!
//! - `enabled.rs`, `disabled.rs`: the switches of test builds, and the constants of all others

#[cfg(not(feature = "__faults"))]
mod disabled;
#[cfg(feature = "__faults")]
mod enabled;

#[cfg(not(feature = "__faults"))]
pub use disabled::*;
#[cfg(feature = "__faults")]
pub use enabled::*;

/// A promise to break: by a vault's own [`Faults`], by the faults of a thread, or by those of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Answers a batch before its sync (breaks I1).
    AckBeforeSync,
    /// Answers a no-op when it is planned, before the sync of its batch (breaks I1).
    NoopAtPlanTime,
    /// Answers a batch while its frame still waits in memory, to be written with the next (breaks I1).
    HoldFramesBack,
    /// Syncs the log a second time where the first failed, and believes that (breaks I4).
    RetryFailedSync,
    /// Accepts a frame whose MAC does not hold (breaks I5).
    SkipFrameMac,
    /// Accepts the last frame after a crash without writing and syncing it again (breaks I5).
    SkipRewriteOfLastFrame,
    /// Frees segments and snapshots before the new snapshot was read back (breaks I6).
    FreeBeforeReadBack,
    /// Frees segments and snapshots before the state below the memtable has their rows (breaks I6).
    FreeBeforeFlush,
    /// Removes the snapshot of an older format before the manifest names the new one (breaks I6).
    MigrationFreesFirst,
    /// Shows a batch to readers before its sync (breaks I3).
    PublishBeforeSync,
    /// Repairs the log from a state that lacks operations (breaks I6).
    RepairFromLagging,
    /// Serves a state that is there as it is, whatever the log says (breaks I6).
    BelieveState,
    /// Prunes and purges by raw wall time (breaks I9).
    AgeByWall,
    /// Drops the old epoch before the last re-wrap is done (breaks I10).
    DropEpochEarly,
    /// Wraps a data key under the epoch of the moment when its value was sealed (breaks I10).
    WrapWhenSealed,
    /// Tries a key that does not fit on the keystore's other copy, too (breaks the twin's rule).
    SecondCopyForWrongKey,
    /// Removes events before they are delivered (breaks SEM-EVENT-6).
    EventsRemovedFirst,
    /// Locks nothing but LOCK, and reaches every file by whatever its path leads to (breaks I11).
    LockFollowsPath,

    /// Leaves a label that moves where it was, too (SEM-STAGE-1).
    LabelOnTwoVersions,
    /// Leaves AWSPREVIOUS where it is when AWSCURRENT moves (SEM-STAGE-3).
    PreviousNotMoved,
    /// Prunes versions that are younger than a day (SEM-KEEP-3).
    PrunedTooEarly,
    /// Takes a used token for a replay whatever the value (SEM-TOKEN-10).
    TokenReuseAccepted,
    /// Purges scheduled secrets before their window is over (SEM-DEL-11).
    PurgedAtOnce,
    /// Restores a secret without its policy (SEM-POLICY-13).
    RestoreForgetsPolicy,
    /// Shows a replica without its primary's versions (SEM-REPL-2).
    ReplicaShowsNothing,
    /// Promotes a replica without its current version (SEM-REPL-12).
    PromotionLosesCurrent,
    /// Leaves a secret out of the next page (SEM-LIST-6).
    PageOmitsSecret,
    /// Loses a row of the first of several writers in one batch.
    BatchLosesRow,
    /// Leaves rows in the state that were removed before they were flushed (breaks MT2).
    FlushDropsTombstone,
    /// Names the end of a flush in its first transaction (breaks ST1).
    FlushNamesItsEnd,
    /// Keeps opened rows that have changed (breaks I3).
    KeepsStaleRow,

    /// Keeps the plaintext of every sealed box in the clear.
    NullCipher,
}
