//! The decision about one mutation.

use super::answer::Answer;
use super::effect::Effect;
use super::view::View;
use crate::semantics::fault::Fault;

/// The decision about one mutation. No effects: nothing changes, the answer still waits for the
/// batch's sync (I1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// At most 256 rows' worth, in no particular order; no two about the same row.
    pub effects: Vec<Effect>,
    /// For the caller.
    pub answer: Answer,
}

/// Why there is no plan: AWS's refusal, or a view that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal<E> {
    /// The operation is refused, in AWS's words.
    Fault(Fault),
    /// The view failed.
    View(E),
}

impl<E> From<Fault> for Refusal<E> {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// What planning gives.
pub(crate) type Outcome<V> = Result<Plan, Refusal<<V as View>::Error>>;

/// A plan that changes nothing.
pub(crate) fn nothing(answer: Answer) -> Plan {
    Plan { effects: Vec::new(), answer }
}
