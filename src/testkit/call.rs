//! Any operation of the API as a value: made by `arbitrary`, performed on a vault.

use crate::error::Result;
use crate::model::api::{
    AssociateCrossAccountReplica, AssociationResponse, BatchGetSecretValue,
    BatchGetSecretValueResponse, CancelRotateSecret, CreateSecret, DeleteResourcePolicy,
    DeleteSecret, DeleteSecretResponse, DescribeSecret, DescribeSecretResponse,
    DisassociateCrossAccountReplica, GetRandomPassword, GetResourcePolicy,
    GetResourcePolicyResponse, GetSecretValue, GetSecretValueResponse, ListResourcePolicies,
    ListResourcePoliciesResponse, ListSecretVersionIds, ListSecretVersionIdsResponse, ListSecrets,
    ListSecretsResponse, PolicyResponse, PutResourcePolicy, PutSecretValue,
    RemoveRegionsFromReplication, ReplicateSecretToRegions, ReplicationResponse, RestoreSecret,
    RotateSecret, SecretResponse, StopReplicationToReplica, TagResource, UntagResource,
    UpdateSecret, UpdateSecretVersionStage, ValidateResourcePolicy, ValidateResourcePolicyResponse,
    VersionResponse,
};
use crate::secret::SecretBytes;
use crate::vault::Vault;
use arbitrary::{Arbitrary, Unstructured};

/// The operations: name, request, method.
macro_rules! operations {
    ($($operation:ident($request:ident) by $method:ident;)*) => {
        /// An operation with its request.
        #[allow(missing_docs)] // Named as in the API.
        pub enum Call {
            $($operation($request),)*
        }

        impl Call {
            /// The operation's name in the API.
            #[must_use]
            pub fn operation(&self) -> &'static str {
                match self {
                    $(Self::$operation(_) => stringify!($operation),)*
                }
            }

            /// The names of all operations.
            pub const OPERATIONS: &'static [&'static str] = &[$(stringify!($operation)),*];

            /// Performs it on a vault, for the caller of the handle.
            pub fn perform(self, vault: &Vault) -> Result<Answer> {
                Ok(match self {
                    $(Self::$operation(request) => {
                        Answer::from(vault.$method(request)?)
                    })*
                })
            }
        }

        impl<'a> Arbitrary<'a> for Call {
            fn arbitrary(u: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
                let makers: &[fn(&mut Unstructured<'a>) -> arbitrary::Result<Self>] =
                    &[$(|u| $request::arbitrary(u).map(Self::$operation)),*];
                // What makes and changes versions twice as often as all together.
                if u.ratio(1_u8, 3_u8)? {
                    return u.choose(makers)?(u);
                }
                Ok(match u.int_in_range(0_u8..=11)? {
                    0..=2 => Self::CreateSecret(u.arbitrary()?),
                    3..=5 => Self::PutSecretValue(u.arbitrary()?),
                    6 => Self::UpdateSecretVersionStage(u.arbitrary()?),
                    7 | 8 => Self::GetSecretValue(u.arbitrary()?),
                    9 => Self::UpdateSecret(u.arbitrary()?),
                    10 => Self::RestoreSecret(u.arbitrary()?),
                    _ => Self::DeleteSecret(u.arbitrary()?),
                })
            }
        }
    };
}

operations! {
    AssociateCrossAccountReplica(AssociateCrossAccountReplica)
        by associate_cross_account_replica;
    BatchGetSecretValue(BatchGetSecretValue) by batch_get_secret_value;
    CancelRotateSecret(CancelRotateSecret) by cancel_rotate_secret;
    CreateSecret(CreateSecret) by create_secret;
    DeleteResourcePolicy(DeleteResourcePolicy) by delete_resource_policy;
    DeleteSecret(DeleteSecret) by delete_secret;
    DescribeSecret(DescribeSecret) by describe_secret;
    DisassociateCrossAccountReplica(DisassociateCrossAccountReplica)
        by disassociate_cross_account_replica;
    GetRandomPassword(GetRandomPassword) by get_random_password;
    GetResourcePolicy(GetResourcePolicy) by get_resource_policy;
    GetSecretValue(GetSecretValue) by get_secret_value;
    ListResourcePolicies(ListResourcePolicies) by list_resource_policies;
    ListSecretVersionIds(ListSecretVersionIds) by list_secret_version_ids;
    ListSecrets(ListSecrets) by list_secrets;
    PutResourcePolicy(PutResourcePolicy) by put_resource_policy;
    PutSecretValue(PutSecretValue) by put_secret_value;
    RemoveRegionsFromReplication(RemoveRegionsFromReplication)
        by remove_regions_from_replication;
    ReplicateSecretToRegions(ReplicateSecretToRegions)
        by replicate_secret_to_regions;
    RestoreSecret(RestoreSecret) by restore_secret;
    RotateSecret(RotateSecret) by rotate_secret;
    StopReplicationToReplica(StopReplicationToReplica) by stop_replication_to_replica;
    TagResource(TagResource) by tag_resource;
    UntagResource(UntagResource) by untag_resource;
    UpdateSecret(UpdateSecret) by update_secret;
    UpdateSecretVersionStage(UpdateSecretVersionStage) by update_secret_version_stage;
    ValidateResourcePolicy(ValidateResourcePolicy)
        by validate_resource_policy;
}

macro_rules! answers {
    ($($name:ident($answer:ident),)*) => {
        /// What an operation answers. No `Debug`: some hold values.
        #[allow(missing_docs)] // Named as the answers of the API.
        pub enum Answer {
            $($name($answer),)*
            Description(Box<DescribeSecretResponse>),
            Nothing,
        }

        $(impl From<$answer> for Answer {
            fn from(answer: $answer) -> Self {
                Self::$name(answer)
            }
        })*
    };
}

answers! {
    Associated(AssociationResponse),
    Batch(BatchGetSecretValueResponse),
    Deleted(DeleteSecretResponse),
    Named(SecretResponse),
    Password(SecretBytes),
    Policy(GetResourcePolicyResponse),
    PolicyNamed(PolicyResponse),
    PolicyPage(ListResourcePoliciesResponse),
    PolicyValidation(ValidateResourcePolicyResponse),
    Replicated(ReplicationResponse),
    SecretPage(ListSecretsResponse),
    Value(GetSecretValueResponse),
    VersionPage(ListSecretVersionIdsResponse),
    Written(VersionResponse),
}

impl From<DescribeSecretResponse> for Answer {
    fn from(answer: DescribeSecretResponse) -> Self {
        Self::Description(Box::new(answer))
    }
}

impl From<()> for Answer {
    fn from((): ()) -> Self {
        Self::Nothing
    }
}
