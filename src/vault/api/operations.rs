//! The operations, one method each.
//!
//! Writing methods block until the operation is durable. A caller who gives no `ClientRequestToken` gets
//! a random one, as with every AWS SDK.

#[cfg(feature = "server")]
use crate::env::threads::sync::atomic::Ordering;
use crate::error::Result;
#[allow(clippy::wildcard_imports, reason = "the table of operations names every request")]
use crate::model::api::*;
use crate::semantics::password::Recipe;
use crate::vault::credentials::Credential;
use crate::vault::handle::Vault;
use crate::vault::job::fill_token;

impl Vault {
    /// `CreateSecret`: a secret, with its first version if a value is given.
    pub fn create_secret(&self, mut request: CreateSecret) -> Result<CreateSecretResponse> {
        fill_token(&self.inner.shared.env, &mut request.client_request_token)?;
        self.write(request)
    }

    /// `PutSecretValue`: a new version.
    pub fn put_secret_value(&self, mut request: PutSecretValue) -> Result<PutSecretValueResponse> {
        fill_token(&self.inner.shared.env, &mut request.client_request_token)?;
        self.write(request)
    }

    /// `UpdateSecret`: metadata, and a new version if a value is given.
    pub fn update_secret(&self, mut request: UpdateSecret) -> Result<UpdateSecretResponse> {
        fill_token(&self.inner.shared.env, &mut request.client_request_token)?;
        self.write(request)
    }

    /// `UpdateSecretVersionStage`: moves or removes a staging label.
    pub fn update_secret_version_stage(
        &self,
        request: UpdateSecretVersionStage,
    ) -> Result<UpdateSecretVersionStageResponse> {
        self.write(request)
    }

    /// `DeleteSecret`: schedules a deletion, or purges at once.
    pub fn delete_secret(&self, request: DeleteSecret) -> Result<DeleteSecretResponse> {
        self.write(request)
    }

    /// `RestoreSecret`: cancels a scheduled deletion.
    pub fn restore_secret(&self, request: RestoreSecret) -> Result<RestoreSecretResponse> {
        self.write(request)
    }

    /// `RotateSecret`: configures rotation and starts one, unless `rotate_immediately` is false. The
    /// rotation runs in the background.
    pub fn rotate_secret(&self, mut request: RotateSecret) -> Result<RotateSecretResponse> {
        fill_token(&self.inner.shared.env, &mut request.client_request_token)?;
        self.write(request)
    }

    /// `CancelRotateSecret`: stops the rotation under way and starts none until the next `RotateSecret`.
    pub fn cancel_rotate_secret(
        &self,
        request: CancelRotateSecret,
    ) -> Result<CancelRotateSecretResponse> {
        self.write(request)
    }

    /// `TagResource`: sets tags by key.
    pub fn tag_resource(&self, request: TagResource) -> Result<()> {
        self.write(request)
    }

    /// `UntagResource`: removes tags by key.
    pub fn untag_resource(&self, request: UntagResource) -> Result<()> {
        self.write(request)
    }

    /// `PutResourcePolicy`: attaches a policy, which replaces the one before.
    pub fn put_resource_policy(
        &self,
        request: PutResourcePolicy,
    ) -> Result<PutResourcePolicyResponse> {
        self.write(request)
    }

    /// `DeleteResourcePolicy`: detaches the policy.
    pub fn delete_resource_policy(
        &self,
        request: DeleteResourcePolicy,
    ) -> Result<DeleteResourcePolicyResponse> {
        self.write(request)
    }

    /// `ReplicateSecretToRegions`: adds replicas in other regions.
    pub fn replicate_secret_to_regions(
        &self,
        request: ReplicateSecretToRegions,
    ) -> Result<ReplicateSecretToRegionsResponse> {
        self.write(request)
    }

    /// `RemoveRegionsFromReplication`: removes replicas.
    pub fn remove_regions_from_replication(
        &self,
        request: RemoveRegionsFromReplication,
    ) -> Result<RemoveRegionsFromReplicationResponse> {
        self.write(request)
    }

    /// `StopReplicationToReplica`: turns a replica into an independent secret.
    pub fn stop_replication_to_replica(
        &self,
        request: StopReplicationToReplica,
    ) -> Result<StopReplicationToReplicaResponse> {
        self.write(request)
    }

    /// `AssociateCrossAccountReplica`: lets a replica in another account show a secret's values.
    pub fn associate_cross_account_replica(
        &self,
        request: AssociateCrossAccountReplica,
    ) -> Result<AssociateCrossAccountReplicaResponse> {
        self.write(request)
    }

    /// `DisassociateCrossAccountReplica`: the replica keeps what it shows now.
    pub fn disassociate_cross_account_replica(
        &self,
        request: DisassociateCrossAccountReplica,
    ) -> Result<DisassociateCrossAccountReplicaResponse> {
        self.write(request)
    }
}

#[allow(clippy::needless_pass_by_value, reason = "every operation takes its request by value")]
impl Vault {
    /// `GetSecretValue`. Never waits for a sync; works on a poisoned vault.
    pub fn get_secret_value(&self, request: GetSecretValue) -> Result<GetSecretValueResponse> {
        self.inner.read_value(self.caller.scope()?, &request)
    }

    /// `GetRandomPassword`: a password that is not stored.
    pub fn get_random_password(
        &self,
        request: GetRandomPassword,
    ) -> Result<GetRandomPasswordResponse> {
        self.inner.random_password(&Recipe::new(&request)?)
    }

    /// `DescribeSecret`: everything about a secret but its values.
    pub fn describe_secret(&self, request: DescribeSecret) -> Result<DescribeSecretResponse> {
        self.inner.look(self.caller.scope()?, &request)
    }

    /// `ListSecretVersionIds`: a page of versions; [`Vault::versions`] walks all of them.
    pub fn list_secret_version_ids(
        &self,
        request: ListSecretVersionIds,
    ) -> Result<ListSecretVersionIdsResponse> {
        self.inner.look(self.caller.scope()?, &request)
    }

    /// `ListSecrets`: a page of secrets; [`Vault::secrets`] and [`Vault::all`] walk all of them.
    pub fn list_secrets(&self, request: ListSecrets) -> Result<ListSecretsResponse> {
        self.inner.look(self.caller.scope()?, &request)
    }

    /// `GetResourcePolicy`: the policy, if one is attached.
    pub fn get_resource_policy(
        &self,
        request: GetResourcePolicy,
    ) -> Result<GetResourcePolicyResponse> {
        self.inner.look(self.caller.scope()?, &request)
    }

    /// `ListResourcePolicies`: the names of the policies.
    pub fn list_resource_policies(
        &self,
        request: ListResourcePolicies,
    ) -> Result<ListResourcePoliciesResponse> {
        self.inner.look(self.caller.scope()?, &request)
    }

    /// `ValidateResourcePolicy`: what `PutResourcePolicy` would say about a policy, without a change.
    pub fn validate_resource_policy(
        &self,
        request: ValidateResourcePolicy,
    ) -> Result<ValidateResourcePolicyResponse> {
        self.inner.look(self.caller.scope()?, &request)
    }

    /// The pairs that may sign requests, oldest first.
    pub fn credentials(&self) -> Result<Vec<Credential>> {
        self.inner.credentials()
    }

    /// How often a pair was made or revoked since the vault was opened. Take it before the pairs, and look
    /// again when it has changed.
    #[cfg(feature = "server")]
    pub(crate) fn credential_changes(&self) -> u64 {
        self.inner.shared.credential_changes.load(Ordering::Acquire)
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
