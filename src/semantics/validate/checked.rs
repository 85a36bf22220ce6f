//! Requests that passed their checks, with what they name parsed. Only this file makes one, so
//! whoever holds one neither checks nor parses again.

use super::names::{CreateNames, PutNames, StageNames, ValueNames, VersionNames, secret_id};
use super::{
    associate_cross_account_replica, batch_get_secret_value, create_secret, delete_secret,
    disassociate_cross_account_replica, get_secret_value, list_resource_policies,
    list_secret_version_ids, list_secrets, put_resource_policy, put_secret_value,
    remove_regions_from_replication, replicate_secret_to_regions, resource_policy_id,
    rotate_secret, tag_resource, untag_resource, update_secret, update_secret_version_stage,
    validate_resource_policy,
};
use crate::model::SecretRef;
use crate::model::api::{
    AssociateCrossAccountReplica, BatchGetSecretValue, CancelRotateSecret, CreateSecret,
    DeleteResourcePolicy, DeleteSecret, DescribeSecret, DisassociateCrossAccountReplica,
    GetResourcePolicy, GetSecretValue, ListResourcePolicies, ListSecretVersionIds, ListSecrets,
    PutResourcePolicy, PutSecretValue, RemoveRegionsFromReplication, ReplicateSecretToRegions,
    RestoreSecret, RotateSecret, StopReplicationToReplica, TagResource, UntagResource,
    UpdateSecret, UpdateSecretVersionStage, ValidateResourcePolicy,
};
use crate::secret::{PayloadKind, SecretValue};
use crate::semantics::fault::Fault;
use std::ops::Deref;

/// A request that can be checked without looking at the vault (SEM-CHECK-1).
pub trait Check {
    /// What it names, parsed.
    type Names;

    /// Checks its members in AWS's order and parses what it names.
    fn check(&self) -> Result<Self::Names, Fault>;
}

/// A request about one secret.
pub trait AboutSecret: Check {
    /// Its `SecretId`, as it was given and as it was read.
    fn secret_id<'a>(&'a self, names: &'a Self::Names) -> SecretId<'a>;
}

/// A `SecretId`, as it was given and as it was read.
#[derive(Clone, Copy, Debug)]
pub struct SecretId<'a> {
    /// As it was given: refusals repeat it.
    pub text: &'a str,
    /// As it was read.
    pub reference: &'a SecretRef,
}

/// A request that passed its checks. Derefs to the request.
#[derive(Clone, Copy, Debug)]
pub struct Checked<R: Check> {
    request: R,
    names: R::Names,
}

impl<R: Check> Checked<R> {
    /// Checks a request.
    pub fn new(request: R) -> Result<Self, Fault> {
        let names = request.check()?;
        Ok(Self { request, names })
    }

    /// What it names.
    pub fn names(&self) -> &R::Names {
        &self.names
    }
}

impl<R: AboutSecret> Checked<R> {
    /// The secret that it is about.
    pub fn secret(&self) -> SecretId<'_> {
        self.request.secret_id(&self.names)
    }
}

impl<R: Check> Deref for Checked<R> {
    type Target = R;

    fn deref(&self) -> &R {
        &self.request
    }
}

/// A value that travels with a request: its kind and length as far as they are to be checked.
pub trait Value {
    /// `None`: it was checked before it was sealed.
    fn shape(&self) -> Option<(PayloadKind, usize)>;
}

impl Value for SecretValue {
    fn shape(&self) -> Option<(PayloadKind, usize)> {
        Some((self.kind(), self.bytes().len()))
    }
}

impl Value for PayloadKind {
    fn shape(&self) -> Option<(PayloadKind, usize)> {
        None
    }
}

/// The requests with a value: checked with it, then sealed. A member `without` which they travel on
/// has no use once it was checked.
macro_rules! with_value {
    ($request:ident { $($member:ident),* } $(without $dropped:ident)? -> $names:ty, $check:path) => {
        impl<V: Value> Check for $request<V> {
            type Names = $names;

            fn check(&self) -> Result<$names, Fault> {
                $check(self, self.value.as_ref().and_then(Value::shape))
            }
        }

        impl Checked<$request> {
            /// Replaces the value by its kind; `seal` gets the value and gives what it was sealed to.
            pub(crate) fn seal<S, E>(
                self,
                seal: impl FnOnce(SecretValue) -> Result<S, E>,
            ) -> Result<(Checked<$request<PayloadKind>>, Option<S>), E> {
                let Self { request: $request { value, $($member,)* $($dropped: _)? }, names } = self;
                let kind = value.as_ref().map(SecretValue::kind);
                let sealed = value.map(seal).transpose()?;
                let request = $request { value: kind, $($member,)* $($dropped: None)? };
                Ok((Checked { request, names }, sealed))
            }
        }
    };
}

with_value! {
    CreateSecret {
        name, client_request_token, description, kms_key_id, tags, add_replica_regions,
        force_overwrite_replica_secret, partner, cross_account_primary_arn
    } -> CreateNames, create_secret
}
with_value! {
    PutSecretValue { secret_id, client_request_token, version_stages } without rotation_token
        -> PutNames, put_secret_value
}
with_value! {
    UpdateSecret { secret_id, client_request_token, description, kms_key_id, partner }
        -> VersionNames, update_secret
}

impl<V: Value> AboutSecret for PutSecretValue<V> {
    fn secret_id<'a>(&'a self, names: &'a PutNames) -> SecretId<'a> {
        SecretId { text: &self.secret_id, reference: &names.secret }
    }
}

impl<V: Value> AboutSecret for UpdateSecret<V> {
    fn secret_id<'a>(&'a self, names: &'a VersionNames) -> SecretId<'a> {
        SecretId { text: &self.secret_id, reference: &names.secret }
    }
}

/// The other requests, each with what it names and the function that checks it; `in` says where the
/// secret stands among the names.
macro_rules! checks {
    ($($request:ty: $names:ty, $check:expr $(, in $($place:ident)?)?;)*) => {$(
        impl Check for $request {
            type Names = $names;

            fn check(&self) -> Result<$names, Fault> {
                $check(self)
            }
        }

        $(impl AboutSecret for $request {
            fn secret_id<'a>(&'a self, names: &'a $names) -> SecretId<'a> {
                SecretId { text: &self.secret_id, reference: &names$(.$place)? }
            }
        })?
    )*};
}

checks! {
    AssociateCrossAccountReplica: SecretRef, associate_cross_account_replica, in;
    BatchGetSecretValue: (), batch_get_secret_value;
    DeleteSecret: SecretRef, delete_secret, in;
    DisassociateCrossAccountReplica: SecretRef, disassociate_cross_account_replica, in;
    GetSecretValue: ValueNames, get_secret_value, in secret;
    ListResourcePolicies: SecretRef, list_resource_policies, in;
    ListSecretVersionIds: SecretRef, list_secret_version_ids, in;
    ListSecrets: (), list_secrets;
    PutResourcePolicy: SecretRef, put_resource_policy, in;
    RemoveRegionsFromReplication: SecretRef, remove_regions_from_replication, in;
    ReplicateSecretToRegions: SecretRef, replicate_secret_to_regions, in;
    DeleteResourcePolicy: SecretRef, |r: &Self| resource_policy_id(&r.secret_id, r.policy_name.as_deref()), in;
    GetResourcePolicy: SecretRef, |r: &Self| resource_policy_id(&r.secret_id, r.policy_name.as_deref()), in;
    RotateSecret: VersionNames, rotate_secret, in secret;
    CancelRotateSecret: SecretRef, |r: &Self| secret_id(&r.secret_id), in;
    DescribeSecret: SecretRef, |r: &Self| secret_id(&r.secret_id), in;
    RestoreSecret: SecretRef, |r: &Self| secret_id(&r.secret_id), in;
    StopReplicationToReplica: SecretRef, |r: &Self| secret_id(&r.secret_id), in;
    TagResource: SecretRef, tag_resource, in;
    UntagResource: SecretRef, untag_resource, in;
    UpdateSecretVersionStage: StageNames, update_secret_version_stage, in secret;
    ValidateResourcePolicy: Option<SecretRef>, validate_resource_policy;
}
