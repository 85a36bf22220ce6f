//! What the engine that rotates secrets and the commit pipeline tell each other.

use crate::env::UnixMillis;
use crate::model::name::{Scope, VersionId};
use crate::model::record::RecordId;
use crate::model::rotation::RotationStep;

/// Asks what a secret's rotation has to do, and says what became of the last call.
#[derive(Clone, Debug)]
pub struct AdvanceRotation {
    /// The secret.
    pub id: RecordId,
    /// The token of a rotation that the schedule begins.
    pub fresh_token: VersionId,
    /// What became of a call of the function.
    pub report: Option<RotationReport>,
}

/// What became of a call of the function.
#[derive(Clone, Debug)]
pub struct RotationReport {
    /// The rotation.
    pub token: VersionId,
    /// The step that was called.
    pub step: RotationStep,
    /// Whether the function succeeded.
    pub succeeded: bool,
}

/// A call to make of a rotation function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RotationCall {
    /// The account and region of the secret.
    pub scope: Scope,
    /// The secret's full ARN.
    pub arn: String,
    /// Which function.
    pub function: String,
    /// The rotation's version.
    pub token: VersionId,
    /// The step to call.
    pub step: RotationStep,
    /// First give the version, which has none, a copy of the current value.
    pub wants_copy: bool,
}

/// What a secret's rotation has to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RotationTurn {
    /// The call to make now.
    pub call: Option<RotationCall>,
    /// When to ask again, by the wall clock; `None`: not before something changes.
    pub due: Option<UnixMillis>,
}
