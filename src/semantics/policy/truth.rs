//! Yes, no, or undecided.

/// Whether something holds. Undecided counts against the caller: an Allow needs a yes, a Deny is
/// stopped by nothing but a no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Truth {
    Yes,
    No,
    Undecided,
}

impl Truth {
    pub(super) fn of(holds: bool) -> Self {
        if holds { Self::Yes } else { Self::No }
    }

    /// Both hold.
    pub(super) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Yes, Self::Yes) => Self::Yes,
            _ => Self::Undecided,
        }
    }

    /// One of them holds, at least.
    pub(super) fn any(truths: impl Iterator<Item = Self>) -> Self {
        let not = |truth: Self| truth.negated_if(true);
        not(truths.map(not).fold(Self::Yes, Self::and))
    }

    /// The opposite, if asked for.
    pub(super) fn negated_if(self, negated: bool) -> Self {
        match self {
            Self::Yes if negated => Self::No,
            Self::No if negated => Self::Yes,
            same => same,
        }
    }
}
