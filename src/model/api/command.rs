//! What the commit pipeline decides about: requests and the vault's own upkeep.

use super::operations::for_each_operation;
#[allow(clippy::wildcard_imports, reason = "the table of operations names every request")]
use super::{
    cross_account::*, policy::*, replication::*, rotation::*, secrets::*, tags::*, values::*,
};
use crate::env::UnixMillis;
use crate::model::name::{Scope, VersionId};
use crate::model::record::{RecordId, Seq};
use crate::model::rotation::RotationStep;
use crate::secret::PayloadKind;

/// What is left of a value once it was sealed.
type V = PayloadKind;

macro_rules! define {
    (
        writes { $($write:ident $(<$value:ident>)? => $response:ty, $method:ident;)* }
        reads { $($reads:tt)* }
    ) => {
        /// Everything that changes the vault, its value sealed and nothing checked yet.
        #[derive(Debug)]
        pub enum Mutation {
            $(#[doc = concat!("`", stringify!($write), "`")] $write($write $(<$value>)?),)*
            /// Takes a secret's rotation one step on.
            AdvanceRotation(AdvanceRotation),
            /// Removes some versions that retention lets go (bounded; asked for again while it removes).
            Prune(RecordId),
            /// Purges a secret whose recovery window is over.
            Purge(RecordId),
            /// Removes some rows of a dead secret (bounded; asked for again while it removes).
            Sweep(RecordId),
            /// Notes that a version's value was read on a day (midnight UTC).
            Touch {
                /// The secret.
                id: RecordId,
                /// The version.
                seq: Seq,
                /// Midnight UTC of the day.
                day: UnixMillis,
            },
        }
    };
}

for_each_operation!(define);

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
