//! One bug at a time, planted on purpose in this thread, so that a fuzz target can prove that it would
//! find it (`tests/planted_bugs.rs`). Compiled only with the feature `sabotage`, which no release
//! binary has. It stands at the bottom because every layer may ask.

use std::cell::Cell;

/// A promise that is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// A label that moves stays where it was, too (SEM-STAGE-1).
    LabelOnTwoVersions,
    /// AWSPREVIOUS stays where it is when AWSCURRENT moves (SEM-STAGE-3).
    PreviousNotMoved,
    /// Versions younger than a day are pruned (SEM-KEEP-3).
    PrunedTooEarly,
    /// A used token is taken for a replay whatever the value (SEM-TOKEN-10).
    TokenReuseAccepted,
    /// The pruner purges scheduled secrets before their window is over (SEM-DEL-11).
    PurgedAtOnce,
    /// A restored secret has lost its policy (SEM-POLICY-13).
    RestoreForgetsPolicy,
    /// A replica does not show its primary's versions (SEM-REPL-2).
    ReplicaShowsNothing,
    /// A replica that becomes a secret of its own loses its current version (SEM-REPL-12).
    PromotionLosesCurrent,
    /// The next page leaves out a secret (SEM-LIST-6).
    PageOmitsSecret,
    /// Of two writers in one batch the first loses a row in the state.
    BatchLosesRow,
    /// A batch is answered before it is synced (I1).
    AnsweredBeforeSync,
    /// A frame is accepted whose MAC does not hold (I5).
    TornFrameAccepted,
    /// A data key is wrapped under the epoch in which its value was sealed (I10).
    WrappedUnderOldEpoch,
    /// A failed sync is done again and believed (I4).
    FailedSyncRepeated,
}

impl Bug {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::LabelOnTwoVersions,
        Self::PreviousNotMoved,
        Self::PrunedTooEarly,
        Self::TokenReuseAccepted,
        Self::PurgedAtOnce,
        Self::RestoreForgetsPolicy,
        Self::ReplicaShowsNothing,
        Self::PromotionLosesCurrent,
        Self::PageOmitsSecret,
        Self::BatchLosesRow,
        Self::AnsweredBeforeSync,
        Self::TornFrameAccepted,
        Self::WrappedUnderOldEpoch,
        Self::FailedSyncRepeated,
    ];
}

thread_local! {
    static PLANTED: Cell<Option<Bug>> = const { Cell::new(None) };
}

/// Plants a bug in this thread, or takes it out.
pub fn plant(bug: Option<Bug>) {
    PLANTED.set(bug);
}

/// The bug of this thread.
#[must_use]
pub fn planted() -> Option<Bug> {
    PLANTED.get()
}

/// Whether this thread has this bug.
#[must_use]
pub fn has(bug: Bug) -> bool {
    planted() == Some(bug)
}
