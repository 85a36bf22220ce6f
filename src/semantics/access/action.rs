//! The operations, as access rules tell them apart.

use crate::model::api::{self, for_each_operation};
use crate::secret::PayloadKind;
use crate::semantics::validate::Check;

/// What is left of a value once it was sealed.
type V = PayloadKind;

macro_rules! define {
    (
        writes { $($write:ident $(<$value:ident>)? => $write_response:ty, $write_method:ident;)* }
        reads { $($read:ident => $read_response:ty, $read_method:ident;)* }
    ) => {
        /// An operation, by its name in policies.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Action {
            /// Checked at the replica when its primary's account associates it.
            AcceptCrossAccountReplication,
            $(#[doc = concat!("`", stringify!($write), "`")] $write,)*
            $(#[doc = concat!("`", stringify!($read), "`")] $read,)*
        }

        impl Action {
            /// Its name, without `secretsmanager:`.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    Self::AcceptCrossAccountReplication => "AcceptCrossAccountReplication",
                    $(Self::$write => stringify!($write),)*
                    $(Self::$read => stringify!($read),)*
                }
            }

            /// Whether it changes the secret that it is about, and so is refused on a replica (SEM-REPL-5).
            pub(crate) fn changes_the_secret(self) -> bool {
                !matches!(self, $(Self::$read)|*)
            }

            /// Whether it changes only what a replica in another account has of its own. Such an operation
            /// is allowed on the replica (SEM-XREPL-6).
            pub(crate) fn is_about_a_replicas_own(self) -> bool {
                match self {
                    Self::AcceptCrossAccountReplication => false,
                    $(Self::$write => <api::$write $(<$value>)?>::IS_ABOUT_A_REPLICAS_OWN,)*
                    $(Self::$read => <api::$read>::IS_ABOUT_A_REPLICAS_OWN,)*
                }
            }

            /// Whether the owner may always do it. Otherwise a policy could lock the owner out for good
            /// (SEM-ACCESS-3).
            pub(super) fn is_always_the_owners(self) -> bool {
                match self {
                    Self::AcceptCrossAccountReplication => false,
                    $(Self::$write => <api::$write $(<$value>)?>::IS_ALWAYS_THE_OWNERS,)*
                    $(Self::$read => <api::$read>::IS_ALWAYS_THE_OWNERS,)*
                }
            }
        }
    };
}

for_each_operation!(define);
