//! What the commit pipeline plans: checked requests and the vault's own upkeep.

use super::fault::Fault;
use super::operation::Decide;
use super::plan::{Context, Outcome, View};
use super::validate::{Checked, Value};
use crate::env::UnixMillis;
use crate::model::api::{self, AdvanceRotation, Write, for_each_operation};
use crate::model::{RecordId, Seq};
use crate::secret::PayloadKind;

/// What is left of a value once it was sealed.
type V = PayloadKind;

/// Everything that changes the vault: what [`plan`](super::plan()) decides about.
#[allow(clippy::large_enum_variant, reason = "made once a request and passed on boxed")]
pub enum Command {
    /// A request.
    Write(CheckedWrite),
    /// The vault's own.
    Upkeep(Upkeep),
}

/// What the vault changes by itself.
#[derive(Clone, Debug)]
pub enum Upkeep {
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
        /// The secret that has the version.
        id: RecordId,
        /// The version.
        seq: Seq,
        /// The secret that was read: a replica, or the one that has the version.
        on: RecordId,
        /// Midnight UTC of the day.
        day: UnixMillis,
    },
}

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
        /// A write that passed its checks, with its value sealed.
        pub enum CheckedWrite {
            $(#[doc = concat!("`", stringify!($write), "`")] $write(Checked<api::$write $(<$value>)?>),)*
        }

        impl CheckedWrite {
            /// Checks a write and seals its value, if it has one.
            pub(crate) fn seal<P: Value, S, E: From<Fault>>(
                write: Write<P>,
                seal: impl FnOnce(P) -> Result<S, E>,
            ) -> Result<(Self, Option<S>), E> {
                Ok(match write {
                    $(Write::$write(request) => {
                        let (request, sealed) = checked!(request, seal, $(<$value>)?);
                        (Self::$write(request), sealed)
                    })*
                })
            }

            /// Checks a write whose value was sealed.
            pub fn check(write: Write<V>) -> Result<Self, Fault> {
                Ok(match write {
                    $(Write::$write(request) => Self::$write(Checked::new(request)?),)*
                })
            }

            /// Decides the write by the rules of its operation.
            pub(crate) fn decide<S: View>(&self, view: &S, context: &Context) -> Outcome<S> {
                match self {
                    $(Self::$write(request) => Decide::decide(view, context, request),)*
                }
            }

            fn grows(&self) -> bool {
                match self {
                    $(Self::$write(_) => <api::$write $(<$value>)?>::GROWS,)*
                }
            }

            fn needs_suffix(&self) -> bool {
                match self {
                    $(Self::$write(_) => <api::$write $(<$value>)?>::NEEDS_SUFFIX,)*
                }
            }

            fn is_alone(&self) -> bool {
                match self {
                    $(Self::$write(_) => <api::$write $(<$value>)?>::IS_ALONE,)*
                }
            }

            fn replicas(&self) -> usize {
                match self {
                    $(Self::$write(request) => request.replicas(),)*
                }
            }
        }
    };
}

for_each_operation!(define);

impl Command {
    /// Whether it needs space for good. Such commands are refused first when the disk is full.
    #[must_use]
    pub fn grows(&self) -> bool {
        match self {
            Self::Write(write) => write.grows(),
            Self::Upkeep(upkeep) => matches!(upkeep, Upkeep::Touch { .. }),
        }
    }

    /// Whether it needs a fresh ARN suffix.
    #[must_use]
    pub fn needs_suffix(&self) -> bool {
        matches!(self, Self::Write(write) if write.needs_suffix())
    }

    /// Whether it gets a batch of its own.
    #[must_use]
    pub fn is_alone(&self) -> bool {
        matches!(self, Self::Write(write) if write.is_alone())
    }

    /// How many replicas it may make.
    #[must_use]
    pub fn replicas(&self) -> usize {
        match self {
            Self::Write(write) => write.replicas(),
            Self::Upkeep(_) => 0,
        }
    }
}

impl From<Upkeep> for Command {
    fn from(upkeep: Upkeep) -> Self {
        Self::Upkeep(upkeep)
    }
}
