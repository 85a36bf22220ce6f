//! What the rules may use besides the vault's state: who asks, when, and fresh identities.

use crate::env::UnixMillis;
use crate::model::{Lsn, Scope, Suffix};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The two readings of time that rules use (I9). Neither gives order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// The wall clock, which dates what users see.
    pub wall: UnixMillis,
    /// The age clock: the only one that prunes and purges.
    pub age: UnixMillis,
}

/// How far a date may be ahead of both clocks before it counts as wrong: 24 h.
const AHEAD_MILLIS: i64 = 24 * 60 * 60 * 1000;

impl Now {
    /// The wall clock, but not before `earlier`, a date that was recorded already (SEM-DATE-1). A date that
    /// is more than a day ahead of both clocks was recorded by a wrong clock and holds nothing back: then it
    /// is the later one of both (SEM-DATE-7).
    pub(crate) fn not_before(self, earlier: UnixMillis) -> UnixMillis {
        if self.disbelieves(earlier) { self.wall.max(self.age) } else { self.wall.max(earlier) }
    }

    /// Whether `date` was recorded by a wrong clock: it is more than a day ahead of both (SEM-DATE-7).
    pub(crate) fn disbelieves(self, date: UnixMillis) -> bool {
        date > self.wall.max(self.age).plus(AHEAD_MILLIS)
    }
}

/// What a plan may use besides the view: who asks, when, and fresh identities.
#[derive(Clone, Debug)]
pub struct Context {
    /// The caller's account and region.
    pub scope: Scope,
    /// When.
    pub now: Now,
    /// The operation's place in the order, if it changes anything.
    pub lsn: Lsn,
    /// The ARN suffix that a secret made by this operation gets.
    pub suffix: Suffix,
    /// The rotation functions that can be called, by ARN.
    pub functions: Arc<BTreeSet<String>>,
}
