//! From the name of an operation to its request.

#[allow(clippy::wildcard_imports, reason = "the table of operations names every request")]
use crate::model::api::*;
use crate::wire::json::Node;
use crate::wire::reply::ReplyError;
use crate::wire::schema;
#[cfg(feature = "__internals")]
use crate::wire::schema::{FromFields, Members};

/// Reads an `X-Amz-Target`, which must match exactly (rule WIRE-FRONT-3).
pub(crate) fn from_target(target: &str) -> Option<Operation> {
    target.strip_prefix("secretsmanager.").and_then(Operation::from_name)
}

macro_rules! read {
    (
        writes {
            $($write:ident $(<$value:ident>)? => $write_response:ty, $write_method:ident;)*
        }
        reads { $($read:ident => $read_response:ty, $read_method:ident;)* }
    ) => {
        /// Checks and reads the body of a request.
        pub(crate) fn read(operation: Operation, body: Node) -> Result<Request, ReplyError> {
            Ok(match operation {
                $(Operation::$write => schema::read::<$write>(body)?.into(),)*
                $(Operation::$read => schema::read::<$read>(body)?.into(),)*
            })
        }

        /// The members of an operation's request.
        #[cfg(feature = "__internals")]
        pub(crate) fn members(operation: Operation) -> Members {
            match operation {
                $(Operation::$write => <$write>::MEMBERS,)*
                $(Operation::$read => <$read>::MEMBERS,)*
            }
        }
    };
}

for_each_operation!(read);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_matches_to_the_letter() {
        assert_eq!(from_target("secretsmanager.GetSecretValue"), Some(Operation::GetSecretValue));
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
            assert_eq!(from_target(target), None, "{target:?}");
        }
    }
}
