//! The table of operations. Names, kinds, requests, responses and methods stand here and nowhere else: what
//! has to treat every operation gets the table from [`for_each_operation`].

#[allow(clippy::wildcard_imports, reason = "the table of operations names every request")]
use super::*;
use crate::secret::SecretValue;

/// Calls a macro with the table: `Request => Response, method of Vault;`. `<V>` marks the requests that carry a
/// value. Who calls it has the names of this module in scope.
macro_rules! for_each_operation {
    ($callback:ident) => {
        $callback! {
            writes {
                AssociateCrossAccountReplica
                    => AssociateCrossAccountReplicaResponse, associate_cross_account_replica;
                CancelRotateSecret => CancelRotateSecretResponse, cancel_rotate_secret;
                CreateSecret<V> => CreateSecretResponse, create_secret;
                DeleteResourcePolicy => DeleteResourcePolicyResponse, delete_resource_policy;
                DeleteSecret => DeleteSecretResponse, delete_secret;
                DisassociateCrossAccountReplica
                    => DisassociateCrossAccountReplicaResponse, disassociate_cross_account_replica;
                PutResourcePolicy => PutResourcePolicyResponse, put_resource_policy;
                PutSecretValue<V> => PutSecretValueResponse, put_secret_value;
                RemoveRegionsFromReplication
                    => RemoveRegionsFromReplicationResponse, remove_regions_from_replication;
                ReplicateSecretToRegions
                    => ReplicateSecretToRegionsResponse, replicate_secret_to_regions;
                RestoreSecret => RestoreSecretResponse, restore_secret;
                RotateSecret => RotateSecretResponse, rotate_secret;
                StopReplicationToReplica
                    => StopReplicationToReplicaResponse, stop_replication_to_replica;
                TagResource => (), tag_resource;
                UntagResource => (), untag_resource;
                UpdateSecret<V> => UpdateSecretResponse, update_secret;
                UpdateSecretVersionStage
                    => UpdateSecretVersionStageResponse, update_secret_version_stage;
            }
            reads {
                BatchGetSecretValue => BatchGetSecretValueResponse, batch_get_secret_value;
                DescribeSecret => DescribeSecretResponse, describe_secret;
                GetRandomPassword => GetRandomPasswordResponse, get_random_password;
                GetResourcePolicy => GetResourcePolicyResponse, get_resource_policy;
                GetSecretValue => GetSecretValueResponse, get_secret_value;
                ListResourcePolicies => ListResourcePoliciesResponse, list_resource_policies;
                ListSecretVersionIds => ListSecretVersionIdsResponse, list_secret_version_ids;
                ListSecrets => ListSecretsResponse, list_secrets;
                ValidateResourcePolicy => ValidateResourcePolicyResponse, validate_resource_policy;
            }
        }
    };
}

pub(crate) use for_each_operation;

/// A request of the API.
pub trait ApiRequest {
    /// Which operation it is of.
    const OPERATION: Operation;
    /// What the operation answers.
    type Response;

    /// The response of this operation; `None` if it is of another one.
    fn response_of(response: Response) -> Option<Self::Response>;
}

macro_rules! define {
    (
        writes {
            $($write:ident $(<$value:ident>)? => $write_response:ty, $write_method:ident;)*
        }
        reads { $($read:ident => $read_response:ty, $read_method:ident;)* }
    ) => {
        /// An operation of the API. Those of AWS that are not here are not served.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Operation {
            $(#[doc = concat!("`", stringify!($write), "`")] $write,)*
            $(#[doc = concat!("`", stringify!($read), "`")] $read,)*
        }

        impl Operation {
            /// All of them, by name.
            pub const ALL: &'static [Self] =
                &by_name([$(Self::$write,)* $(Self::$read,)*]);

            /// Its name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$write => stringify!($write),)*
                    $(Self::$read => stringify!($read),)*
                }
            }

            /// The operation of a name, which must match exactly.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $(stringify!($write) => Some(Self::$write),)*
                    $(stringify!($read) => Some(Self::$read),)*
                    _ => None,
                }
            }

            /// Whether it changes nothing.
            #[must_use]
            pub const fn only_reads(self) -> bool {
                matches!(self, $(Self::$read)|*)
            }
        }

        /// A request that changes the vault.
        #[derive(Debug)]
        pub enum Write<V = SecretValue> {
            $(#[doc = concat!("`", stringify!($write), "`")] $write($write $(<$value>)?),)*
        }

        /// A request that changes nothing.
        #[derive(Debug)]
        pub enum Read {
            $(#[doc = concat!("`", stringify!($read), "`")] $read($read),)*
        }

        /// What an operation answered.
        #[derive(Debug)]
        #[expect(clippy::large_enum_variant, reason = "passed on and taken apart, never stored")]
        pub enum Response {
            $(#[doc = concat!("Of `", stringify!($write), "`")] $write($write_response),)*
            $(#[doc = concat!("Of `", stringify!($read), "`")] $read($read_response),)*
        }

        impl<V> Write<V> {
            /// Which operation it is of.
            #[must_use]
            pub fn operation(&self) -> Operation {
                match self {
                    $(Self::$write(_) => Operation::$write,)*
                }
            }
        }

        impl Read {
            /// Which operation it is of.
            #[must_use]
            pub fn operation(&self) -> Operation {
                match self {
                    $(Self::$read(_) => Operation::$read,)*
                }
            }
        }

        $(
            impl $(<$value>)? ApiRequest for $write $(<$value>)? {
                const OPERATION: Operation = Operation::$write;
                type Response = $write_response;

                fn response_of(response: Response) -> Option<$write_response> {
                    if let Response::$write(response) = response { Some(response) } else { None }
                }
            }

            impl<V> From<$write $(<$value>)?> for Write<V> {
                fn from(request: $write $(<$value>)?) -> Self {
                    Self::$write(request)
                }
            }

            impl From<$write> for Request {
                fn from(request: $write) -> Self {
                    Self::Write(Write::$write(request))
                }
            }
        )*

        $(
            impl ApiRequest for $read {
                const OPERATION: Operation = Operation::$read;
                type Response = $read_response;

                fn response_of(response: Response) -> Option<$read_response> {
                    if let Response::$read(response) = response { Some(response) } else { None }
                }
            }

            impl From<$read> for Read {
                fn from(request: $read) -> Self {
                    Self::$read(request)
                }
            }

            impl From<$read> for Request {
                fn from(request: $read) -> Self {
                    Self::Read(Read::$read(request))
                }
            }
        )*
    };
}

for_each_operation!(define);

/// Sorts operations by name.
#[expect(clippy::indexing_slicing, reason = "it runs while the program is compiled")]
const fn by_name<const N: usize>(mut all: [Operation; N]) -> [Operation; N] {
    let mut end = 1;
    while end < N {
        let mut at = end;
        while at > 0 && is_before(all[at].name(), all[at - 1].name()) {
            (all[at - 1], all[at]) = (all[at], all[at - 1]);
            at -= 1;
        }
        end += 1;
    }
    all
}

const fn is_before(one: &str, other: &str) -> bool {
    let (mut one, mut other) = (one.as_bytes(), other.as_bytes());
    while let ([a, one_rest @ ..], [b, other_rest @ ..]) = (one, other) {
        if *a != *b {
            return *a < *b;
        }
        (one, other) = (one_rest, other_rest);
    }
    one.len() < other.len()
}

/// A request of any operation.
#[derive(Debug)]
pub enum Request {
    /// It changes the vault.
    Write(Write),
    /// It changes nothing.
    Read(Read),
}

impl Request {
    /// Which operation it is of.
    #[must_use]
    pub fn operation(&self) -> Operation {
        match self {
            Self::Write(write) => write.operation(),
            Self::Read(read) => read.operation(),
        }
    }
}

impl From<Write> for Request {
    fn from(write: Write) -> Self {
        Self::Write(write)
    }
}

impl From<Read> for Request {
    fn from(read: Read) -> Self {
        Self::Read(read)
    }
}
