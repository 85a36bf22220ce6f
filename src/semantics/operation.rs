//! What the rules of an operation are made of. Each operation has them in one file, next to its
//! [`Check`]; the table of operations leads there.

use super::plan::{Context, Outcome, Refusal, View};
use super::validate::{Check, Checked};
use crate::model::Scope;

/// An operation that writes.
pub(crate) trait Decide: Check + Sized {
    /// Whether it needs space for good. Such operations are refused first when the disk is full.
    const GROWS: bool = false;

    /// Whether it makes a secret, or answers with an ARN for one that is not there.
    const NEEDS_SUFFIX: bool = false;

    /// Whether it gets a batch of its own: how much it copies is known only when it is planned, or it
    /// changes two of the largest records.
    const IS_ALONE: bool = false;

    /// How many replicas it may make, each with a record.
    fn replicas(&self) -> usize {
        0
    }

    /// Decides a checked request: its effects and its answer, or why it is refused.
    fn decide<V: View>(view: &V, context: &Context, request: &Checked<Self>) -> Outcome<V>;
}

/// An operation that reads, as far as the rules answer it.
pub trait Look: Check + Sized {
    /// What it finds: the response, unless `vault` has to open a value first.
    type Found;

    /// Whether it looks at one secret only.
    const IS_OF_ONE_SECRET: bool = true;

    /// Answers a checked request.
    fn look<V: View>(
        view: &V,
        scope: &Scope,
        request: &Checked<Self>,
    ) -> Result<Self::Found, Refusal<V::Error>>;
}
