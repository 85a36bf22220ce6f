//! Any operation of the API as a value: made by `arbitrary`, performed on a vault.

use crate::error::Result;
use crate::model::Scope;
use crate::model::api::{
    AssociateCrossAccountReplica, Associated, BatchGetSecretValue, CreateSecret, DeleteSecret,
    Deleted, Description, DisassociateCrossAccountReplica, GetRandomPassword, GetSecretValue,
    ListResourcePolicies, ListSecretVersionIds, ListSecrets, Named, PolicyNamed, PolicyPage,
    PolicyValidation, PutResourcePolicy, PutSecretValue, RemoveRegionsFromReplication,
    ReplicateSecretToRegions, Replicated, ResourcePolicy, ResourcePolicyId, RotateSecret,
    SecretIdOnly, SecretPage, SecretValueBatch, SecretValueOutput, TagResource, UntagResource,
    UpdateSecret, UpdateSecretVersionStage, ValidateResourcePolicy, VersionPage, Written,
};
use crate::secret::SecretBytes;
use crate::vault::Vault;
use arbitrary::{Arbitrary, Unstructured};

/// The operations: name, request, method; `&` where the method takes the request by
/// reference.
macro_rules! operations {
    ($($operation:ident($request:ident) by $method:ident $(, $by:tt)?;)*) => {
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

            /// Performs it on a vault, for a caller of `scope`.
            pub fn perform(self, vault: &Vault, scope: &Scope) -> Result<Answer> {
                Ok(match self {
                    $(Self::$operation(request) => {
                        Answer::from(vault.$method(scope, $($by)? request)?)
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
    BatchGetSecretValue(BatchGetSecretValue) by batch_get_secret_value, &;
    CancelRotateSecret(SecretIdOnly) by cancel_rotate_secret;
    CreateSecret(CreateSecret) by create_secret;
    DeleteResourcePolicy(ResourcePolicyId) by delete_resource_policy;
    DeleteSecret(DeleteSecret) by delete_secret;
    DescribeSecret(SecretIdOnly) by describe_secret, &;
    DisassociateCrossAccountReplica(DisassociateCrossAccountReplica)
        by disassociate_cross_account_replica;
    GetRandomPassword(GetRandomPassword) by random_password, &;
    GetResourcePolicy(ResourcePolicyId) by get_resource_policy, &;
    GetSecretValue(GetSecretValue) by get_secret_value, &;
    ListResourcePolicies(ListResourcePolicies) by list_resource_policies, &;
    ListSecretVersionIds(ListSecretVersionIds) by list_secret_version_ids, &;
    ListSecrets(ListSecrets) by list_secrets, &;
    PutResourcePolicy(PutResourcePolicy) by put_resource_policy;
    PutSecretValue(PutSecretValue) by put_secret_value;
    RemoveRegionsFromReplication(RemoveRegionsFromReplication)
        by remove_regions_from_replication;
    ReplicateSecretToRegions(ReplicateSecretToRegions)
        by replicate_secret_to_regions;
    RestoreSecret(SecretIdOnly) by restore_secret;
    RotateSecret(RotateSecret) by rotate_secret;
    StopReplicationToReplica(SecretIdOnly) by stop_replication_to_replica;
    TagResource(TagResource) by tag_resource;
    UntagResource(UntagResource) by untag_resource;
    UpdateSecret(UpdateSecret) by update_secret;
    UpdateSecretVersionStage(UpdateSecretVersionStage) by update_secret_version_stage;
    ValidateResourcePolicy(ValidateResourcePolicy)
        by validate_resource_policy, &;
}

/// The one operation that asks for no scope, in the form of the others.
trait RandomPassword {
    fn random_password(&self, scope: &Scope, request: &GetRandomPassword) -> Result<SecretBytes>;
}

impl RandomPassword for Vault {
    fn random_password(&self, _: &Scope, request: &GetRandomPassword) -> Result<SecretBytes> {
        self.get_random_password(request)
    }
}

macro_rules! answers {
    ($($name:ident($answer:ident),)*) => {
        /// What an operation answers. No `Debug`: some hold values.
        #[allow(missing_docs)] // Named as the answers of the API.
        pub enum Answer {
            $($name($answer),)*
            Description(Box<Description>),
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
    Associated(Associated),
    Batch(SecretValueBatch),
    Deleted(Deleted),
    Named(Named),
    Password(SecretBytes),
    Policy(ResourcePolicy),
    PolicyNamed(PolicyNamed),
    PolicyPage(PolicyPage),
    PolicyValidation(PolicyValidation),
    Replicated(Replicated),
    SecretPage(SecretPage),
    Value(SecretValueOutput),
    VersionPage(VersionPage),
    Written(Written),
}

impl From<Description> for Answer {
    fn from(answer: Description) -> Self {
        Self::Description(Box::new(answer))
    }
}

impl From<()> for Answer {
    fn from((): ()) -> Self {
        Self::Nothing
    }
}
