//! The age clock (invariant I9): the only time by which anything is pruned or purged.
//!
//! A wall clock that is wrong by a year for an hour must not delete a secret. One that is wrong for a
//! day cannot be told from a right one. Therefore:
//!
//! - **A1** The age clock never runs back, and while a process runs it always goes on with the
//!   monotonic clock.
//! - **A2** It follows the wall clock as far as the monotonic clock explains it, give or take
//!   [`TOLERANCE_MILLIS`] since an anchor (so many small steps do not add up). The anchor moves
//!   only when a process starts and when A4 counts something.
//! - **A3** Across a closed period, an advance of the wall clock by at most [`STAND_MILLIS`] since
//!   the last note counts at once; a longer one is a jump and all of it is held back.
//! - **A4** What the wall clock is ahead beyond that is held back. The part that has been there for
//!   all of [`STAND_MILLIS`] counts: measured by the monotonic clock while the process runs, by
//!   the wall clock across closed periods. If the wall clock comes back, nothing has happened.
//! - **A5** While the wall clock is behind the age clock it is ignored, so its return is no forward
//!   jump. (After a wrong forward jump that lasted a day and was then corrected, closed periods do not
//!   count until the wall clock has caught up. To delete late is safe; to delete early is not.)
//!
//! So a wall clock that is wrong by more than a day removes nothing early, and one that is wrong
//! by less makes the age clock run ahead by at most what it is wrong by, however often. Limits: a
//! jump that lasts is not distinguishable from time; nor is a second jump forward by more than a
//! day that happens while the vault is closed and the first one is still held.
//!
//! ```text
//! wall   ----.        +400 d for 23 h        .-----      one that stands:  ---.
//!             `-----.                 .-----'                                  `--------------
//! age    -----------+-- elapsed only ---------            age              ------ 24 h ------|
//! ```
//!
//! Pure: no lock, no clock of its own. A suspended machine, whose monotonic clock stands still,
//! looks like a jump and is counted a day late.

use super::UnixMillis;
use std::time::Duration;

/// How long a wall clock must stand before its unexplained advance is believed: 24 h. Also the
/// longest closed period that is believed at once.
pub const STAND_MILLIS: i64 = 24 * 60 * 60 * 1000;

/// By how much the two clocks may disagree (slewing, rounding, a step of the time service) since
/// the anchor before it is called a jump: 1 min.
pub const TOLERANCE_MILLIS: i64 = 60 * 1000;

/// State of the age clock as it is stored with every frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct AgeNote {
    /// The wall clock at the last reading.
    pub wall: UnixMillis,
    /// The age clock then.
    pub age: UnixMillis,
    /// How much of the wall clock's advance is held back and has stood since `held_since`; 0 for
    /// none. (`wall` may be ahead by more: the rest has not begun to stand yet.)
    pub held_millis: i64,
    /// Since when (wall clock) it is held back; equal to `wall` if nothing is.
    pub held_since: UnixMillis,
}

/// An advance of the wall clock that waits to be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Held {
    /// The least that the wall clock was ahead since this began; above 0.
    millis: i64,
    /// For how long.
    stood: Duration,
}

/// The age clock of one running process. See the module for its rules.
#[derive(Clone, Debug)]
pub struct AgeClock {
    /// The age that the monotonic clock alone is counted from (A2).
    anchor_age: UnixMillis,
    anchor_monotonic: Duration,
    age: UnixMillis,
    wall: UnixMillis,
    monotonic: Duration,
    held: Option<Held>,
}

impl AgeClock {
    /// The clock of a new vault: age is what the wall clock says.
    #[must_use]
    pub fn fresh(wall: UnixMillis, monotonic: Duration) -> Self {
        Self {
            anchor_age: wall,
            anchor_monotonic: monotonic,
            age: wall,
            wall,
            monotonic,
            held: None,
        }
    }

    /// The clock of a vault that was last seen at `note`, by a process that starts now.
    #[must_use]
    pub fn from_note(note: AgeNote, wall: UnixMillis, monotonic: Duration) -> Self {
        let advance = wall.since(note.wall).max(0);
        // Counted from the lesser of both clocks: a wall clock that was behind must first catch up
        // (A5), and one that was ahead is not believed any more for that.
        let age = if advance <= STAND_MILLIS {
            note.age.max(note.age.min(note.wall).plus(advance))
        } else {
            note.age
        };
        let held = (note.held_millis > 0).then(|| Held {
            millis: note.held_millis,
            stood: span(note.wall.since(note.held_since)).saturating_add(span(advance)),
        });
        let mut clock =
            Self { anchor_age: age, anchor_monotonic: monotonic, age, wall, monotonic, held };
        clock.settle();
        clock
    }

    /// The age at this moment. Call it at least every hour or so: what happens between two
    /// readings is not seen.
    pub fn now(&mut self, wall: UnixMillis, monotonic: Duration) -> UnixMillis {
        let elapsed = monotonic.saturating_sub(self.monotonic);
        self.monotonic = self.monotonic.max(monotonic);
        self.wall = wall;

        let run = self.monotonic.saturating_sub(self.anchor_monotonic);
        let explained = self.anchor_age.plus(millis(run));
        // A wall clock beyond the tolerance gets none of it: else every start would grant some.
        let followed = if wall <= explained.plus(TOLERANCE_MILLIS) { wall } else { explained };
        self.age = self.age.max(explained).max(followed);

        if let Some(held) = &mut self.held {
            held.stood = held.stood.saturating_add(elapsed);
        }
        self.settle();
        self.age
    }

    /// What to store, as of the last reading.
    #[must_use]
    pub fn note(&self) -> AgeNote {
        let (held_millis, stood) =
            self.held.map_or((0, 0), |held| (held.millis, millis(held.stood)));
        AgeNote {
            wall: self.wall,
            age: self.age,
            held_millis,
            held_since: self.wall.plus(stood.saturating_neg()),
        }
    }

    /// Counts what has stood long enough (A4) and looks at what is ahead now.
    fn settle(&mut self) {
        let ahead = self.wall.since(self.age);
        self.held = self
            .held
            .map(|held| Held { millis: held.millis.min(ahead), ..held })
            .filter(|held| held.millis > 0);
        if let Some(held) = self.held
            && held.stood >= span(STAND_MILLIS)
        {
            self.age = self.age.plus(held.millis);
            self.anchor_age = self.age;
            self.anchor_monotonic = self.monotonic;
            self.held = None;
        }
        let ahead = self.wall.since(self.age);
        if self.held.is_none() && ahead > 0 {
            self.held = Some(Held { millis: ahead, stood: Duration::ZERO });
        }
    }
}

fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

fn span(millis: i64) -> Duration {
    Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}

#[cfg(test)]
mod tests;
