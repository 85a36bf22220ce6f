//! Short forms of the operations, for tests.

use super::env::UnixMillis;
use super::model::api::{
    AssociateCrossAccountReplica, AssociationResponse, CreateSecret, DeleteResourcePolicy,
    DeleteSecret, DeleteSecretResponse, DescribeSecret, DescribeSecretResponse,
    DisassociateCrossAccountReplica, GetResourcePolicy, GetSecretValue, ListSecretVersionIds,
    ListSecretVersionIdsResponse, ListSecrets, ListSecretsResponse, PolicyResponse,
    PutResourcePolicy, PutSecretValue, RemoveRegionsFromReplication, ReplicaRegion,
    ReplicateSecretToRegions, ReplicationResponse, RestoreSecret, SecretResponse,
    StopReplicationToReplica, TagResource, UntagResource, UpdateSecret, UpdateSecretVersionStage,
    VersionResponse,
};
use super::model::{RecordId, Scope, Tag, VersionId};
use super::secret::PayloadKind;
use super::semantics::validate::Checked;
use super::semantics::{Answer, Fault, Found, Look, Refusal, Upkeep};
use super::{Mutation, Planned, World};

/// A token of 32 characters that starts with `name`.
#[must_use]
pub fn token(name: &str) -> String {
    format!("{name:-<32}")
}

/// What a short form gives when the plan's answer is of another operation: never.
fn wrong_answer<T>(answer: &Answer) -> T {
    panic!("{answer:?} is the answer of another operation")
}

impl World {
    /// Checks a reading request and answers it.
    pub fn read<R: Look + Clone>(&self, request: &R) -> Result<R::Found, Fault> {
        let request = Checked::new(request.clone())?;
        R::look(&self.view, &self.scope, &request).map_err(|refusal| match refusal {
            Refusal::Fault(fault) => fault,
            Refusal::View(never) => match never {},
        })
    }

    /// A text value, as it travels beside a request.
    #[must_use]
    pub fn text(value: &str) -> (PayloadKind, Vec<u8>) {
        (PayloadKind::String, value.as_bytes().to_vec())
    }

    /// Plans and applies an operation that answers with [`Written`].
    pub fn write(
        &mut self,
        mutation: &impl Planned,
        value: Option<(PayloadKind, Vec<u8>)>,
    ) -> Result<VersionResponse, Fault> {
        match self.run(mutation, value)? {
            Answer::Written(written) => Ok(written),
            other => wrong_answer(&other),
        }
    }

    /// `CreateSecret` with the token of that name.
    pub fn create(
        &mut self,
        name: &str,
        by: &str,
        value: Option<&str>,
    ) -> Result<VersionResponse, Fault> {
        let request = CreateSecret {
            client_request_token: Some(token(by)),
            value: value.map(|_| PayloadKind::String),
            ..CreateSecret::new(name)
        };
        self.write(&Mutation::CreateSecret(request), value.map(Self::text))
    }

    /// `PutSecretValue` with the token of that name; no stages: the member is absent.
    pub fn put(
        &mut self,
        id: &str,
        by: &str,
        value: &str,
        stages: &[&str],
    ) -> Result<VersionResponse, Fault> {
        let stages: Vec<String> = stages.iter().map(ToString::to_string).collect();
        let request = PutSecretValue {
            client_request_token: Some(token(by)),
            version_stages: (!stages.is_empty()).then_some(stages),
            ..PutSecretValue::new(id, PayloadKind::String)
        };
        self.write(&Mutation::PutSecretValue(request), Some(Self::text(value)))
    }

    /// `UpdateSecret` with the token of that name.
    pub fn update(
        &mut self,
        id: &str,
        by: &str,
        description: Option<&str>,
        value: Option<&str>,
    ) -> Result<VersionResponse, Fault> {
        let request = UpdateSecret {
            client_request_token: Some(token(by)),
            description: description.map(str::to_owned),
            value: value.map(|_| PayloadKind::String),
            ..UpdateSecret::new(id)
        };
        self.write(&Mutation::UpdateSecret(request), value.map(Self::text))
    }

    /// `UpdateSecretVersionStage` between the versions made by the tokens of those names.
    pub fn move_stage(
        &mut self,
        id: &str,
        stage: &str,
        from: Option<&str>,
        to: Option<&str>,
    ) -> Result<SecretResponse, Fault> {
        let request = UpdateSecretVersionStage {
            secret_id: id.to_owned(),
            version_stage: stage.to_owned(),
            remove_from_version_id: from.map(token),
            move_to_version_id: to.map(token),
        };
        match self.run(&Mutation::UpdateSecretVersionStage(request), None)? {
            Answer::Named(named) | Answer::Promoted(named) => Ok(named),
            other => wrong_answer(&other),
        }
    }

    /// `DeleteSecret`.
    pub fn delete(
        &mut self,
        id: &str,
        window: Option<i64>,
        force: Option<bool>,
    ) -> Result<DeleteSecretResponse, Fault> {
        let request = DeleteSecret {
            secret_id: id.to_owned(),
            recovery_window_in_days: window,
            force_delete_without_recovery: force,
        };
        match self.run(&Mutation::DeleteSecret(request), None)? {
            Answer::Deleted(deleted) => Ok(deleted),
            other => wrong_answer(&other),
        }
    }

    /// `RestoreSecret`.
    pub fn restore(&mut self, id: &str) -> Result<SecretResponse, Fault> {
        match self.run(&Mutation::RestoreSecret(RestoreSecret::new(id)), None)? {
            Answer::Named(named) | Answer::Promoted(named) => Ok(named),
            other => wrong_answer(&other),
        }
    }

    /// `TagResource`.
    pub fn tag(&mut self, id: &str, tags: &[(&str, &str)]) -> Result<Answer, Fault> {
        let tags =
            tags.iter().map(|(key, value)| Tag { key: (*key).into(), value: (*value).into() });
        let request = TagResource { secret_id: id.to_owned(), tags: tags.collect() };
        self.run(&Mutation::TagResource(request), None)
    }

    /// `UntagResource`.
    pub fn untag(&mut self, id: &str, keys: &[&str]) -> Result<Answer, Fault> {
        let tag_keys = keys.iter().map(ToString::to_string).collect();
        let request = UntagResource { secret_id: id.to_owned(), tag_keys };
        self.run(&Mutation::UntagResource(request), None)
    }

    /// `ReplicateSecretToRegions`: each region with its key name.
    pub fn replicate(
        &mut self,
        id: &str,
        regions: &[(&str, Option<&str>)],
        force: bool,
    ) -> Result<ReplicationResponse, Fault> {
        let region = |(region, key): &(&str, Option<&str>)| ReplicaRegion {
            region: (*region).to_owned(),
            kms_key_id: key.map(str::to_owned),
        };
        let request = ReplicateSecretToRegions {
            secret_id: id.to_owned(),
            add_replica_regions: regions.iter().map(region).collect(),
            force_overwrite_replica_secret: force.then_some(true),
        };
        match self.run(&Mutation::ReplicateSecretToRegions(request), None)? {
            Answer::Replicated(replicated) => Ok(replicated),
            other => wrong_answer(&other),
        }
    }

    /// `RemoveRegionsFromReplication`.
    pub fn remove_replicas(
        &mut self,
        id: &str,
        regions: &[&str],
    ) -> Result<ReplicationResponse, Fault> {
        let request = RemoveRegionsFromReplication {
            secret_id: id.to_owned(),
            remove_replica_regions: regions.iter().map(ToString::to_string).collect(),
        };
        match self.run(&Mutation::RemoveRegionsFromReplication(request), None)? {
            Answer::Replicated(replicated) => Ok(replicated),
            other => wrong_answer(&other),
        }
    }

    /// `StopReplicationToReplica`.
    pub fn promote(&mut self, id: &str) -> Result<SecretResponse, Fault> {
        match self
            .run(&Mutation::StopReplicationToReplica(StopReplicationToReplica::new(id)), None)?
        {
            Answer::Named(named) | Answer::Promoted(named) => Ok(named),
            other => wrong_answer(&other),
        }
    }

    /// `AssociateCrossAccountReplica`.
    pub fn associate(&mut self, id: &str, replica: &str) -> Result<AssociationResponse, Fault> {
        let request = AssociateCrossAccountReplica {
            secret_id: id.to_owned(),
            replica_arn: replica.to_owned(),
            ..Default::default()
        };
        match self.run(&Mutation::AssociateCrossAccountReplica(request), None)? {
            Answer::Associated(associated) => Ok(associated),
            other => wrong_answer(&other),
        }
    }

    /// `DisassociateCrossAccountReplica`.
    pub fn disassociate(&mut self, id: &str, replica: &str) -> Result<AssociationResponse, Fault> {
        let (secret_id, replica_arn) = (id.to_owned(), replica.to_owned());
        let request = DisassociateCrossAccountReplica { secret_id, replica_arn };
        match self.run(&Mutation::DisassociateCrossAccountReplica(request), None)? {
            Answer::Associated(associated) => Ok(associated),
            other => wrong_answer(&other),
        }
    }

    /// The same vault, asked from another account until the next call.
    pub fn act_as(&mut self, account: &str) -> &mut Self {
        self.scope = Scope::new(account, &self.scope.region);
        self
    }

    /// The same vault, asked from another region until the next call.
    pub fn go_to(&mut self, region: &str) -> &mut Self {
        self.scope = Scope::new(&self.scope.account, region);
        self
    }

    /// `GetSecretValue` of the current version.
    pub fn get(&self, id: &str) -> Result<Found, Fault> {
        self.get_at(id, None, None)
    }

    /// `GetSecretValue`; the version is that of the token of that name.
    pub fn get_at(
        &self,
        id: &str,
        version: Option<&str>,
        stage: Option<&str>,
    ) -> Result<Found, Fault> {
        let request = GetSecretValue {
            secret_id: id.to_owned(),
            version_id: version.map(token),
            version_stage: stage.map(str::to_owned),
        };
        self.read(&request)
    }

    /// `DescribeSecret`.
    pub fn describe(&self, id: &str) -> Result<DescribeSecretResponse, Fault> {
        self.read(&DescribeSecret::new(id))
    }

    /// `ListSecretVersionIds`.
    pub fn list_versions(
        &self,
        request: &ListSecretVersionIds,
    ) -> Result<ListSecretVersionIdsResponse, Fault> {
        self.read(request)
    }

    /// `ListSecrets`.
    pub fn list(&self, request: &ListSecrets) -> Result<ListSecretsResponse, Fault> {
        self.read(request)
    }

    /// `GetResourcePolicy`; its policy.
    pub fn policy(&self, id: &str) -> Result<Option<String>, Fault> {
        let request = GetResourcePolicy::new(id);
        let answer = self.read(&request)?;
        Ok(answer.policy)
    }

    /// `PutResourcePolicy` without options.
    pub fn put_policy(&mut self, id: &str, policy: &str) -> Result<PolicyResponse, Fault> {
        let (secret_id, resource_policy) = (id.to_owned(), policy.to_owned());
        let request = PutResourcePolicy { secret_id, resource_policy, ..Default::default() };
        match self.run(&Mutation::PutResourcePolicy(request), None)? {
            Answer::PolicyNamed(named) => Ok(named),
            other => wrong_answer(&other),
        }
    }

    /// `DeleteResourcePolicy`.
    pub fn delete_policy(&mut self, id: &str) -> Result<PolicyResponse, Fault> {
        match self.run(&Mutation::DeleteResourcePolicy(DeleteResourcePolicy::new(id)), None)? {
            Answer::PolicyNamed(named) => Ok(named),
            other => wrong_answer(&other),
        }
    }

    /// Labelled versions in age order, as `v1{A,B} v2{C}`, each version under its token's name.
    #[must_use]
    pub fn labels(&self, id: &str) -> String {
        let Ok(description) = self.describe(id) else { return "no secret".to_owned() };
        let is_of = |id: &RecordId| {
            self.view.secrets.get(id).is_some_and(|record| record.name.as_str() == description.name)
        };
        let age = |version: &VersionId| {
            let known = self.view.versions.values().filter(|known| is_of(&known.id));
            known.filter(|known| known.version_id == *version).map(|known| known.seq).min()
        };
        let mut versions = description.versions_to_stages.clone();
        versions.sort_by_key(|(version, _)| age(version));
        let versions = versions.into_iter().map(|(version, mut stages)| {
            stages.sort_unstable();
            let name = version.as_str().trim_end_matches('-');
            format!("{name}{{{}}}", stages.join(","))
        });
        versions.collect::<Vec<_>>().join(" ")
    }

    /// The id of the live secret of that name.
    #[must_use]
    pub fn id(&self, name: &str) -> Option<RecordId> {
        let mut live = self.view.secrets.values().filter(|record| !record.dead);
        live.find(|record| record.name.as_str() == name).map(|record| record.id)
    }

    /// Asks a background operation until it is done; how often it did something.
    pub fn drain(&mut self, mutation: &Upkeep) -> Result<usize, Fault> {
        let mut parts = 0;
        loop {
            let plan = self.plan(mutation, None)?;
            parts += usize::from(!plan.effects.is_empty());
            assert!(parts < 100_000, "it never comes to an end");
            match plan.answer {
                Answer::More => {}
                Answer::Done => return Ok(parts),
                other => wrong_answer(&other),
            }
        }
    }

    /// The wall clock.
    #[must_use]
    pub fn wall(&self) -> UnixMillis {
        self.now.wall
    }
}
