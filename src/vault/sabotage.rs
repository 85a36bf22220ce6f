//! Promises to break on purpose, so that a harness can prove that it would notice. Compiled only
//! with the feature `sabotage`, which no release binary has (`tests/release_binary.rs`).

/// Found in a binary that was built with these switches.
#[used]
pub static MARKER: [u8; 30] = *b"strongroom-sabotage-switches-1";

/// One switch per known-bad build.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools)] // each breaks another promise
pub struct Sabotage {
    /// Answers a batch before its sync (breaks I1).
    pub ack_before_sync: bool,
    /// Prunes and purges by raw wall time (breaks I9).
    pub age_by_wall: bool,
    /// Drops the old epoch before the last re-wrap is done (breaks I10).
    pub drop_epoch_early: bool,
    /// Answers a no-op when it is planned, before the sync of its batch (breaks I1).
    pub noop_at_plan_time: bool,
    /// Answers a batch while its frame still waits in memory, to be written with the next (breaks I1).
    pub hold_frames_back: bool,
    /// Heals the log from a state that lacks operations (breaks I6).
    pub heal_from_lagging: bool,
    /// Accepts a frame whose MAC does not hold (breaks I5).
    pub skip_frame_mac: bool,
    /// Syncs the log a second time where the first failed, and believes that (breaks I4).
    pub retry_failed_sync: bool,
    /// Accepts the last frame after a crash without writing and syncing it again (breaks I5).
    pub skip_rewrite_of_last_frame: bool,
    /// Frees segments and snapshots before the new snapshot was read back (breaks I6).
    pub free_before_read_back: bool,
    /// Serves a state that is there as it is, whatever the log says (breaks I6).
    pub believe_state: bool,
    /// Tries a key that does not fit on the keystore's other copy, too (breaks the twin's rule).
    pub second_copy_for_wrong_key: bool,
    /// Wraps a data key under the epoch of the moment when its value was sealed (breaks I10).
    pub wrap_when_sealed: bool,
}
