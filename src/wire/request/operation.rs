//! The operations that are served.

use crate::model::api::*;
use crate::vault::Write;
use crate::wire::json::Node;
use crate::wire::reply::Failure;
use crate::wire::schema::{FromFields, Members, read};

/// A request that the vault can answer.
pub(crate) enum Call {
    Write(Write),
    Read(Read),
}

macro_rules! operations {
    (writes { $($write:ident)* } reads { $($read:ident)* }) => {
        /// An operation of the API. Those of AWS that are not here are unknown to this server.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Operation { $($write,)* $($read,)* }

        /// A request that changes nothing.
        pub(crate) enum Read { $($read($read),)* }

        impl Operation {
            /// Reads an `X-Amz-Target`, which has to match to the letter (rule WIRE-FRONT-3).
            pub(crate) fn from_target(target: &str) -> Option<Self> {
                let name = target.strip_prefix("secretsmanager.")?;
                $(if name == stringify!($write) { return Some(Self::$write); })*
                $(if name == stringify!($read) { return Some(Self::$read); })*
                None
            }

            /// Whether it changes nothing.
            #[cfg(feature = "testkit")]
            pub(crate) fn only_reads(self) -> bool {
                matches!(self, $(Self::$read)|*)
            }

            /// The members of its request.
            #[cfg(feature = "__internals")]
            pub(crate) fn members(self) -> Members {
                match self {
                    $(Self::$write => <$write>::MEMBERS,)*
                    $(Self::$read => <$read>::MEMBERS,)*
                }
            }

            /// Checks and reads the body of a request.
            pub(crate) fn read(self, body: Node) -> Result<Call, Failure> {
                Ok(match self {
                    $(Self::$write => Call::Write(Write::$write(read(body)?)),)*
                    $(Self::$read => Call::Read(Read::$read(read(body)?)),)*
                })
            }
        }
    };
}

operations! {
    writes {
        AssociateCrossAccountReplica
        CancelRotateSecret
        CreateSecret
        DeleteResourcePolicy
        DeleteSecret
        DisassociateCrossAccountReplica
        PutResourcePolicy
        PutSecretValue
        RemoveRegionsFromReplication
        ReplicateSecretToRegions
        RestoreSecret
        RotateSecret
        StopReplicationToReplica
        TagResource
        UntagResource
        UpdateSecret
        UpdateSecretVersionStage
    }
    reads {
        BatchGetSecretValue
        DescribeSecret
        GetRandomPassword
        GetResourcePolicy
        GetSecretValue
        ListResourcePolicies
        ListSecretVersionIds
        ListSecrets
        ValidateResourcePolicy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_matches_to_the_letter() {
        assert_eq!(
            Operation::from_target("secretsmanager.GetSecretValue"),
            Some(Operation::GetSecretValue)
        );
        for target in [
            "",
            "secretsmanager",
            "secretsmanager.",
            "GetSecretValue",
            "secretsmanager.getsecretvalue",
            "SecretsManager.GetSecretValue",
            "secretsmanager.GetSecretValue ",
            "secretsmanager.secretsmanager.GetSecretValue",
            "secretsmanager.RotateSecrets",
            "dynamodb.GetSecretValue",
        ] {
            assert_eq!(Operation::from_target(target), None, "{target:?}");
        }
    }
}
