//! The operations, one method each.
//!
//! Writing methods block until the operation is durable; [`Vault::submit`] is the form for servers,
//! which parks no thread per request. A caller of the library who gives no `ClientRequestToken` gets
//! a random one, as with every AWS SDK; `submit` leaves it absent, because a raw request without one
//! is refused by AWS (rule SEM-TOKEN).

use crate::error::{Error, ErrorKind, Result};
use crate::model::Scope;
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
use crate::semantics::Answer;
use crate::semantics::password::Recipe;
use crate::vault::caller::Caller;
use crate::vault::job::{Job, Mutate, fill_token, seal};
use crate::vault::{Inner, Vault};

/// A pair that signs requests to the server.
pub struct Credential {
    /// `AKIA` and 16 more characters.
    pub access_key_id: String,
    /// The account that its requests act in: 12 digits.
    pub account: String,
    /// The secret half.
    pub secret_access_key: SecretBytes,
}

/// A mutation as a caller asks for it, its value still plaintext: for [`Vault::submit`].
pub enum Write {
    /// `CreateSecret`
    CreateSecret(CreateSecret),
    /// `PutSecretValue`
    PutSecretValue(PutSecretValue),
    /// `UpdateSecret`
    UpdateSecret(UpdateSecret),
    /// `UpdateSecretVersionStage`
    UpdateSecretVersionStage(UpdateSecretVersionStage),
    /// `DeleteSecret`
    DeleteSecret(DeleteSecret),
    /// `RestoreSecret`
    RestoreSecret(RestoreSecret),
    /// `RotateSecret`
    RotateSecret(RotateSecret),
    /// `CancelRotateSecret`
    CancelRotateSecret(CancelRotateSecret),
    /// `TagResource`
    TagResource(TagResource),
    /// `UntagResource`
    UntagResource(UntagResource),
    /// `PutResourcePolicy`
    PutResourcePolicy(PutResourcePolicy),
    /// `DeleteResourcePolicy`
    DeleteResourcePolicy(DeleteResourcePolicy),
    /// `ReplicateSecretToRegions`
    ReplicateSecretToRegions(ReplicateSecretToRegions),
    /// `RemoveRegionsFromReplication`
    RemoveRegionsFromReplication(RemoveRegionsFromReplication),
    /// `StopReplicationToReplica`
    StopReplicationToReplica(StopReplicationToReplica),
    /// `AssociateCrossAccountReplica`
    AssociateCrossAccountReplica(AssociateCrossAccountReplica),
    /// `DisassociateCrossAccountReplica`
    DisassociateCrossAccountReplica(DisassociateCrossAccountReplica),
}

/// An answer of a kind that the operation never gives: a defect, told as a typed error.
fn odd<T>() -> Result<T> {
    Err(ErrorKind::OutcomeUnknown.into())
}

fn written(answer: Answer) -> Result<VersionResponse> {
    if let Answer::Written(written) = answer { Ok(written) } else { odd() }
}

fn named(answer: Answer) -> Result<SecretResponse> {
    if let Answer::Named(named) = answer { Ok(named) } else { odd() }
}

fn policy_named(answer: Answer) -> Result<PolicyResponse> {
    if let Answer::PolicyNamed(named) = answer { Ok(named) } else { odd() }
}

fn replicated(answer: Answer) -> Result<ReplicationResponse> {
    if let Answer::Replicated(replicated) = answer { Ok(replicated) } else { odd() }
}

fn associated(answer: Answer) -> Result<AssociationResponse> {
    if let Answer::Associated(associated) = answer { Ok(associated) } else { odd() }
}

impl Inner {
    /// Checks, seals and commits a write, and waits for its outcome.
    pub(in crate::vault) fn write(&self, scope: &Scope, write: Write) -> Result<Answer> {
        if let Some(kind) = self.shared.refuses_writes() {
            return Err(kind.into());
        }
        let (mutation, payload) = seal(&self.shared.keys(), &self.shared.env, write)?;
        let scope = scope.clone();
        self.driver.call(|done| Job::Mutate(Box::new(Mutate { scope, mutation, payload, done })))
    }
}

impl Inner {
    /// A password after the recipe of a request.
    pub(in crate::vault) fn random_password(
        &self,
        request: &GetRandomPassword,
    ) -> Result<SecretBytes> {
        let entropy = &self.shared.env.entropy;
        let drawn = Recipe::new(request)?.draw(|buffer| entropy.fill(buffer));
        let mut password = drawn.map_err(|error| Error::io("random bytes", error))?;
        Ok(SecretBytes::new(std::mem::take(&mut *password)))
    }
}

impl Vault {
    /// A handle that acts in a region, such as `eu-west-1`, for the same account.
    ///
    /// A text that is no region is told by the operations, with
    /// [`Usage`](crate::error::ErrorKind::Usage).
    #[must_use]
    pub fn in_region(&self, region: &str) -> Self {
        self.acting_for(self.caller.in_region(region))
    }

    /// A handle that acts for an account of 12 digits, in the same region.
    ///
    /// A text that is no account is told by the operations, with
    /// [`Usage`](crate::error::ErrorKind::Usage).
    #[must_use]
    pub fn in_account(&self, account: &str) -> Self {
        self.acting_for(self.caller.in_account(account))
    }

    /// A handle that acts in a scope.
    #[must_use]
    pub fn in_scope(&self, scope: impl Into<Scope>) -> Self {
        self.acting_for(Caller::new(scope.into()))
    }

    fn acting_for(&self, caller: Caller) -> Self {
        Self { caller, ..self.clone() }
    }

    fn write(&self, write: Write) -> Result<Answer> {
        self.inner.write(self.caller.scope()?, write)
    }

    /// Hands a write to the commit pipeline and returns at once. `done` is called exactly once: on
    /// the commit thread after the batch's sync (it must not block or call the vault), or here if
    /// the request is refused before it is queued. A full queue is refused with
    /// [`ErrorKind::Busy`]. If the commit thread dies, `done` is dropped uncalled.
    pub fn submit(&self, write: Write, done: Box<dyn FnOnce(Result<Answer>) + Send>) {
        let shared = &self.inner.shared;
        let scope = match self.caller.scope() {
            Ok(scope) => scope.clone(),
            Err(error) => return done(Err(error)),
        };
        if let Some(kind) = shared.refuses_writes() {
            return done(Err(kind.into()));
        }
        match seal(&shared.keys(), &shared.env, write) {
            Ok((mutation, payload)) => {
                self.inner.driver.submit(Job::Mutate(Box::new(Mutate {
                    scope,
                    mutation,
                    payload,
                    done,
                })));
            }
            Err(error) => done(Err(error)),
        }
    }

    /// `CreateSecret`: a secret, with its first version if a value is given.
    pub fn create_secret(&self, mut request: CreateSecret) -> Result<VersionResponse> {
        fill_token(&self.inner.shared.env, &mut request.client_request_token)?;
        written(self.write(Write::CreateSecret(request))?)
    }

    /// `PutSecretValue`: a new version.
    pub fn put_secret_value(&self, mut request: PutSecretValue) -> Result<VersionResponse> {
        fill_token(&self.inner.shared.env, &mut request.client_request_token)?;
        written(self.write(Write::PutSecretValue(request))?)
    }

    /// `UpdateSecret`: metadata, and a new version if a value is given.
    pub fn update_secret(&self, mut request: UpdateSecret) -> Result<VersionResponse> {
        fill_token(&self.inner.shared.env, &mut request.client_request_token)?;
        written(self.write(Write::UpdateSecret(request))?)
    }

    /// `UpdateSecretVersionStage`: moves or removes a staging label.
    pub fn update_secret_version_stage(
        &self,
        request: UpdateSecretVersionStage,
    ) -> Result<SecretResponse> {
        named(self.write(Write::UpdateSecretVersionStage(request))?)
    }

    /// `DeleteSecret`: schedules a deletion, or purges at once.
    pub fn delete_secret(&self, request: DeleteSecret) -> Result<DeleteSecretResponse> {
        match self.write(Write::DeleteSecret(request))? {
            Answer::Deleted(deleted) => Ok(deleted),
            _ => odd(),
        }
    }

    /// `RestoreSecret`: takes a scheduled deletion back.
    pub fn restore_secret(&self, request: RestoreSecret) -> Result<SecretResponse> {
        named(self.write(Write::RestoreSecret(request))?)
    }

    /// `RotateSecret`: configures rotation and, unless told otherwise, begins one. It goes on in the
    /// background.
    pub fn rotate_secret(&self, mut request: RotateSecret) -> Result<VersionResponse> {
        fill_token(&self.inner.shared.env, &mut request.client_request_token)?;
        written(self.write(Write::RotateSecret(request))?)
    }

    /// `CancelRotateSecret`: no rotation begins or goes on until the next `RotateSecret`.
    pub fn cancel_rotate_secret(&self, request: CancelRotateSecret) -> Result<VersionResponse> {
        written(self.write(Write::CancelRotateSecret(request))?)
    }

    /// `TagResource`: sets tags by key.
    pub fn tag_resource(&self, request: TagResource) -> Result<()> {
        self.write(Write::TagResource(request)).map(drop)
    }

    /// `UntagResource`: removes tags by key.
    pub fn untag_resource(&self, request: UntagResource) -> Result<()> {
        self.write(Write::UntagResource(request)).map(drop)
    }

    /// `PutResourcePolicy`: attaches a policy, in place of the one before.
    pub fn put_resource_policy(&self, request: PutResourcePolicy) -> Result<PolicyResponse> {
        policy_named(self.write(Write::PutResourcePolicy(request))?)
    }

    /// `DeleteResourcePolicy`
    pub fn delete_resource_policy(&self, request: DeleteResourcePolicy) -> Result<PolicyResponse> {
        policy_named(self.write(Write::DeleteResourcePolicy(request))?)
    }

    /// `ReplicateSecretToRegions`: shows a secret in more regions.
    pub fn replicate_secret_to_regions(
        &self,
        request: ReplicateSecretToRegions,
    ) -> Result<ReplicationResponse> {
        replicated(self.write(Write::ReplicateSecretToRegions(request))?)
    }

    /// `RemoveRegionsFromReplication`: takes a secret's replicas away.
    pub fn remove_regions_from_replication(
        &self,
        request: RemoveRegionsFromReplication,
    ) -> Result<ReplicationResponse> {
        replicated(self.write(Write::RemoveRegionsFromReplication(request))?)
    }

    /// `StopReplicationToReplica`: makes a replica a secret of its own.
    pub fn stop_replication_to_replica(
        &self,
        request: StopReplicationToReplica,
    ) -> Result<SecretResponse> {
        named(self.write(Write::StopReplicationToReplica(request))?)
    }

    /// `AssociateCrossAccountReplica`: lets a replica in another account show a secret's values.
    pub fn associate_cross_account_replica(
        &self,
        request: AssociateCrossAccountReplica,
    ) -> Result<AssociationResponse> {
        associated(self.write(Write::AssociateCrossAccountReplica(request))?)
    }

    /// `DisassociateCrossAccountReplica`: the replica keeps what it shows now.
    pub fn disassociate_cross_account_replica(
        &self,
        request: DisassociateCrossAccountReplica,
    ) -> Result<AssociationResponse> {
        associated(self.write(Write::DisassociateCrossAccountReplica(request))?)
    }

    /// `GetSecretValue`. Never waits for a sync; works on a poisoned vault.
    pub fn get_secret_value(&self, request: GetSecretValue) -> Result<GetSecretValueResponse> {
        self.inner.get_secret_value(self.caller.scope()?, &request)
    }

    /// `BatchGetSecretValue`: the current values of up to 20 secrets, each read by itself.
    pub fn batch_get_secret_value(
        &self,
        request: BatchGetSecretValue,
    ) -> Result<BatchGetSecretValueResponse> {
        self.inner.batch_get_secret_value(self.caller.scope()?, &request)
    }

    /// `GetRandomPassword`. Looks at no secret and keeps nothing.
    pub fn get_random_password(&self, request: GetRandomPassword) -> Result<SecretBytes> {
        self.inner.random_password(&request)
    }

    /// `DescribeSecret`
    pub fn describe_secret(&self, request: DescribeSecret) -> Result<DescribeSecretResponse> {
        self.inner.describe_secret(self.caller.scope()?, &request)
    }

    /// `ListSecretVersionIds`
    pub fn list_secret_version_ids(
        &self,
        request: ListSecretVersionIds,
    ) -> Result<ListSecretVersionIdsResponse> {
        self.inner.list_secret_version_ids(self.caller.scope()?, &request)
    }

    /// `ListSecrets`
    pub fn list_secrets(&self, request: ListSecrets) -> Result<ListSecretsResponse> {
        self.inner.list_secrets(self.caller.scope()?, &request)
    }

    /// `GetResourcePolicy`
    pub fn get_resource_policy(
        &self,
        request: GetResourcePolicy,
    ) -> Result<GetResourcePolicyResponse> {
        self.inner.get_resource_policy(self.caller.scope()?, &request)
    }

    /// `ListResourcePolicies`
    pub fn list_resource_policies(
        &self,
        request: ListResourcePolicies,
    ) -> Result<ListResourcePoliciesResponse> {
        self.inner.list_resource_policies(self.caller.scope()?, &request)
    }

    /// `ValidateResourcePolicy`
    pub fn validate_resource_policy(
        &self,
        request: ValidateResourcePolicy,
    ) -> Result<ValidateResourcePolicyResponse> {
        self.inner.validate_resource_policy(self.caller.scope()?, &request)
    }

    /// The pairs that may sign requests, oldest first.
    pub fn credentials(&self) -> Result<Vec<Credential>> {
        self.inner.credentials()
    }

    /// Makes a pair for an account of 12 digits; durable when this returns.
    pub fn new_credential(&self, account: &str) -> Result<Credential> {
        self.inner.new_credential(account)
    }

    /// Takes a pair out of use. `false`: there was none.
    pub fn revoke_credential(&self, access_key_id: &str) -> Result<bool> {
        self.inner.revoke_credential(access_key_id)
    }
}
