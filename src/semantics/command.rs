//! What the commit pipeline plans: checked requests and the vault's own upkeep.

use super::fault::Fault;
use super::validate::Checked;
use crate::env::UnixMillis;
use crate::model::api::{self, AdvanceRotation, Mutation, Write, for_each_operation};
use crate::model::{RecordId, Seq};
use crate::secret::{PayloadKind, SecretValue};

/// What is left of a value once it was sealed.
type V = PayloadKind;

/// Checks a request; with `<V>`, it has a value, which is sealed.
macro_rules! checked {
    ($request:expr, $seal:expr, <$value:ident>) => {
        Checked::new($request)?.seal($seal)?
    };
    ($request:expr, $seal:expr,) => {
        (Checked::new($request)?, None)
    };
}

macro_rules! define {
    (
        writes { $($write:ident $(<$value:ident>)? => $response:ty, $method:ident;)* }
        reads { $($reads:tt)* }
    ) => {
        /// Everything that changes the vault, checked and its value sealed: what [`plan`](super::plan())
        /// decides about.
        pub enum Command {
            $(#[doc = concat!("`", stringify!($write), "`")] $write(Checked<api::$write $(<$value>)?>),)*
            /// Advances a secret's rotation by one step.
            AdvanceRotation(AdvanceRotation),
            /// Removes some versions that retention lets go (bounded; asked for again while it removes).
            Prune(RecordId),
            /// Purges a secret whose recovery window is over.
            Purge(RecordId),
            /// Removes some rows of a dead secret (bounded; asked for again while it removes).
            Sweep(RecordId),
            /// Records that a version's value was read on a day (midnight UTC).
            Touch {
                /// The secret.
                id: RecordId,
                /// The version.
                seq: Seq,
                /// Midnight UTC of the day.
                day: UnixMillis,
            },
        }

        impl Command {
            /// Checks a write and seals its value, if it has one.
            pub(crate) fn seal<S, E: From<Fault>>(
                write: Write,
                seal: impl FnOnce(SecretValue) -> Result<S, E>,
            ) -> Result<(Self, Option<S>), E> {
                Ok(match write {
                    $(Write::$write(request) => {
                        let (request, sealed) = checked!(request, seal, $(<$value>)?);
                        (Self::$write(request), sealed)
                    })*
                })
            }

            /// Checks a mutation whose value was sealed.
            pub fn check(mutation: Mutation) -> Result<Self, Fault> {
                Ok(match mutation {
                    $(Mutation::$write(request) => Self::$write(Checked::new(request)?),)*
                    Mutation::AdvanceRotation(request) => Self::AdvanceRotation(request),
                    Mutation::Prune(id) => Self::Prune(id),
                    Mutation::Purge(id) => Self::Purge(id),
                    Mutation::Sweep(id) => Self::Sweep(id),
                    Mutation::Touch { id, seq, day } => Self::Touch { id, seq, day },
                })
            }
        }
    };
}

for_each_operation!(define);
