//! The age clock (invariant I9): the only clock that decides when something is pruned or purged.
//!
//! A wall clock that is wrong by a year for an hour must not delete a secret. A clock that stays wrong
//! for a day cannot be distinguished from a right one. The rules:
//!
//! - **A1** The age clock never runs back. While a process runs, it advances at least as fast as the
//!   monotonic clock.
//! - **A2** It follows the wall clock as long as the wall clock agrees with the monotonic clock to within
//!   [`TOLERANCE_MILLIS`] since an anchor, so that many small steps do not add up. The anchor moves only
//!   when a process starts and when A4 counts something.
//! - **A3** While the vault was closed, an advance of the wall clock by at most [`STAND_MILLIS`] since
//!   the last note counts at once. A longer advance is a jump, and all of it is held back.
//! - **A4** Any other lead of the wall clock is held back. The part that has lasted for all of
//!   [`STAND_MILLIS`] counts. This period is measured by the monotonic clock while the process runs, and
//!   by the wall clock while the vault is closed. If the wall clock returns earlier, nothing is counted.
//! - **A5** A wall clock behind the age clock is ignored, so its return is not a forward jump. (After a
//!   wrong forward jump that lasted a day and was then corrected, closed periods do not count until the
//!   wall clock has caught up. Deleting late is safe; deleting early is not.)
//!
//! A wall clock that is wrong by more than a day therefore removes nothing early. One that is wrong by
//! less makes the age clock run ahead by at most its own error, however often it happens. Limits: a jump
//! that lasts looks like real time. So does a second forward jump of more than a day that happens while
//! the vault is closed and the first jump is still held back.
//!
//! ```text
//! wall   ----.        +400 d for 23 h        .-----      one that stands:  ---.
//!             `-----.                 .-----'                                  `--------------
//! age    -----------+-- elapsed only ---------            age              ------ 24 h ------|
//! ```
//!
//! This code is pure: it has no lock and reads no clock. The monotonic clock of a suspended machine stands
//! still, so a suspension looks like a jump and counts a day late.

use super::UnixMillis;
use std::time::Duration;

/// How long an unexplained advance of the wall clock must last before it counts: 24 h. Also the longest
/// closed period that counts at once.
pub const STAND_MILLIS: i64 = 24 * 60 * 60 * 1000;

/// How much the two clocks may disagree since the anchor before it counts as a jump: 1 min. Slewing,
/// rounding and small steps of the time service stay below this.
pub const TOLERANCE_MILLIS: i64 = 60 * 1000;

/// State of the age clock, stored with every frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct AgeNote {
    /// The wall clock at the last reading.
    pub wall: UnixMillis,
    /// The age clock at the last reading.
    pub age: UnixMillis,
    /// How much of the wall clock's advance has been held back since `held_since`; 0 for none. (`wall`
    /// may be ahead by more; the period of the rest has not begun yet.)
    pub held_millis: i64,
    /// When holding back began (wall clock); equal to `wall` if nothing is held back.
    pub held_since: UnixMillis,
}

/// An advance of the wall clock that is held back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Held {
    /// The smallest lead of the wall clock since this began; above 0.
    millis: i64,
    /// How long it has lasted.
    stood: Duration,
}

/// The age clock of one running process. See the module for its rules.
#[derive(Clone, Debug)]
pub struct AgeClock {
    /// The anchor: the age from which monotonic time is counted (A2).
    anchor_age: UnixMillis,
    anchor_monotonic: Duration,
    age: UnixMillis,
    wall: UnixMillis,
    monotonic: Duration,
    held: Option<Held>,
}

impl AgeClock {
    /// The clock of a new vault: the age starts at the wall clock.
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

    /// The clock of an existing vault, for a process that starts now. `note` is the last stored state.
    #[must_use]
    pub fn from_note(note: AgeNote, wall: UnixMillis, monotonic: Duration) -> Self {
        let advance = wall.since(note.wall).max(0);
        // Counted from the lower of both clocks: a wall clock that was behind must first catch up (A5),
        // and a lead that was held back must not count as part of this closed period.
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

    /// The age at this moment. Call it at least once an hour, because jumps between two readings
    /// go unnoticed.
    pub fn now(&mut self, wall: UnixMillis, monotonic: Duration) -> UnixMillis {
        let elapsed = monotonic.saturating_sub(self.monotonic);
        self.monotonic = self.monotonic.max(monotonic);
        self.wall = wall;

        let run = self.monotonic.saturating_sub(self.anchor_monotonic);
        let explained = self.anchor_age.plus(millis(run));
        // A wall clock beyond the tolerance gains nothing. Otherwise each start would grant one tolerance.
        let followed = if wall <= explained.plus(TOLERANCE_MILLIS) { wall } else { explained };
        self.age = self.age.max(explained).max(followed);

        if let Some(held) = &mut self.held {
            held.stood = held.stood.saturating_add(elapsed);
        }
        self.settle();
        self.age
    }

    /// The state to store, as of the last reading.
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

    /// Counts the lead that has lasted long enough (A4) and measures the current one.
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
