//! A staging label that has moved, as an event tells it.

use super::name::{Arn, Stage, VersionId};
use crate::env::UnixMillis;

/// A staging label that has moved to another version of its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelMove {
    /// The secret.
    pub arn: Arn,
    /// The label.
    pub stage: Stage,
    /// The version that the label is on now.
    pub version_id: VersionId,
    /// The date of the operation.
    pub at: UnixMillis,
}
